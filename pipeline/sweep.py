"""The steps of a sweep as plain functions: what the command line and the flow call. None of them knows Prefect."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline import config, guard, network, own, quarantine, register, schema, version
from pipeline.config import Config, IdentitySection
from pipeline.crew import Crew
from pipeline.enrich import atlas, fingerprints, geo, kinds, method, offer, owner, ruleset, systems, tables
from pipeline.enrich.fingerprints import Asked
from pipeline.enrich.partition import Addresses
from pipeline.errors import CensusError, GuardError, InputError
from pipeline.lake import forms, harm, parts, receipts, remaining, store, verify
from pipeline.lake.store import Place, Sweep
from pipeline.publish import marts
from pipeline.space import listing
from pipeline.space import plan as planning
from pipeline.space.plan import KINDS, Plan
from pipeline.space.ranges import Ranges
from pipeline.stages.setting import Remote
from pipeline.wire import outgoing
from pipeline.wire.capabilities import PROPOSED

#: Finds the sweep of a series in a lake that is to be resumed, if there is one.
Resumed = Callable[[Place, str], Sweep | None]
#: The last of the tables that enriching makes.
ENRICHED = "methods"


def freeze(path: Path, lake: Place | None = None, *, change: Callable[[Config], Config] = lambda same: same) -> Plan:
    """Fix the plan of a configuration file, changed or not, for a lake (its own if none is given). Raises InputError."""
    settings = change(config.load(path))
    base = path.parent
    country, asn = ((base / name).resolve() if name else None for name in (settings.geo.country, settings.geo.asn))
    named = register.resolve(settings.optout.register, base)
    try:
        plan = planning.freeze(
            settings,
            base,
            created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            code_version=version.code(),
            requests=_requests(settings.identity, settings.sweep.profile),
            atlas=atlas.load(country, asn),
            register=named,
            opted_out=register.opted_out(named, lake or store.at(settings.lake.url)),
            own=own.read(settings.own, base),
        )
    except InputError as error:
        raise InputError(f"{path}, {error.where}", error.reason) from None
    _require_own(plan)
    return plan


def _requests(identity: IdentitySection, profile: str) -> dict[str, str]:
    """What this version would send under an identity and a profile."""
    class_uid = outgoing.class_uid(identity.url)
    proposed = [each.uid for each in PROPOSED] if profile == "capabilities" else [outgoing.VERIFICATION]
    return outgoing.encode(calling_ae=identity.ae_title, class_uid=class_uid, proposed=proposed).to_json()


def _require_own(plan: Plan) -> None:
    """Raise GuardError if a profile that is for one's own ranges goes beyond them."""
    if plan.settings.profile == "capabilities":
        own.require(plan.own, Ranges.of(plan.ranges), "the profile `capabilities`")


def read(path: Place) -> Plan:
    """Read a plan that was frozen before. Raises InputError or GuardError."""
    try:
        return planning.decode(path.read_bytes(), str(path))
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror or 'there is no such object'}") from None


def check(plan: Plan) -> None:
    """Refuse a plan that this program or this place must not run. Raises GuardError; looks up no interface."""
    guard.require_authorised(plan.identity)
    require_fit(plan)


def require_fit(plan: Plan) -> None:
    """Refuse a plan that this program must not run anywhere. Raises GuardError."""
    _require_own(plan)
    if count := planning.barred(plan).count:
        raise GuardError(
            f"the plan holds {count:,} addresses that this program never probes (field ranges); plan again"
        )
    ours = _requests(plan.identity, plan.settings.profile)
    here = {
        "code_version": (plan.code_version, version.code()),
        **{f"requests.{name}": (plan.requests.get(name), ours.get(name)) for name in sorted(plan.requests | ours)},
        "digests.special_purpose": (plan.digests.special_purpose, listing.special_purpose().ranges.digest),
        "digests.never_touch": (plan.digests.never_touch, listing.never_touch().ranges.digest),
    }
    for field, (planned, known) in here.items():
        if planned != known:
            raise GuardError(
                f"the plan does not fit this program (field {field}): the plan has {planned}, this program {known}; "
                "run it with the program that froze it, or plan again"
            )


