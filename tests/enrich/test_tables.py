"""The tables of enrichment."""

import numpy as np

from pipeline import schema
from pipeline.enrich import geo, tables

UK, PRIVATE = 0xC13E0001, 0x0A000001


def test_locations_follow_the_schema() -> None:
    """Each distinct address stands once, sorted, in the columns of the contract, with the database that placed it."""
    places = geo.load()
    found = tables.locations(np.array([UK, PRIVATE, UK], np.uint32), places)
    assert found.schema.equals(schema.table("locations").arrow, check_metadata=True)
    assert found["ip"].to_pylist() == [PRIVATE, UK] and found["country"].to_pylist() == [None, "GB"]
    assert set(found["country_source"].to_pylist()) == {places.source}


def test_coverage_follows_the_schema() -> None:
    """Countries stand sorted, the unplaced last, and add up to the target space."""
    first, last = np.array([PRIVATE, UK], np.uint32), np.array([PRIVATE + 9, UK + 4], np.uint32)
    found = tables.coverage(first, last, geo.load())
    assert found.schema.equals(schema.table("coverage").arrow, check_metadata=True)
    assert found["country"].to_pylist() == ["GB", None] and found["addresses"].to_pylist() == [5, 10]
