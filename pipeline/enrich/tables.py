"""The two tables that enrichment adds to a sweep: where its responsive addresses are, and the denominators."""

import numpy as np
import pyarrow as pa

from pipeline import schema
from pipeline.enrich.geo import Places
from pipeline.enrich.network import Networks
from pipeline.enrich.partition import Addresses


def locations(ips: Addresses, places: Places, networks: Networks | None = None) -> pa.Table:
    """One row for each distinct address, sorted: country, network, and the databases that say so."""
    distinct = np.unique(ips).astype(np.uint32)
    size = len(distinct)
    asns, holders = (
        networks.lookup(distinct) if networks else (pa.nulls(size, pa.uint32()), pa.nulls(size, pa.string()))
    )
    return pa.table(
        {
            "ip": pa.array(distinct),
            "country": places.countries(distinct),
            "asn": asns,
            "organisation": holders,
            "country_source": pa.array([places.source] * size, pa.string()),
            "asn_source": pa.array([networks.source if networks else None] * size, pa.string()),
        },
        schema=schema.table("locations").arrow,
    )


def coverage(first: Addresses, last: Addresses, places: Places) -> pa.Table:
    """One row for each country of the target space (null: not placed), with its number of addresses."""
    counts = sorted(places.coverage(first, last).items(), key=lambda item: (item[0] is None, item[0] or ""))
    return pa.table(
        {
            "country": pa.array([country for country, _ in counts], pa.string()),
            "addresses": pa.array([addresses for _, addresses in counts], pa.uint64()),
            "country_source": pa.array([places.source] * len(counts), pa.string()),
        },
        schema=schema.table("coverage").arrow,
    )