def findable(plan: Plan) -> Iterator[str]:
    """Yield what the measured would not find out about who measures. Raises GuardError if the plan is strict about it.

    A testbed that is closed has nobody who could look; there it is checked only if the plan names a resolver.
    """
    from pipeline.attribution import check as checking

    if guard.in_closed_testbed() and not plan.identity.resolver:
        return
    sources = plan.probe.sources or (guard.at_vantage(network.next_hop).source,)
    found = list(checking.findings(plan.identity, *sources))
    if found and plan.identity.strict:
        raise GuardError(f"nothing is sent, since identity.strict is set: {'; '.join(found)}")
    yield from found


def begin(plan: Plan, lake: Place) -> Sweep:
    """Put the plan into the lake, where its register is readable. Raises InputError if it is not, and GuardError if
    another plan stands there under this name.
    """
    register.begin(plan.register, lake)
    place = Sweep(lake, plan.sweep)
    if not store.write(place.plan, planning.encode(plan), new=True):
        field = next(planning.differences(plan, read(place.plan)), None)
        if field:
            raise GuardError(f"{place.plan}: another plan of this name was begun here (field {field})")
    return place


def prepare(source: str, lake: Place | None = None, resume: Resumed | None = None) -> tuple[Plan, Place]:
    """The plan of a configuration or plan file, and the lake that it goes to; of the sweep that is to be resumed, if `resume`
    finds one of the series.
    """
    if source.endswith(".json"):
        return read(store.at(source)), lake or store.at("lake")
    loaded = config.load(Path(source))
    folder = lake or store.at(loaded.lake.url)
    begun = resume(folder, loaded.sweep.name) if resume else None
    return (read(begun.plan) if begun else freeze(Path(source), folder)), folder


def latest(lake: Place, name: str) -> Sweep | None:
    """The latest sweep of a series that is not sealed, if there is one."""
    open_ = [place for place in _series(lake, name) if not place.sealed("sweeps").exists()]
    return open_[-1] if open_ else None


def unfinished(lake: Place, name: str) -> Sweep | None:
    """The latest sweep of a series that is not sealed, or the last one of all if it is sealed and not enriched."""
    last = _series(lake, name)[-1:]
    return latest(lake, name) or next((place for place in last if not place.sealed(ENRICHED).exists()), None)


def _series(lake: Place, name: str) -> list[Sweep]:
    """The sweeps of a series, oldest first."""
    return [s for s in store.sweeps(lake) if s.id.partition("-")[2] == name] if (lake / "plans").is_dir() else []


def sealed(lake: Place, sweep: str | None = None) -> Sweep:
    """The named sweep, or the latest that is sealed. Raises InputError if there is none."""
    found = [place for place in store.sweeps(lake) if place.sealed("sweeps").exists() and sweep in (None, place.id)]
    if not found:
        which = f" {sweep}" if sweep else ""
        raise InputError(str(lake), f"holds no sealed sweep{which}; `census status` tells how it is")
    return found[-1]


def missing(plan: Plan, place: Sweep) -> bool:
    """Whether some range has no receipt."""
    return bool(remaining.due(plan, place, plan.walk()))


def work(plan: Plan, place: Sweep, *, pcap: Path | None = None, remotes: tuple[Remote, ...] = ()) -> int:
    """Run every range that is missing; how many that were. With `pcap`, keep every validated answer in that file; with
    `remotes`, let associators on other machines take their part of the visits.

    Ends when nothing is missing: it waits for the shards that other places have, and takes over those of the dead.
    """
    check(plan)
    with Crew(plan, place, pcap=pcap, remotes=remotes) as crew:
        ranges = crew.work()
    rest(plan, place)
    return ranges


def rest(plan: Plan, place: Sweep) -> list[str]:
    """Quarantine the hosts that fell silent after a visit; those that were not quarantined already."""
    if plan.harm is None:
        return []
    silent = harm.fallen(place)["ip"].to_pylist()
    return quarantine.add(register.of(plan.register, place.lake), silent, place.id)


def require_verified(plan: Plan, place: Sweep) -> None:
    """Raise CensusError naming the first thing that does not add up."""
    fault = next(verify.faults(place, plan), None)
    if fault:
        raise CensusError(f"does not add up: {fault.where} {fault.what}")


