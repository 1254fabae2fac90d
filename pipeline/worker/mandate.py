"""The mandate: what a worker may do by its plan. It is proved in every process of a worker, and again before each range.

The lake that a plan is read from may be another machine's, and may have been changed there. So nothing in a plan is taken on trust:
the lab's key has signed it, and what was checked when it was frozen is checked again here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray

from pipeline.config.sections import CompanionsSection
from pipeline.errors import GuardError
from pipeline.guard import sockets
from pipeline.lab import key
from pipeline.lake.layout import Sweep
from pipeline.plan import plan as planning
from pipeline.plan import terms, timing
from pipeline.plan.plan import Plan
from pipeline.record.rounds import Round
from pipeline.space import blocklist, caps, signed
from pipeline.space.ranges import Ranges
from pipeline.space.shard import Range
from pipeline.words.plural import plural
from pipeline.worker.control_targets import targets

#: Addresses and ports, of shape (n,) each.
Targets = tuple[NDArray[np.integer], NDArray[np.integer]]
#: The least time between two companion SYNs to one address outside of a testbed, in seconds.
COMPANIONS_APART = 60.0
#: What is needed for a plan without a signature.
UNSIGNED = (
    "the plan is not signed, as no plan of earlier versions is: it can be verified, sealed and reported, but nobody can say whether "
    "it is as it was frozen, so it is not run; plan again"
)


def require(plan: Plan) -> None:
    """Refuse a plan that is not the lab's, or whose content no plan may have. Raises GuardError. Sends nothing."""
    _require_signature(plan)
    if planning.digest(plan) != plan.digest:
        raise GuardError("the plan does not add up (field digest): it was changed after it was frozen; plan again")
    for field, reason in _faults(plan):
        raise GuardError(f"the plan {reason} (field {field}); plan again")
    require_terms(plan)
    if plan.settings.profile.needs_signature:
        signed.require(plan.signed_ranges, Ranges.of(plan.ranges), f"the profile `{plan.settings.profile}`")


def require_apart(companions: CompanionsSection) -> None:
    """Refuse companion SYNs that follow one another too closely, except in a testbed. Raises GuardError."""
    apart = timing.companions_apart(companions)
    if apart < COMPANIONS_APART and not sockets.in_closed_testbed():
        least = COMPANIONS_APART * len(companions.ports)
        raise GuardError(
            f"companions.delay = {companions.delay:g} would send an address a companion SYN every {apart:.3g} s: outside "
            f"of a testbed they are {COMPANIONS_APART:g} s apart at least, lest they look like a scan; set it to {least:g} or more"
        )


def require_terms(plan: Plan) -> None:
    """Refuse a plan whose signed ranges were not signed for it, or not for today. Raises GuardError."""
    if plan.signed_ranges is None:
        return
    blocklist.require_ownable(signed.verified(plan.signed_ranges))
    terms.read(plan.signed_ranges.ranges).require(
        owner=plan.signed_ranges.owner,
        auditor=plan.identity.contact,
        profile=plan.settings.profile,
        today=datetime.now(UTC).date(),
    )


def _require_signature(plan: Plan) -> None:
    if plan.signature is None:
        raise GuardError(UNSIGNED)
    key.require(plan.signature, planning.PURPOSE, plan.digest.encode(), f"the plan of {plan.sweep}")


