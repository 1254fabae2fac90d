"""Enrich a sealed sweep: countries, networks, identities, owners and systems, then its marts."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.engines import Engine
from pipeline.enrich import databases, fingerprints, geo, method, network_kinds, offer, owner, ruleset, systems, tables
from pipeline.enrich.fingerprints import SweepContext
from pipeline.enrich.partition import Addresses
from pipeline.errors import GuardError, InputError
from pipeline.lake import attestation, parts, store, turn
from pipeline.lake.layout import Sweep
from pipeline.lake.read import empty, rows
from pipeline.optout import register
from pipeline.optout.withheld import withheld
from pipeline.plan.plan import Plan
from pipeline.space.ranges import Ranges
from pipeline.views import linked_marts, marts
from pipeline.words.plural import plural

#: The tables that enriching derives.
DERIVED = (
    "locations", "coverage", "network_coverage", "fingerprints", "owners", "systems", "space", "withheld",
    "methods",
)  # fmt: skip


def enrich(
    sweep: Sweep,
    second: Path = geo.SECOND,
    *,
    country: Path | None = None,
    asn: Path | None = None,
    message: Callable[[str], object] = lambda _: None,
) -> None:
    """Derive a sealed sweep's tables, build its marts, and sign both. Raises InputError or GuardError.

    `country` and `asn` are where the plan's databases are now, if they were moved; their contents are compared. Raises CensusError
    if the sweep's facts are not as they were signed. While another command derives, it waits, and says so.
    """
    loaded = _databases(sweep.plan, country, asn)
    with turn.of(sweep.paths, message):
        attestation.require(sweep.paths, attestation.input_faults(sweep.paths))
        _derive_all(sweep, loaded, geo.load(second))
        _derive(sweep, "withheld", method.withheld(_withheld(sweep, message)))
        if marts.build(sweep.paths):
            built = store.entries(marts.folder(sweep.paths), "*.parquet")
            built += linked_marts.build(sweep.paths, message)
            attestation.add(sweep.paths, [*map(sweep.paths.sealed, DERIVED), *built], replacing=attestation.MARTS)


def _derive_all(sweep: Sweep, loaded: databases.InstalledDatabases, second_country_db: geo.CountryDatabase) -> None:
    """Derive every table.

    The tables hold the locations of the addresses that answered (by a second country database too), the addresses probed per
    country and network, and the identity, owner and system of each DICOM speaker.
    """
    country_db, network_db = loaded.country_db, loaded.network_db
    kinds = network_kinds.load(country_db, network_db, owner.load()) if network_db else None
    ranges = Ranges.of(sweep.plan.ranges)
    answered = np.asarray(rows(sweep.paths, "responses", ["ip"])["ip"], dtype=np.uint32)

    def located(ips: Addresses) -> pa.Table:
        return tables.locations(ips, country_db, network_db, second_country_db=second_country_db, kinds=kinds)

    parts.write_pieces(
        sweep.paths.sealed("locations"),
        map(located, tables.pieces(answered)),
        "locations",
        sweep.paths.id,
        digest=sweep.plan.digest,
    )
    first, last = ranges.first.astype(np.uint32), ranges.last.astype(np.uint32)
    _derive(sweep, "coverage", tables.coverage(first, last, country_db, second_country_db))
    _derive(sweep, "network_coverage", kinds.coverage(first, last) if kinds else empty("network_coverage"))
    context = SweepContext(
        offer=offer.offer(bytes.fromhex(sweep.plan.requests["request"])),
        space=ranges,
        share=sweep.plan.sampled_addresses / sweep.plan.addresses,
        answered=answered,
        controls=np.asarray(rows(sweep.paths, "controls", ["ip"])["ip"], dtype=np.uint32),
    )
    _judge(sweep, context, located)
    _derive(sweep, "space", method.space(sweep.plan))
    _derive(sweep, "methods", method.methods(sweep.plan, _kinds(sweep)))


def _withheld(sweep: Sweep, message: Callable[[str], object]) -> Ranges:
    """The part of the target space that the register withheld while the sweep ran; none, with a message, if it is not here."""
    times = rows(sweep.paths, "sweeps", ["started_at", "finished_at"]).to_pylist()[0]
    try:
        _, history = register.load(register.of(sweep.plan.register, sweep.paths.lake))
    except InputError as error:
        message(f"{error}; services of opt-outs and quarantines count as missing")
        return Ranges.of(())
    left_alone = withheld(history.events, times["started_at"], times["finished_at"])
    return left_alone.intersect(Ranges.of(sweep.plan.ranges))


def done(sweep: Sweep, second: Path = geo.SECOND) -> Iterator[str]:
    """Yield what enriching has written, and by which databases."""
    placed, judged = (len(rows(sweep.paths, table, ["ip"])) for table in ("locations", "fingerprints"))
    yield (
        f"{sweep.paths.id}: {plural(placed, 'address is', 'addresses are')} placed, {plural(judged, 'conversation')} judged, "
        "and the marts are built"
    )
    reference = sweep.plan.reference
    yield f"countries: {reference.country_source}"
    yield f"countries for comparison: {geo.load(second).source}"
    yield f"networks: {reference.asn_source or 'not known, since the plan has no network database'}"


def _kinds(sweep: Sweep) -> str:
    """The kind of engine that the sweep was done by; of several that were chosen by vantages, all of them."""
    planned = sweep.plan.probe.engine
    if not planned.automatic:
        return planned.kind
    ran = rows(sweep.paths, "receipts", ["engine"])["engine"].unique().drop_null().to_pylist()
    return "+".join(sorted({engine.kind for engine in Engine if engine in ran}))


def _judge(sweep: Sweep, context: SweepContext, located: Callable[[Addresses], pa.Table]) -> None:
    """Identify each DICOM speaker and its owner, and group the services of one system."""
    associations, certificates = rows(sweep.paths, "associations"), rows(sweep.paths, "tls")
    locations = located(np.asarray(associations["ip"], dtype=np.uint32))
    judged = fingerprints.fingerprints(associations, context, ruleset.load())
    _derive(sweep, "fingerprints", judged)
    names = rows(sweep.paths, "host_names", ["ip", "names"])
    _derive(sweep, "owners", owner.owners(associations["ip"], locations, certificates, names, owner.load()))
    _derive(sweep, "systems", systems.systems(associations, judged, locations, certificates))


def _derive(sweep: Sweep, table: str, rows: pa.Table) -> None:
    """Write a table that can be derived again from the sweep's facts."""
    parts.write(sweep.paths.sealed(table), parts.tidy([rows], table), table, sweep.paths.id, digest=sweep.plan.digest)


def _databases(plan: Plan, country: Path | None, asn: Path | None) -> databases.InstalledDatabases:
    """Load the databases that the plan names, from other files if they are given.

    Raises InputError if one is not where the plan says, GuardError if one has other contents than the plan's.
    """
    reference = plan.reference
    planned = {
        "country": (country, reference.country, reference.country_source),
        "asn": (asn, reference.asn, reference.asn_source),
    }
    for option, (given, path, source) in planned.items():
        if not given and path and not Path(path).exists():
            raise InputError(path, f"is gone, and the plan needs it ({source}); say where it is now by --{option} FILE")
    loaded = databases.load(*(given or (Path(path) if path else None) for given, path, _ in planned.values()))
    for option, (_, _, source) in planned.items():
        field = f"{option}_digest"
        if getattr(loaded.reference, field) != getattr(reference, field):
            raise GuardError(
                f"this is not the database that the plan was frozen with (field reference.{field}): {source or 'none'}"
            )
    return loaded