def seal(plan: Plan, place: Sweep) -> None:
    """Compact a verified sweep into its sorted tables."""
    verify.seal(place, plan, sealed_at=time.time_ns() // 1000, code_version=version.code())


def enrich(plan: Plan, place: Sweep, second: Path = geo.SECOND) -> None:
    """Place the addresses that answered, by a second database too, count those that were asked, judge what they said, and
    build the sweep's marts. Raises InputError or GuardError.
    """
    databases, beside = _databases(plan), geo.load(second)
    places, announced = databases.places, databases.announced
    kind = kinds.load(places, announced, owner.load()) if announced else None
    ranges = Ranges.of(plan.ranges)
    answered = np.asarray(rows(place, "responses", ["ip"])["ip"], dtype=np.uint32)

    def located(ips: Addresses) -> pa.Table:
        return tables.locations(ips, places, announced, second=beside, kinds=kind)

    parts.write_pieces(
        place.sealed("locations"), map(located, tables.pieces(answered)), "locations", place.id, digest=plan.digest
    )
    first, last = ranges.first.astype(np.uint32), ranges.last.astype(np.uint32)
    _derive(plan, place, "coverage", tables.coverage(first, last, places, beside))
    _derive(plan, place, "network_coverage", kind.coverage(first, last) if kind else _none("network_coverage"))
    asked = Asked(
        offer=offer.offer(bytes.fromhex(plan.requests["request"])),
        space=ranges,
        share=plan.sampled_addresses / plan.addresses,
        answered=answered,
        controls=np.asarray(rows(place, "controls", ["ip"])["ip"], dtype=np.uint32),
    )
    _judge(plan, place, asked, located)
    _derive(plan, place, "space", method.space(ranges))
    _derive(plan, place, "methods", _method(plan, ranges))
    marts.build(place)


def _method(plan: Plan, ranges: Ranges) -> pa.Table:
    asked = plan.settings
    return method.methods(
        plan.digest, plan.requests, ranges, profile=asked.profile, ports=asked.ports, engine=KINDS[plan.probe.engine]
    )


def _judge(plan: Plan, place: Sweep, asked: Asked, located: Callable[[Addresses], pa.Table]) -> None:
    """Say of those that spoke DICOM who they are, whose, and which are one system."""
    associations, shown = rows(place, "associations"), rows(place, "tls")
    found = located(np.asarray(associations["ip"], dtype=np.uint32))
    judged = fingerprints.fingerprints(associations, asked, ruleset.load())
    _derive(plan, place, "fingerprints", judged)
    names = rows(place, "host_names", ["ip", "names"])
    _derive(plan, place, "owners", owner.owners(associations["ip"], found, shown, names, owner.load()))
    _derive(plan, place, "systems", systems.systems(associations, judged, found, shown))


def _derive(plan: Plan, place: Sweep, table: str, rows: pa.Table) -> None:
    """Write a table that can be made again from the sweep's facts."""
    parts.write(place.sealed(table), parts.tidy([rows], table), table, place.id, digest=plan.digest)


def _databases(plan: Plan) -> atlas.Atlas:
    """The databases that the plan names. Raises GuardError if one has changed since."""
    paths = (Path(name) if name else None for name in (plan.reference.country, plan.reference.asn))
    found = atlas.load(*paths)
    for field in ("country_digest", "asn_digest"):
        if getattr(found.reference, field) != getattr(plan.reference, field):
            name = plan.reference.country_source if field == "country_digest" else plan.reference.asn_source
            raise GuardError(f"the plan was frozen with another database (field reference.{field}): {name}")
    return found


def rows(place: Sweep, table: str, columns: Sequence[str] = ()) -> pa.Table:
    """A table of the sweep as today's, from the sealed file or from the parts, whichever version wrote them."""
    found = [forms.read(file, table, columns) for file in receipts.files(place, table)]
    return pa.concat_tables([forms.today(_none(table), table, columns), *found], promote_options="permissive")


def _none(table: str) -> pa.Table:
    return schema.table(table).arrow.empty_table()
