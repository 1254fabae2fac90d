"""Databases in every form that producers publish."""

import gzip
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.enrich import database_file, range_table
from pipeline.enrich.database_kind import DatabaseKind
from pipeline.errors import InputError
from tests.enrich.test_mmdb import GB, NETWORK, write

TODAY = date(2026, 11, 29)
TEXTS: dict[str, tuple[DatabaseKind, str, list[tuple[Any, ...]]]] = {
    "country.csv": (DatabaseKind.COUNTRY, "0.0.0.0,0.0.0.255,gb\n0.0.1.0,0.0.1.255,ZZ\n::,::ff,FR\n", [(0, 255, "GB")]),
    "numbers.csv": (DatabaseKind.COUNTRY, "0,255,GB\n", [(0, 255, "GB")]),
    "asn.csv": (DatabaseKind.ASN, '0.0.0.0,0.0.0.255,786,"Jisc, UK"\n', [(0, 255, 786, "Jisc, UK")]),
    "ip2asn.tsv": (DatabaseKind.ASN, '0.0.0.0\t0.0.0.255\t786\tGB\tJ"\n0.0.1.0\t0.0.1.9\t0\tNone\t-\n', [(0, 255, 786, 'J"')]),
    "places.tsv": (DatabaseKind.COUNTRY, "0.0.0.0\t0.0.0.255\t786\tGB\tJ\n0.0.1.0\t0.0.1.9\t0\tNone\tN\n", [(0, 255, "GB")]),
    "windows.csv": (DatabaseKind.COUNTRY, "\ufeff\r\n0.0.0.0,0.0.0.8,GB\r\n\r\n0.0.0.9,0.0.0.9,FR\r\n", [(0, 8, "GB"), (9, 9, "FR")]),
    "prefixes": (DatabaseKind.ANNOUNCED, "192.0.2.0\t24\t64500\n", [(0xC0000200, 0xC00002FF)]),
}  # fmt: skip


def rows(path: Path, kind: DatabaseKind) -> list[tuple[Any, ...]]:
    table, _ = database_file.read(path, kind, TODAY)
    return [tuple(row.values()) for row in table.to_pylist()]


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("compressed", [False, True])
def test_texts_are_read(tmp_path: Path, name: str, compressed: bool) -> None:
    """Each layout of text gives its ranges, compressed or not; IPv6, unknown countries and AS 0 are left out."""
    kind, text, expected = TEXTS[name]
    path = tmp_path / (f"{name}.gz" if compressed else name)
    path.write_bytes(gzip.compress(text.encode()) if compressed else text.encode())
    assert rows(path, kind) == expected


@pytest.mark.parametrize("end", ["\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"])
def test_a_holders_name_adds_no_range(tmp_path: Path, end: str) -> None:
    """A holder, who chooses its name, announces nothing and moves no address to another country by what is in it."""
    name = f"J{end}9.9.9.0\t9.9.9.255\t1\tUS\tevil"
    (tmp_path / "a.tsv").write_text(f"0.0.0.0\t0.0.0.255\t786\tGB\tJisc\n0.0.1.0\t0.0.1.255\t786\tGB\t{name}\n")
    assert rows(tmp_path / "a.tsv", DatabaseKind.COUNTRY) == [(0, 255, "GB"), (256, 511, "GB")]
    (tmp_path / "a.csv").write_text(f"0.0.0.0,0.0.0.255,786,Jisc{end}9.9.9.0,9.9.9.255,1,evil\n0.0.1.0,0.0.1.255,1,J\n")
    with pytest.raises(InputError, match="is not a text of asn ranges"):
        rows(tmp_path / "a.csv", DatabaseKind.ASN)


def test_every_form_of_a_database_is_the_same(tmp_path: Path) -> None:
    """An mmdb, the mmdb in gzip, and the table saved of it have the same rows and the same facts."""
    mmdb = write(tmp_path / "a.mmdb", {"0.0.0.0/24": GB})
    (tmp_path / "a.mmdb.gz").write_bytes(gzip.compress(mmdb.read_bytes()))
    table, facts = database_file.read(mmdb, DatabaseKind.COUNTRY)
    range_table.save(table, tmp_path / "a.parquet", facts)
    for name in ("a.mmdb.gz", "a.parquet"):
        other = database_file.read(tmp_path / name, DatabaseKind.COUNTRY)
        assert (other[0].to_pylist(), other[1]) == (table.to_pylist(), facts)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("routeviews-rv2-20261128-1200.pfx2as", "2026-11-28"),
        ("a-2026-11-01.csv", "2026-11-01"),
        ("a.csv", "2026-11-29"),
    ],
)
def test_a_text_is_dated_by_its_name(tmp_path: Path, name: str, day: str) -> None:
    """The date is that in the name of a text, or else the one that is given; without any it is refused, and never made up."""
    (tmp_path / name).write_text("192.0.2.0\t24\t64500\n")
    assert database_file.read(tmp_path / name, DatabaseKind.ANNOUNCED, TODAY)[1]["build_date"] == day
    (tmp_path / "undated").write_text("192.0.2.0\t24\t64500\n")
    with pytest.raises(InputError, match="has no date in its name; `census refresh --date`"):
        database_file.read(tmp_path / "undated", DatabaseKind.ANNOUNCED)


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        ("0.0.0.0,0.0.0.255,GB\n", DatabaseKind.ASN, "is not a text of asn ranges"),
        ("0.0.0.0,0.0.0.255,786,J\n", DatabaseKind.COUNTRY, "is not a text of country ranges"),
        ("0.0.0.0,0.0.0.255,EU\n", DatabaseKind.COUNTRY, "has no country of any IPv4 address"),
        ("0.0.0.0,0.0.0.255,GB\n0.0.0.9,x,GB\n", DatabaseKind.COUNTRY, "line 2: is not a range of addresses"),
        ("0.0.0.0,0.0.0.255,GB\n0.0.0.9,0.0.1.0,GB\n", DatabaseKind.COUNTRY, "ranges that overlap at 0.0.0.9"),
        ("", DatabaseKind.COUNTRY, "is not a text of country ranges"),
        ("<!doctype html>\n", DatabaseKind.ANNOUNCED, "line 1: is not a prefix"),
        ('0.0.0.0,0.0.0.255,786,"J\n0.0.1.0,0.0.1.255,787,K\n', DatabaseKind.ASN, "is damaged: unexpected end of data"),
        (f"0.0.0.0,0.0.0.255,786,{'J' * 200_000}\n", DatabaseKind.ASN, "is damaged: field larger than"),
        ("\n0.0.0.0,0.0.0.255,GB\n0.0.0.9,x,GB\n", DatabaseKind.COUNTRY, "line 3: is not a range of addresses"),
        (b"\x1f\x8b\x08rest", DatabaseKind.COUNTRY, "is damaged"),
        (b"\xff\xfe\x00", DatabaseKind.COUNTRY, "is neither an mmdb, nor a Parquet table, nor text"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: str | bytes, kind: DatabaseKind, reason: str) -> None:
    """A file of another kind, or that is damaged, is refused with what is wrong."""
    path = tmp_path / "a"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=reason):
        rows(path, kind)


def test_an_mmdb_has_no_prefixes(tmp_path: Path) -> None:
    """An mmdb is not a table of announced prefixes."""
    with pytest.raises(InputError, match="give a file in CAIDA's pfx2as format"):
        rows(write(tmp_path / "a.mmdb", {"0.0.0.0/24": NETWORK}), DatabaseKind.ANNOUNCED)
