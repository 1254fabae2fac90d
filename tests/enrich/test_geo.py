"""Addresses to countries."""

from datetime import date
from ipaddress import IPv4Network
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from pipeline.enrich import geo, range_table
from pipeline.enrich.mmdb import Mmdb
from pipeline.errors import InputError

FACTS = {"name": "made up", "build_date": "2026-11-01", "sha256": "ab" * 32}
KNOWN = {"193.62.0.1": "GB", "8.8.8.8": "US", "133.1.1.1": "JP", "200.160.0.8": "BR", "10.0.0.1": None}
SHAPES = {
    "nested": lambda code: {"country": {"iso_code": code}, "registered_country": {"iso_code": "ZZ"}},
    "flat": lambda code: {"country_code": code},
}
SPACE = 1 << 32

cuts = st.lists(st.integers(0, SPACE), min_size=2, max_size=20, unique=True).map(sorted)


def address(text: str) -> int:
    return int(IPv4Network(text)[0])


def ips(*values: int) -> np.ndarray:
    return np.array(values, np.uint32)


def table(ranges: list[tuple[int, int, str]]) -> pa.Table:
    first, last, country = zip(*ranges, strict=True) if ranges else ((), (), ())
    return pa.table(
        [pa.array(first, pa.uint32()), pa.array(last, pa.uint32()), pa.array(country, pa.string())],
        names=["first", "last", "country"],
    )


@st.composite
def country_ranges(draw: st.DrawFn) -> list[tuple[int, int, str]]:
    edges = draw(cuts)
    pieces = [(low, high - 1, draw(st.sampled_from(["GB", "US", None]))) for low, high in pairwise(edges)]
    return [piece for piece in pieces if piece[2]]


def naive(ranges: list[tuple[int, int, str]], ip: int) -> str | None:
    return next((country for first, last, country in ranges if first <= ip <= last), None)


def write_mmdb(path: Path, shape: str, networks: dict[str, str], version: int = 4) -> Path:
    writer = MMDBWriter(ip_version=version, database_type="made-up", ipv4_compatible=version == 6)
    for network, code in networks.items():
        writer.insert_network(IPSet([network]), SHAPES[shape](code))
    writer.to_db_file(str(path))
    return path


@given(country_ranges(), st.lists(st.integers(0, SPACE - 1)))
def test_lookup_equals_a_scan(ranges: list[tuple[int, int, str]], others: list[int]) -> None:
    """A lookup gives the result of a scan over all ranges, also at and next to every edge."""
    edges = {edge + step for first, last, _ in ranges for edge in (first, last) for step in (-1, 0, 1)}
    queried = [ip for ip in [*others, *edges, 0, SPACE - 1] if 0 <= ip < SPACE]
    result = geo.from_table(table(ranges), FACTS).countries(ips(*queried)).to_pylist()
    assert result == [naive(ranges, ip) for ip in queried]


@given(country_ranges(), cuts)
def test_coverage_counts_every_address_once(ranges: list[tuple[int, int, str]], edges: list[int]) -> None:
    """The countries' counts add up to the number of addresses, and each is the size of an intersection."""
    queried = [(low, high - 1) for low, high in zip(edges[::2], edges[1::2], strict=False)]
    result = geo.from_table(table(ranges), FACTS).coverage(ips(*[a for a, _ in queried]), ips(*[b for _, b in queried]))
    assert sum(result.values()) == sum(last - first + 1 for first, last in queried)
    for code in ("GB", "US"):
        overlaps = [min(b, last) - max(a, first) + 1 for a, b in queried for first, last, c in ranges if c == code]
        assert result.get(code, 0) == sum(size for size in overlaps if size > 0)


@pytest.mark.parametrize(("text", "country"), KNOWN.items())
def test_bundled_table_knows(text: str, country: str | None) -> None:
    """The bundled table has the right country for well-known addresses, and none for private space."""
    assert geo.load().countries(ips(address(text))).to_pylist() == [country]


def test_bundled_table_says_what_it_is() -> None:
    """The bundled table carries its build date, digest, licence and attribution."""
    places, metadata = geo.load(), pq.read_schema(geo.BUNDLED).metadata
    assert places.build_date == date(2026, 6, 17)
    assert places.source.startswith("geo-whois-asn-country, built 2026-06-17, sha256 05aee73a")
    assert b"CC0-1.0" in metadata[b"geo.licence"] and b"nro.net" in metadata[b"geo.attribution"]


def test_coverage_of_everything_is_the_whole_space() -> None:
    """All of IPv4 is counted once, the addresses in no country included."""
    result = geo.load().coverage(ips(0), ips(SPACE - 1))
    assert sum(result.values()) == SPACE and result[None] > 0


def test_ranges_of_a_country_are_what_it_covers() -> None:
    """A country's addresses are as many as its coverage of the whole space, and each is looked up as that country."""
    places = geo.load()
    british = places.ranges("GB")
    assert british.count == places.coverage(ips(0), ips(SPACE - 1))["GB"]
    assert set(places.countries(british.first.astype(np.uint32)).to_pylist()) == {"GB"}
    assert places.ranges("XX").count == 0


