"""A sweep of the profile `capabilities` over real servers on signed ranges, and every byte that was sent."""

from pathlib import Path

import pytest

from pipeline.views import connection
from pipeline.wire.capabilities import PROPOSALS
from pipeline.wire.outgoing import class_uid, encode
from tests.owner import signed_list
from tests.testbed import running
from tests.testbed.running import ROOT, VANTAGE, streams, timed

DATA = ROOT / "tests" / "data"
#: What these servers accept at negotiation, by group.
ROLES = {
    "193.62.0.1": {"verification", "storage"},
    "193.62.0.2": {"verification", "storage", "query"},
    "193.62.0.3": {"verification", "storage", "query", "commitment"},
    "193.62.0.4": {"verification"},
    "193.62.0.5": {"verification", "storage"},
}


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sweep's lake and packet capture."""
    folder = tmp_path_factory.mktemp("own")
    own = "\n".join(f'{key} = "{name}"' for key, name in signed_list(folder, "193.62.0.0/25 # ours\n").items())
    text = (DATA / "tls-sweep.toml").read_text().replace('profile = "tls"', 'profile = "capabilities"')
    (folder / "sweep.toml").write_text(f'{text}\n[own]\nowner = "St Example"\n{own}\n')
    running.swept(folder / "sweep.toml", folder, spec=DATA / "own.toml", capture=folder / "wire.pcap")
    return folder


def test_roles_show_at_negotiation(swept: Path) -> None:
    """The contexts that a server accepts show its role, through TLS as well."""
    with connection.connect(swept / "lake") as con:
        found = con.execute("SELECT address, role FROM capabilities WHERE accepted").fetchall()
    assert {address: {role for host, role in found if host == address} for address in ROLES} == ROLES


def test_roles_tell_what_one_context_does_not(swept: Path) -> None:
    """Accepted contexts distinguish Orthanc from DCMTK's tools, which declare and behave alike; no rule is contradicted."""
    with connection.connect(swept / "lake") as con:
        found = con.execute("SELECT ip & 255, behaviour_rules, mismatch, suspicions FROM raw_fingerprints").fetchall()
    roles = {host: [rule for rule in rules if rule.endswith("-roles")] for host, rules, _, _ in found}
    assert roles == {1: ["storescp-roles"], 2: ["dcmqrscp-roles"], 3: ["orthanc-roles"], 4: [], 5: ["storescp-roles"]}
    assert not any(mismatch or doubts for _, _, mismatch, doubts in found)


def test_nothing_is_asked(swept: Path) -> None:
    """Only whole requests and releases are sent in the clear: no command, not even a C-ECHO."""
    sent = [packet for _, packet in timed(swept / "wire.pcap") if packet.src == VANTAGE and packet.data.data]
    said = {data for (_, _, port), data in streams(sent).items() if port != 2762}
    templates = encode(
        calling_ae="DICOM-CENSUS",
        class_uid=class_uid("https://census.example.org/"),
        proposed=[each.uid for each in PROPOSALS],
    )
    assert said == {templates.request + templates.release_request}
    with connection.connect(swept / "lake") as con:
        assert con.execute("SELECT DISTINCT outcome, echo_sent FROM associations").fetchall() == [("accepted", False)]
