"""A sweep of the profile `tls` over real servers with and without TLS, row by row and byte by byte."""

import shutil
import subprocess
from collections import defaultdict
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import CensusError
from pipeline.lake import layout, manifest, parts, pending, store, verify
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.sweep import reparse
from pipeline.testbed import spec, truth
from pipeline.views import connection, views
from tests.testbed import running
from tests.testbed.running import CENSUS, ROOT, VANTAGE, streams, timed

DATA = ROOT / "tests" / "data"
SPEC = DATA / "tls.toml"
HELLO = b"\x16\x03"
REQUEST = b"\x01\x00"
TLS_PORT = 2762


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sweep's lake and packet capture."""
    folder = tmp_path_factory.mktemp("tls")
    running.swept(DATA / "tls-sweep.toml", folder, spec=SPEC, capture=folder / "wire.pcap")
    return folder


def rows(swept: Path, query: str) -> list[tuple[Any, ...]]:
    with connection.connect(swept / "lake") as con:
        return con.execute(query).fetchall()


def test_the_first_round_is_the_ground_truth(swept: Path) -> None:
    """Each target has the outcome of the specification; the first round used TLS only on the TLS port."""
    found = {(ip, port): outcome for ip, port, outcome in rows(swept, "SELECT ip, port, outcome FROM responses")}
    assert found == {(t.address, t.port): str(t.outcome) for t in truth.truth(spec.load(SPEC))}
    assert rows(swept, f"SELECT count(*) FROM tls WHERE round = 1 AND port <> {TLS_PORT}") == [(0,)]


def test_the_second_round_finds_what_hides_behind_tls(swept: Path) -> None:
    """Targets that reset, closed or answered with TLS are visited again, through TLS; DICOM found there is an association."""
    again = (
        "SELECT responses.outcome, tls.handshake, tls.outcome FROM tls JOIN responses USING (ip, port) WHERE round = 2"
    )
    assert sorted(rows(swept, again)) == [
        ("closed", "completed", "silent"),
        *[("reset", "completed", "accepted")] * 3,
        ("reset", "reset", "reset"),
        *[("tls", "refused_version", "tls")] * 2,
    ]
    found = "SELECT transport, round, outcome, count(*) FROM associations GROUP BY ALL ORDER BY ALL"
    assert rows(swept, found) == [("tcp", 1, "accepted", 4), ("tls", 1, "accepted", 6), ("tls", 2, "accepted", 3)]
    assert rows(swept, "SELECT targets FROM funnel WHERE step = 'speaks_dicom'") == [(13,)]


def test_provenance(swept: Path) -> None:
    """Each association records its range's attempt, its vantage, its profile and its request."""
    columns = "profile, vantage, attempt, length(request_sha256), length(register_digest), code_version"
    found = rows(swept, f"SELECT DISTINCT {columns} FROM associations")
    assert [row[:5] for row in found] == [("tls", "198.18.0.1", 1, 64, 64)]
    joined = "SELECT count(*) FROM associations a JOIN receipts r USING (shard, range, round, code_version, vantage)"
    assert rows(swept, joined) == rows(swept, "SELECT count(*) FROM associations")


def test_what_was_said_to_whom(swept: Path) -> None:
    """No plain request goes to the TLS port; a ClientHello goes to other ports only after a plain visit, and only once."""
    sent = [packet for _, packet in timed(swept / "wire.pcap") if packet.src == VANTAGE and packet.data.data]
    said: dict[tuple[str, int], list[bytes]] = defaultdict(list)
    for (host, _, port), data in streams(sent).items():
        said[str(IPv4Address(host)), port].append(data[:2])
    assert {first for (_, port), visits in said.items() if port == TLS_PORT for first in visits} == {HELLO}
    plain = {target: visits for target, visits in said.items() if target[1] != TLS_PORT}
    assert {tuple(visits) for visits in plain.values()} == {(REQUEST,), (REQUEST, HELLO)}
    assert sum(len(visits) == 2 for visits in plain.values()) == 7


def test_second_visits_have_a_receipt(swept: Path) -> None:
    """A shard without the receipt of its second visits is not finished, and `census verify` reports the missing receipt."""
    place = next(iter(layout.sweeps(swept / "lake")))
    sweep = Sweep.open(place)
    assert list(verify.faults(sweep)) == []
    assert pending.pending_shards(sweep) == []
    kept = {path: path.read_bytes() for path in place.receipts.glob("*.json")}
    second = [path for path, data in kept.items() if msgspec.json.decode(data)["round"] == 2]
    second[0].unlink()
    try:
        assert next(fault.what[:18] for fault in verify.faults(sweep)) == "has no receipt; `c"
        assert pending.pending_shards(sweep) == [(2, int(second[0].stem[:3]))]
    finally:
        second[0].write_bytes(kept[second[0]])


def test_csv_of_nested_columns(swept: Path) -> None:
    """`census sql --format csv` writes lists and structs as JSON."""
    query = [*CENSUS, "sql", str(swept / "lake"), "SELECT outcomes FROM receipts ORDER BY ALL", "--format", "csv"]
    printed = subprocess.run(query, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout
    assert '""outcome"": ""accepted""' in printed


def without(place: SweepPaths, table: str, column: str) -> None:
    """Write a sealed table again with nulls in a column."""
    sealed = pq.read_table(place.sealed(table), partitioning=None)
    at = sealed.schema.get_field_index(column)
    older = sealed.set_column(at, sealed.schema.field(at), pa.nulls(len(sealed), sealed.schema.field(at).type))
    parts.write(place.sealed(table), older, table, place.id)


def test_reparse(swept: Path, tmp_path: Path) -> None:
    """Reparsing changes nothing that this version parsed; where an older version parsed otherwise, views show the new values.

    That version had neither checksums nor signatures; with them, changed rows are refused.
    """
    lake = tmp_path / "lake"
    shutil.copytree(swept / "lake", lake)
    place = layout.find(lake, None)
    assert not reparse.reparse(place)
    assert rows(tmp_path, "SELECT count(*) FROM reparsed") == [(0,)]
    without(place, "associations", "implementation_version_name")
    with pytest.raises(CensusError, match="associations.* was changed after the sweep was sealed"):
        reparse.reparse(place)
    without(place, "sweeps", manifest.COLUMN)
    for name in ("manifest.json", "seal.json", "derived.json"):
        store.unlink(place.plan.with_name(name))
    command = [*CENSUS, "reparse", str(lake)]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stderr
    assert "implementation_version_name in 13" in told
    names = "SELECT DISTINCT implementation_version_name FROM associations"
    assert rows(tmp_path, names) == [("OFFIS_DCMTK_367",)]
    with connection.connect(lake) as con:
        assert [name for name, sql in views.checks() if con.execute(sql).fetchall()] == []