def test_coverage_of_nothing_is_empty() -> None:
    """No ranges, no countries."""
    assert geo.load().coverage(ips(), ips()) == {}


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("shape", SHAPES)
def test_mmdb_of_either_shape_is_read(tmp_path: Path, shape: str, version: int) -> None:
    """Both record layouts are read, from files with and without IPv6, and adjacent networks are merged."""
    networks = {"192.0.2.0/25": "GB", "192.0.2.128/25": "GB", "198.51.100.0/24": "US"}
    flat = geo.flatten(Mmdb(write_mmdb(tmp_path / "geo.mmdb", shape, networks, version)))
    rows = [(row["first"], row["last"], row["country"]) for row in flat.to_pylist()]
    one, two = IPv4Network("192.0.2.0/24"), IPv4Network("198.51.100.0/24")
    assert rows == [(int(one[0]), int(one[-1]), "GB"), (int(two[0]), int(two[-1]), "US")]


RECORDS = [
    ({"continent": {"code": "EU"}, "country": {}}, None),
    ({"country": {"iso_code": "GB"}, "registered_country": {"iso_code": "US"}}, "GB"),
    ({"registered_country": {"iso_code": "US"}}, "US"),
    ({"country": {"iso_code": "ZZ"}, "registered_country": {"iso_code": "US"}}, "US"),
    ({"country": "France", "country_code": "FR"}, "FR"),
    ({"country_code": "gb"}, "GB"),
    ({"country_code": "-"}, None),
    ({"country": ["GB"]}, None),
    ({"country": {"code": "GB", "name": "United Kingdom"}}, "GB"),
    ({"geo": {"country": "France", "country_code": "FR"}, "as": {"asn": "AS64500"}}, "FR"),
    ({"location": {"country_code": "FR", "country": "France"}}, "FR"),
    ({"location": {"country": {"code": "FR"}, "latitude": 48.0}}, "FR"),
    ("GB", None),
]


@pytest.mark.parametrize(("record", "country"), RECORDS)
def test_country_of_a_record(record: object, country: str | None) -> None:
    """Where the address is comes before where its holder is registered; a continent, or no country's code, gives none."""
    assert geo.country_of(record) == country


def test_only_countries_are_counted(tmp_path: Path) -> None:
    """Codes that mean no country are not placed, other spellings of one are one country, in lookups, counts and ranges."""
    codes = ["GB", "gb", "UK", "ZZ", "-", "EU", "AP", "", " fr "]
    ranges = [(number << 8, (number << 8) + 255, code) for number, code in enumerate(codes)]
    places = geo.from_table(table(ranges), FACTS)
    starts = ips(*[first for first, _, _ in ranges])
    assert places.countries(starts).to_pylist() == ["GB", "GB", "GB", None, None, None, None, None, "FR"]
    assert places.coverage(ips(0), ips(256 * 9 - 1)) == {"GB": 768, "FR": 256, None: 256 * 5}
    assert places.ranges("GB").pairs() == [(0, 767)] and places.ranges("ZZ").count == 0


def test_a_missing_code_is_not_placed() -> None:
    """A row without a country counts as not placed."""
    rows = table([(0, 255, "GB")]).set_column(2, "country", pa.array([None], pa.string()))
    assert geo.from_table(rows, FACTS).coverage(ips(0), ips(255)) == {None: 256}


def test_a_database_is_known_by_its_content(tmp_path: Path) -> None:
    """An mmdb and a table are read under any name, and a file that is neither is refused with what makes a table of it."""
    mmdb = write_mmdb(tmp_path / "places", "flat", {"192.0.2.0/24": "GB"})
    range_table.save(geo.flatten(Mmdb(mmdb)), tmp_path / "table", Mmdb(mmdb).facts)
    assert geo.load(mmdb).source == geo.load(tmp_path / "table").source
    (tmp_path / "text.csv").write_text("0.0.0.0,0.0.0.255,GB\n")
    with pytest.raises(InputError, match=r"text\.csv: is not an mmdb or a Parquet table; `census refresh` makes"):
        geo.load(tmp_path / "text.csv")


def test_saved_table_gives_the_same_answers_as_its_mmdb(tmp_path: Path) -> None:
    """An mmdb and the table saved from it load to equal databases with the same source."""
    mmdb = Mmdb(write_mmdb(tmp_path / "geo.mmdb", "flat", {"192.0.2.0/24": "GB"}))
    range_table.save(geo.flatten(mmdb), tmp_path / "geo.parquet", mmdb.facts)
    one, other = geo.load(tmp_path / "geo.mmdb"), geo.load(tmp_path / "geo.parquet")
    assert one.source == other.source
    assert other.countries(ips(address("192.0.2.7"), address("192.0.3.0"))).to_pylist() == ["GB", None]


@pytest.mark.parametrize(
    "name", ["missing.mmdb", "missing.parquet", "text.mmdb", "text.parquet", "bare.parquet", "other.parquet"]
)
def test_unreadable_database_is_an_input_error(tmp_path: Path, name: str) -> None:
    """A database that is missing, malformed or without metadata is refused with its path and the reason."""
    (tmp_path / "text.mmdb").write_text("no database")
    (tmp_path / "text.parquet").write_text("no database")
    pq.write_table(table([]), tmp_path / "bare.parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    with pytest.raises(InputError, match=name):
        geo.load(tmp_path / name)