def _faults(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield what no plan that was frozen here has: the field, and what it says."""
    if count := planning.blocklisted(plan).count:
        yield "ranges", f"has {plural(count, 'address', 'addresses')} that this program never probes"
    if Ranges.of(plan.ranges).intersect(Ranges.of(plan.forbidden)).count:
        yield "forbidden", "probes addresses that it excludes"
    if plan.settings.rate > plan.pace.requested:
        yield "settings.rate", "has a higher rate than was requested"
    cap = plan.caps.per_slash24_hour
    if cap and not caps.is_kept(cap, caps.slash24(Ranges.of(plan.ranges)), plan.load):
        yield "caps.per_slash24_hour", "breaks its own cap"
    addresses = np.array([address for address, _ in targets(plan.control)], dtype=np.int64)
    if blocklist.ranges(None, Ranges.of(())).contains(addresses).any():
        yield "control.targets", "has a control target that is never probed"


@dataclass(frozen=True, slots=True)
class Mandate:
    """What may be done by the plan of a sweep, which `require` has proved in this process."""

    sweep: Sweep
    rounds: frozenset[Round]
    visited_ports: frozenset[int]
    """The ports whose targets associators visit in the round of probes."""
    until: date = date.max
    """The last day of the owner's signature, if the plan has one."""

    @classmethod
    def proved(cls, sweep: Sweep) -> "Mandate":
        """Prove the plan of a sweep, and return what may be done by it. Raises GuardError."""
        require(sweep.plan)
        return cls.of(sweep)

    @classmethod
    def of(cls, sweep: Sweep) -> "Mandate":
        """Return the mandate of a sweep's plan."""
        plan = sweep.plan
        rounds = [Round.PROBES]
        rounds += [Round.SECOND_VISITS] if plan.settings.profile.makes_second_visits else []
        rounds += [Round.HARM_CHECKS] if plan.harm else []
        all_ports = plan.settings.profile.proposes_capabilities or plan.loss.sample > 0
        handed_on = plan.settings.ports if all_ports else plan.tls.ports
        until = terms.read(plan.signed_ranges.ranges).until if plan.signed_ranges else date.max
        return cls(sweep, frozenset(rounds), frozenset(handed_on), until)

    def require_assigned(self, range_: Range, *, of_probes: bool) -> None:
        """Prove before a range is assigned that the plan has it; one of a later round has bounds of its own."""
        bounds = (range_.first_index, range_.last_index) if of_probes else None
        self.require_range(range_.shard, range_.number, bounds)

    def require_range(self, shard: int, number: int, bounds: tuple[int, int] | None = None) -> None:
        """Prove before a range that the plan is still signed by a key that is trusted, and has this range.

        A range of probes has these `bounds`, its first and last index; without them it is one of a later round.
        """
        _require_signature(self.sweep.plan)
        if datetime.now(UTC).date() > self.until:
            require_terms(self.sweep.plan)
        walk = self.sweep.walk
        if not 0 <= shard < walk.shards:
            raise GuardError(f"the plan has no shard {shard}; nothing was sent for it")
        if bounds is None:
            return
        first = number * walk.range_targets
        start, end = walk.bounds(shard)
        last = min(first + walk.range_targets, (end - start) * len(walk.ports)) - 1
        if number < 0 or bounds != (first, last):
            raise GuardError(f"the plan has no range {number} of shard {shard} as it was handed out; nothing was sent")

    def require_visits(self, round_: Round, shard: int, number: int, targets: Targets) -> None:
        """Prove before visits that the plan has these targets in this range of this round. Raises GuardError.

        Targets are addresses and ports, of shape (n,) each.
        """
        if not self.allows(round_, shard, number, targets).all():
            raise GuardError("a target is not one that the plan visits in this range; nothing was sent to it")

    def allows(self, round_: Round, shard: int, number: int, targets: Targets) -> NDArray[np.bool_]:
        """Return which targets the plan lets an associator visit in a range; shape (n,)."""
        walk, (addresses, ports) = self.sweep.walk, targets
        if round_ not in self.rounds or not 0 <= shard < walk.shards:
            return np.zeros(len(addresses), dtype=np.bool_)
        of_shard, local = walk.locate(addresses, ports)
        allowed: NDArray[np.bool_] = of_shard == shard
        of_probes = int(walk.range_counts[shard])
        if round_ is Round.PROBES:
            allowed &= (local // walk.range_targets == number) & np.isin(ports, list(self.visited_ports))
        elif round_ is Round.SECOND_VISITS:
            allowed &= number == of_probes
        else:
            checked = number - of_probes - 1  # the number of the range whose visits are checked
            allowed &= (local // walk.range_targets == checked) | (checked == of_probes)
        return allowed
