"""`census audit` over real servers in a closed testbed: its report, the addresses it contacts, and the readers of its files."""

import csv
import json
import subprocess
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from pipeline.publish.audit import CSV, HTML
from pipeline.sweep import own_audit
from pipeline.sweep import run as sweep
from tests.owner import CONFIG, hospital
from tests.testbed.running import CENSUS, ROOT, VANTAGE, environment, in_testbed, streams, timed

SPEC = ROOT / "tests" / "data" / "audit.toml"
ALWAYS = {"reachable", "unencrypted"}
OPEN = ALWAYS | {"accepts-anyone", "declares-itself"}
#: Address → findings that must be reported, given the software installed there.
TRUTH = {
    "10.20.0.1:104": OPEN | {"storage-open"},
    "193.62.0.1:104": OPEN | {"storage-open"},
    "193.62.0.2:104": OPEN | {"storage-open", "query-open"},
    "193.62.0.3:104": OPEN | {"storage-open", "query-open", "workflow-open"},
    "193.62.0.4:104": OPEN,
    "193.62.0.5:2762": {
        "reachable", "accepts-anyone", "declares-itself", "storage-open", "no-client-certificate", "self-signed",
    },
    "193.62.0.6:104": ALWAYS | {"calling-title-checked"},
    "193.62.0.7:104": ALWAYS | {"called-title-checked"},
    "193.62.0.8:104": {"port-open"},
}  # fmt: skip


