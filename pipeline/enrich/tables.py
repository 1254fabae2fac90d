"""Tables that enrichment adds to a sweep: the location of each responsive address, and the probed addresses per country."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from pipeline import schema
from pipeline.enrich.announcements import NetworkDatabase
from pipeline.enrich.geo import CountryDatabase
from pipeline.enrich.network_kinds import NetworkKinds
from pipeline.enrich.partition import Addresses, distinct

#: Addresses looked up at a time; their rows take about 300 MB.
PIECE = 1 << 20


def pieces(ips: Addresses) -> Iterator[Addresses]:
    """The distinct addresses in order, in pieces whose rows fit into memory; at least one piece."""
    ordered = distinct(ips)
    yield from (ordered[start : start + PIECE] for start in range(0, max(ordered.size, 1), PIECE))


def locations(
    ips: Addresses,
    country_db: CountryDatabase,
    network_db: NetworkDatabase | None = None,
    *,
    second_country_db: CountryDatabase | None = None,
    kinds: NetworkKinds | None = None,
) -> pa.Table:
    """One row for each distinct address, sorted: country by one or two databases, network, and the databases' builds."""
    ordered = distinct(ips)
    size = ordered.size
    nothing = pa.nulls(size, pa.string())
    asns, holders = network_db.lookup(ordered) if network_db else (pa.nulls(size, pa.uint32()), nothing)
    kind, rule = kinds.lookup(ordered) if kinds else (nothing, nothing)
    return pa.table(
        {
            "ip": pa.array(ordered),
            "country": country_db.countries(ordered),
            "asn": asns,
            "organisation": holders,
            "country_source": _repeated(country_db.source, size),
            "asn_source": _repeated(network_db.source, size) if network_db else nothing,
            "country_second": second_country_db.countries(ordered) if second_country_db else nothing,
            "second_source": _repeated(second_country_db.source, size) if second_country_db else nothing,
            "network_kind": kind,
            "network_rule": rule,
        },
        schema=schema.table("locations").arrow,
    )


def coverage(
    first: Addresses, last: Addresses, country_db: CountryDatabase, second_country_db: CountryDatabase | None = None
) -> pa.Table:
    """One row for each country of the target space by either database (null: no country), with its number of addresses."""
    addresses = country_db.coverage(first, last)
    addresses_second = second_country_db.coverage(first, last) if second_country_db else {}
    countries = sorted({*addresses, *addresses_second}, key=lambda country: (country is None, country or ""))
    return pa.table(
        {
            "country": pa.array(countries, pa.string()),
            "addresses": pa.array([addresses.get(country, 0) for country in countries], pa.uint64()),
            "country_source": pa.array([country_db.source] * len(countries), pa.string()),
            "addresses_second": pa.array(
                [addresses_second.get(c, 0) if second_country_db else None for c in countries], pa.uint64()
            ),
            "second_source": pa.array(
                [second_country_db.source if second_country_db else None] * len(countries), pa.string()
            ),
        },
        schema=schema.table("coverage").arrow,
    )


def _repeated(text: str, size: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(size, np.int32)), pa.array([text])).cast(pa.string())
