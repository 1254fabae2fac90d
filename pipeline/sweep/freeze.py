"""Freeze a plan, and check a plan before it is run."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from pipeline import checkout
from pipeline.config.load import load_config
from pipeline.config.sections import Config, IdentitySection, Profile
from pipeline.config.toml_file import NONE, Overrides
from pipeline.enrich import databases as atlas
from pipeline.errors import GuardError, InputError
from pipeline.guard import sockets
from pipeline.lab import key
from pipeline.lake import store
from pipeline.lake.store import Location
from pipeline.optout import register
from pipeline.plan import freezing, own_ranges
from pipeline.plan import plan as planning
from pipeline.plan import vantage_plans as visibility_plans
from pipeline.plan.freezing import FromLake, OptOuts, Provenance
from pipeline.plan.plan import Plan
from pipeline.space import blocklist, signed
from pipeline.space.ranges import Ranges
from pipeline.sweep import whole_sweeps
from pipeline.wire import outgoing
from pipeline.wire.capabilities import PROPOSALS
from pipeline.worker import mandate, remarks


def freeze(
    path: Path,
    lake: Location | None = None,
    *,
    overrides: Overrides = NONE,
    change: Callable[[Config], Config] = lambda same: same,
) -> Plan:
    """Freeze the plan of a configuration file for a lake, by default the one that it names. Raises InputError or GuardError.

    `overrides` are keys that the command line gives; `change` may replace settings after that.
    """
    settings = change(load_config(path, overrides))
    base = path.parent
    geo = (settings.geo.country, settings.geo.asn, settings.geo.announced)
    paths = [(base / name).resolve() if name else None for name in geo]
    named = register.resolve(settings.optout.register, base)
    target = lake or store.at(settings.lake.url)
    try:
        plan = freezing.freeze(
            settings,
            base,
            _provenance(settings),
            atlas.load(*paths),
            lake=FromLake(OptOuts(named, register.opted_out(named, target)), whole_sweeps.last(settings, target)),
            signed=own_ranges.read(settings.own, base),
        )
    except InputError as error:
        raise InputError(f"{path}, {error.where}", error.reason) from None
    _require_own(plan)
    mandate.require_terms(plan)
    return sign_plan(plan)


def sign_plan(plan: Plan) -> Plan:
    """Return a plan with its digest, and with the signature of the lab's key over it. Raises InputError if there can be no key."""
    digest = planning.digest(plan)
    signature = key.load().sign(planning.PURPOSE, digest.encode())
    return msgspec.structs.replace(plan, digest=digest, signature=signature)


def vantage_plans(plan: Plan) -> list[Plan]:
    """Return the plan of each vantage for a plan's visibility sample, signed; none without such a sample. Raises InputError."""
    return [sign_plan(own) for own in visibility_plans.vantage_plans(plan)]


def _provenance(settings: Config) -> Provenance:
    """Return the time, the version of this program, and the requests that it would send."""
    requests = _requests(settings.identity, settings.sweep.profile)
    return Provenance(datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), checkout.code(), requests)


def _requests(identity: IdentitySection, profile: Profile) -> dict[str, str]:
    """Return the requests that this version would send under an identity and a profile."""
    class_uid = outgoing.class_uid(identity.url)
    proposed = [proposal.uid for proposal in PROPOSALS] if profile.proposes_capabilities else [outgoing.VERIFICATION]
    return outgoing.encode(calling_ae=identity.ae_title, class_uid=class_uid, proposed=proposed).to_json()


def _require_own(plan: Plan) -> None:
    """Raise GuardError if the profile needs signed ranges and the plan goes beyond them."""
    if plan.settings.profile.needs_signature:
        signed.require(plan.signed_ranges, Ranges.of(plan.ranges), f"the profile `{plan.settings.profile}`")


def check(plan: Plan) -> None:
    """Refuse a plan that this program must not run, or not on this machine. Raises GuardError. Reads no interface."""
    sockets.require_authorised(plan.identity)
    mandate.require_apart(plan.companions)
    require_fit(plan)


def require_fit(plan: Plan) -> None:
    """Refuse a plan that this program must not run anywhere. Raises GuardError."""
    _require_own(plan)
    ours = _requests(plan.identity, plan.settings.profile)
    here = {
        "code_version": (plan.code_version, checkout.code()),
        **{f"requests.{name}": (plan.requests.get(name), ours.get(name)) for name in sorted(plan.requests | ours)},
        "digests.special_purpose": (plan.digests.special_purpose, blocklist.special_purpose().ranges.digest),
        "digests.never_touch": (plan.digests.never_touch, blocklist.never_touch().ranges.digest),
    }
    for field, (planned, known) in here.items():
        if planned != known:
            raise GuardError(
                f"the plan does not fit this program (field {field}): the plan has {planned}, this program {known}; "
                "run it with the program that froze it, or plan again"
            )
    mandate.require(plan)


def warnings(plan: Plan, announce: Callable[[str], None]) -> Iterator[str]:
    """Yield what is not as it should be at this vantage, before the first packet. Reads interfaces and routes; sends no probe.

    What scanned networks would not find out about who scans them comes first. Before lookups that may take seconds, `announce` gets a
    line that says so. Raises GuardError if the plan is strict about what is found, and InputError if this machine cannot send it.
    The plan has the engine that it runs with here (`engine_choice.choose`).
    """
    findings = [*remarks.unnamed(plan), *_not_findable(plan, announce)]
    if findings and plan.identity.strict:
        raise GuardError(f"nothing is sent, since identity.strict is set: {'; '.join(findings)}")
    yield from findings
    yield from remarks.crowded(plan)


def _not_findable(plan: Plan, announce: Callable[[str], None]) -> Iterator[str]:
    """Yield what scanned networks would not find. A testbed that is closed has nobody who looks, unless the plan names a resolver."""
    from pipeline.attribution import check as checking

    if sockets.in_closed_testbed() and not plan.identity.resolver:
        return
    checked = remarks.published(plan)
    announce(checking.announcement(plan.identity, *checked))
    yield from checking.findings(plan.identity, *checked)