def run(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=ROOT, env=environment(folder), capture_output=True, text=True, timeout=240, check=False
    )


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the lake, the report and the packet capture of an audit with profile `capabilities`."""
    folder = tmp_path_factory.mktemp("audit")
    config = hospital(folder, "capabilities")
    command = ["audit", str(config), "-o", str(folder / "report"), "--lake", str(folder / "lake"), "--json"]
    ended = run(folder, *in_testbed(*command, capture=folder / "wire.pcap", spec=SPEC))
    assert ended.returncode == 0, ended.stderr[-3000:]
    (folder / "printed.jsonl").write_text(ended.stdout)
    return folder


def test_each_service_is_reported_for_its_reasons(audited: Path) -> None:
    """Each server is in the CSV, on the page and on standard output with exactly the findings that apply to it."""
    rows = list(csv.DictReader((audited / "report" / CSV).read_text("utf-8").splitlines()))
    endpoints = {f"{row['address']}:{row['port']}" for row in rows}
    found = {
        endpoint: {row["finding"] for row in rows if f"{row['address']}:{row['port']}" == endpoint}
        for endpoint in endpoints
    }
    assert found == TRUTH
    printed = [json.loads(line) for line in (audited / "printed.jsonl").read_text().splitlines()]
    assert {line["service"]: set(line["findings"].split(", ")) for line in printed} == TRUTH
    page = (audited / "report" / HTML).read_text("utf-8")
    assert all(endpoint in page for endpoint in TRUTH) and "orthanc-roles" in page
    assert "<h1>8 DICOM services on 8 addresses answered an unknown client</h1>" in page


def test_it_tells_what_was_accepted(audited: Path) -> None:
    """Each address has its accepted services, titles, encryption and declared version."""
    rows = {row["address"]: row for row in csv.DictReader((audited / "report" / CSV).open(encoding="utf-8"))}
    assert "Patient Root Query/Retrieve Information Model - FIND" in rows["193.62.0.2"]["accepted"]
    assert rows["193.62.0.3"]["transfer_syntaxes"] and rows["193.62.0.3"]["ae_titles"].startswith("accepted our titles")
    assert rows["193.62.0.6"]["ae_titles"] == "rejected the calling title"
    assert (rows["193.62.0.5"]["encrypted"], rows["193.62.0.1"]["encrypted"]) == ("True", "False")
    assert rows["193.62.0.5"]["client_certificate"] == "not_requested"
    assert "DCMTK" in rows["193.62.0.1"]["declares"]


def test_nothing_goes_beyond_the_signed_ranges(audited: Path) -> None:
    """Every packet of ours goes to the signed list, although a server exists outside it; no DIMSE command is sent at all."""
    sent = [packet for _, packet in timed(audited / "wire.pcap") if packet.src == VANTAGE]
    signed = [IPv4Network("193.62.0.0/25"), IPv4Network("10.20.0.0/30")]
    assert sent and all(any(IPv4Address(packet.dst) in block for block in signed) for packet in sent)
    said = {data for (_, _, port), data in streams([p for p in sent if p.data.data]).items() if port != 2762}
    # PDU types (PS3.8 §9.3): 01 is the request, 05 the release and 07 the abort; 04, data, would carry a command.
    assert said and {part[0] for data in said for part in pdus(data)} <= {1, 5, 7}


def test_both_files_are_marked_and_private(audited: Path) -> None:
    """The folder has mode 0700 and each file in it 0600; the files of the lake are private too; both files say CONFIDENTIAL."""
    assert (audited / "report").stat().st_mode & 0o777 == 0o700
    for name in (HTML, CSV):
        assert (audited / "report" / name).stat().st_mode & 0o777 == 0o600
        assert "CONFIDENTIAL" in (audited / "report" / name).read_text("utf-8")
    rows = list(csv.DictReader((audited / "report" / CSV).open(encoding="utf-8")))
    assert {(row["marking"], row["owner"]) for row in rows} == {("CONFIDENTIAL", "St Example =Hospital")}
    assert not [path for path in (audited / "lake").rglob("*") if path.stat().st_mode & 0o077]


def test_a_report_is_made_again_without_a_packet(audited: Path, tmp_path: Path) -> None:
    """`--report-only` writes the same files from the lake, outside any testbed."""
    command = ["audit", str(audited / "audit.toml"), "--lake", str(audited / "lake"), "-o", str(tmp_path / "again")]
    ended = run(tmp_path, *CENSUS, *command, "--report-only")
    assert ended.returncode == 0, ended.stderr
    assert "CONFIDENTIAL" in ended.stdout and "query-open" in ended.stdout
    for name in (HTML, CSV):
        assert (tmp_path / "again" / name).read_bytes() == (audited / "report" / name).read_bytes()


def test_an_audit_that_was_stopped_goes_on(tmp_path: Path) -> None:
    """A second run of the same configuration finishes the sweep that was begun; the run after it begins a new sweep."""
    config, lake = hospital(tmp_path, "echo"), tmp_path / "lake"
    begun = own_audit.audit_plan(config, lake)
    sweep.begin(begun, lake)
    assert own_audit.audit_plan(config, lake) == begun
    ended = run(
        tmp_path,
        *in_testbed("audit", str(config), "-o", str(tmp_path / "report"), "--lake", str(lake), spec=SPEC),
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert [path.name for path in (lake / "plans").iterdir()] == [f"sweep={begun.sweep}"]
    rows = list(csv.DictReader((tmp_path / "report" / CSV).open(encoding="utf-8")))
    assert {row["outcome"] for row in rows if row["address"] == "193.62.0.3"} == {"echoed"}
    assert own_audit.audit_plan(config, lake).sweep != begun.sweep


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (('ranges = "ranges.txt"', 'ranges = "other.txt"'), 3, "not the owner's signature"),
        (("[identity]", '[targets]\ninclude = ["193.62.0.0/24"]\n\n[identity]'), 3, "193.62.0.128/25"),
        ((CONFIG[CONFIG.index("[own]") :], '[targets]\ninclude = ["193.62.0.0/30"]\n'), 3, "their owner signed"),
        (('public_key = "owner.pem"\n', ""), 2, "own.public_key"),
    ],
)
def test_what_is_not_signed_is_refused(tmp_path: Path, change: tuple[str, str], code: int, said: str) -> None:
    """Another list, one address more, or no list is refused with an exit code and a message, and no lake is begun."""
    config = hospital(tmp_path, "echo")
    (tmp_path / "other.txt").write_text("193.62.0.0/24\n")
    config.write_text(config.read_text().replace(*change))
    ended = run(tmp_path, *CENSUS, "audit", str(config), "-o", str(tmp_path / "r"), "--lake", str(tmp_path / "lake"))
    assert (ended.returncode, said in ended.stderr) == (code, True), ended.stderr
    assert not (tmp_path / "lake").exists() and not (tmp_path / "r").exists()


def pdus(data: bytes) -> list[bytes]:
    """The PDUs of a stream (PS3.8 §9.3.1: type, a reserved byte, length)."""
    found = []
    while data:
        size = 6 + int.from_bytes(data[2:6], "big")
        found.append(data[:size])
        data = data[size:]
    return found
