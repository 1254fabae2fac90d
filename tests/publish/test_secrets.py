"""No report, in any format or edition, has an address, a host name, an AE title, what a certificate says, or who may be an owner."""

import re
from pathlib import Path
from urllib.parse import unquote

import duckdb
import pytest

from pipeline.publish import report
from pipeline.publish.scope import Scope
from tests.analysis import lake
from tests.publish import demo, hidden, history

FORMATS = {"html", "md", "csv", "png"}
NAMED = "resolved.mri.stmary-trust.example"
TITLE, HOST, HOLDER, NAME = "STMARYPACS", "pacs.stmary.example", "St Mary Hospital Trust", "STMARY_ARCHIVE"
KEYS = hidden.fingerprints(demo.FIRST)
LEAF = hidden.certificate(demo.FIRST) | {
    "subject": f"CN={HOST}",
    "subject_organization": HOLDER,
    "san": [HOST, "10.9.8.7"],
}
SCOPES = (
    Scope(),
    Scope(country="GB"),
    Scope(since="2026-06-01"),
    Scope(country="US", since="2026-06-09", min_cell=1),
)


@pytest.fixture(scope="module")
def texts(history_con: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every file of every edition as text, with the downloads inside pages decoded; pictures as their bytes."""
    folder = tmp_path_factory.mktemp("secrets")
    for number, scope in enumerate(SCOPES):
        formats = FORMATS - ({"png"} if number else set())
        report.write(history_con, "20260629T030000Z-weekly", folder / str(number), formats, scope)
    report.write(demo.connect(), lake.SWEEP, folder / "demo", FORMATS - {"png"})
    report.write(telling(), lake.SWEEP, folder / "telling", FORMATS)
    files = [path for name in ("0", "1", "2", "3", "demo", "telling") for path in (folder / name).iterdir()]
    return {f"{path.parent.name}/{path.name}": unquote(path.read_bytes().decode("latin-1")) for path in files}


def telling():  # type: ignore[no-untyped-def]
    """A lake whose rows name their owner in every column that can."""
    row = {"ip": demo.FIRST, "port": 2762, "outcome": "accepted"}
    said = {"implementation_version_name": NAME, "implementation_class_uid": "1.2.3", "called_ae_raw": TITLE.encode()}
    return lake.connect(
        sweeps=[demo.sweep_row(1_000_000, 1)],
        responses=[row],
        associations=[row | said | {"raw": TITLE.encode()}],
        fingerprints=[{"ip": demo.FIRST, "port": 2762, "class_uid_root": "1.2", "class_uid_hash": "0badcafe"}],
        locations=[{"ip": demo.FIRST, "country": "GB", "asn": 64999, "organisation": HOLDER}],
        owners=[
            {"ip": demo.FIRST, "sector": "healthcare", "rule": "r", "field": "certificate", "confidence": "strong"}
        ],
        systems=[{"ip": demo.FIRST, "port": 2762}],
        host_names=[{"ip": demo.FIRST, "naming": "confirmed", "names": [NAMED], "unconfirmed": [f"old.{NAMED}"]}],
        network_coverage=[
            {"country": "GB", "asn": 64999, "organisation": HOLDER, "network_kind": "hospital", "addresses": 512}
        ],
        tls=[{"ip": demo.FIRST, "port": 2762, "round": 1, "handshake": "completed", "chain": [LEAF]}],
        coverage=[{"country": "GB", "addresses": 1_000_000, "country_source": "made up, built 2026-06-17"}],
    )


def test_every_edition_was_written(texts: dict[str, str]) -> None:
    """The editions have pages, texts, tables and figures."""
    assert {Path(name).suffix for name in texts} == {".html", ".md", ".csv", ".svg", ".png"} and len(texts) > 130


def test_nothing_of_a_host(texts: dict[str, str]) -> None:
    """No file has an address in any notation, a name or title that a host gave, or a fingerprint of its certificate or key."""
    hosts = {host.ip for sweep in history.history() for host in sweep.seen} | {demo.FIRST + n for n in range(100)}
    hosts |= {row[0] for sweep in history.history() for row in sweep.others}
    assert hidden.found(texts, hosts | {history.ip(ip) for ip in ("198.51.100.7", "203.0.113.9", "10.9.8.7")}) == []


@pytest.mark.parametrize(
    "secret",
    [
        TITLE,
        HOST,
        "stmary.example",
        HOLDER,
        "pacs.hospital.example",
        "Example Janet",
        "Example Health Network",
        "64500",
        "64501",
        "64999",
        NAME,
        history.HOSTS,
        "example-trust",
        NAMED,
        *sorted(KEYS),
    ],
)
def test_no_name(texts: dict[str, str], secret: str) -> None:
    """No file contains a host name, an AE title, or a network's holder that may be the owner, in upper or lower case."""
    whole = rf"(?<!\d){secret}(?!\d)" if secret.isdigit() else re.escape(secret)  # not the digits of another number
    assert not [name for name, text in texts.items() if re.search(whole, text, re.IGNORECASE)]


def test_carriers_are_named(texts: dict[str, str]) -> None:
    """The holder of a large hosting or access network is published, with the network's addresses in the plan."""
    assert re.search(
        r",DE,Germany,AS64503,Example Telecom,access,\d+,\d+,\d*,2048,", texts["0/networks.csv"], re.MULTILINE
    )
