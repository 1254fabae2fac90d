"""Tables that enrichment adds to a sweep: where its responsive addresses are, and how many of each country were asked."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from pipeline import schema
from pipeline.enrich.announcements import Networks
from pipeline.enrich.geo import Places
from pipeline.enrich.network_kinds import Kinds
from pipeline.enrich.partition import Addresses, distinct

#: Addresses that are placed at once; so many rows take some 300 MB.
PIECE = 1 << 20


def pieces(ips: Addresses) -> Iterator[Addresses]:
    """The distinct addresses in order, so many at a time that their rows fit into memory; at least one piece."""
    ordered = distinct(ips)
    yield from (ordered[start : start + PIECE] for start in range(0, max(ordered.size, 1), PIECE))


def locations(
    ips: Addresses,
    places: Places,
    networks: Networks | None = None,
    *,
    second: Places | None = None,
    kinds: Kinds | None = None,
) -> pa.Table:
    """One row for each distinct address, sorted: country by one or two databases, network, and the databases that say so."""
    ordered = distinct(ips)
    size = ordered.size
    nothing = pa.nulls(size, pa.string())
    asns, holders = networks.lookup(ordered) if networks else (pa.nulls(size, pa.uint32()), nothing)
    kind, rule = kinds.lookup(ordered) if kinds else (nothing, nothing)
    return pa.table(
        {
            "ip": pa.array(ordered),
            "country": places.countries(ordered),
            "asn": asns,
            "organisation": holders,
            "country_source": _repeated(places.source, size),
            "asn_source": _repeated(networks.source, size) if networks else nothing,
            "country_second": second.countries(ordered) if second else nothing,
            "second_source": _repeated(second.source, size) if second else nothing,
            "network_kind": kind,
            "network_rule": rule,
        },
        schema=schema.table("locations").arrow,
    )


def coverage(first: Addresses, last: Addresses, places: Places, second: Places | None = None) -> pa.Table:
    """One row for each country of the target space by either database (null: not placed), with its number of addresses."""
    one = places.coverage(first, last)
    other = second.coverage(first, last) if second else {}
    named = sorted({*one, *other}, key=lambda country: (country is None, country or ""))
    return pa.table(
        {
            "country": pa.array(named, pa.string()),
            "addresses": pa.array([one.get(country, 0) for country in named], pa.uint64()),
            "country_source": pa.array([places.source] * len(named), pa.string()),
            "addresses_second": pa.array([other.get(c, 0) if second else None for c in named], pa.uint64()),
            "second_source": pa.array([second.source if second else None] * len(named), pa.string()),
        },
        schema=schema.table("coverage").arrow,
    )


def _repeated(text: str, size: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(size, np.int32)), pa.array([text])).cast(pa.string())
