"""The tables of enrichment."""

import numpy as np
import pytest

from pipeline import schema
from pipeline.enrich import geo, tables

UK, PRIVATE = 0xC13E0001, 0x0A000001


def test_locations_follow_the_schema() -> None:
    """Each distinct address has one row, in order, with the schema's columns and the databases' builds."""
    places = geo.load()
    found = tables.locations(np.array([UK, PRIVATE, UK], np.uint32), places)
    assert found.schema.equals(schema.table("locations").arrow, check_metadata=True)
    assert found["ip"].to_pylist() == [PRIVATE, UK] and found["country"].to_pylist() == [None, "GB"]
    assert set(found["country_source"].to_pylist()) == {places.source}


def test_pieces_are_the_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces have each address once, in order, with at most PIECE addresses; for none there is one empty piece."""
    monkeypatch.setattr(tables, "PIECE", 3)
    found = list(tables.pieces(np.array([9, 1, 5, 1, 7, 3, 9], np.uint32)))
    assert [piece.tolist() for piece in found] == [[1, 3, 5], [7, 9]]
    assert [piece.tolist() for piece in tables.pieces(np.array([], np.uint32))] == [[]]


def test_a_second_database_stands_beside_the_first() -> None:
    """Both databases give an address's country and count the space, each by itself, and are named."""
    one, two = geo.load(), geo.load(geo.SECOND)
    found = tables.locations(np.array([UK, PRIVATE], np.uint32), one, second_country_db=two).to_pylist()
    assert [row["country_second"] for row in found] == [None, "GB"] and found[0]["second_source"] == two.source
    first, last = np.array([0], np.uint32), np.array([2**32 - 1], np.uint32)
    counted = tables.coverage(first, last, one, two)
    for column, places in (("addresses", one), ("addresses_second", two)):
        rows = zip(counted["country"].to_pylist(), counted[column].to_pylist(), strict=True)
        assert {country: size for country, size in rows if size} == places.coverage(first, last)
    assert set(tables.coverage(first, last, one)["addresses_second"].to_pylist()) == {None}


def test_coverage_follows_the_schema() -> None:
    """Countries are sorted, null last, and add up to the target space."""
    first, last = np.array([PRIVATE, UK], np.uint32), np.array([PRIVATE + 9, UK + 4], np.uint32)
    found = tables.coverage(first, last, geo.load())
    assert found.schema.equals(schema.table("coverage").arrow, check_metadata=True)
    assert found["country"].to_pylist() == ["GB", None] and found["addresses"].to_pylist() == [5, 10]
