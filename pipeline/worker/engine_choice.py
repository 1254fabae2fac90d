"""Engine `auto`: the fastest engine that a vantage allows, from a table of what each of them needs.

A frozen plan says `auto`, since local facts belong to the vantage (decision 17). A worker runs the plan that `choose` returns: the
same plan, digest included, with the engine that was chosen. Nothing here sends a packet. Whether frames really leave shows when the
first of them are sent (`pipeline/probe/departure.py`); if they do not, the worker begins again with the next row.
"""

import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from pipeline.engines import Engine
from pipeline.errors import CensusError, InputError
from pipeline.guard import nftables, sockets
from pipeline.guard.link_state import Framing, link_state, mss
from pipeline.plan import plan as planning
from pipeline.plan.plan import Plan
from pipeline.probe.departure import Departure
from pipeline.rings import live_frames, xdp
from pipeline.wire.outgoing import Outgoing
from pipeline.worker import egress
from pipeline.worker.connector import MOST_RATE

#: Why an engine cannot be used; empty if it can. One of a plan gets the plan with that engine.
MachineNeed = Callable[[], str]
PlanNeed = Callable[[Plan], str]


# --- what engines need ---


def _packet_sockets() -> str:
    """Packet sockets may be opened (CAP_NET_RAW)."""
    try:
        sockets.unbound(socket.AF_PACKET).close()
    except OSError as error:
        return f"packet sockets: {error.strerror}"
    return ""


def _one_way(plan: Plan) -> str:
    """All targets leave by a route, and for packet rings by one next hop of a link that they can send on."""
    egress.sources(plan)
    return ""


def _room_for_request(plan: Plan) -> str:
    """Our request fits one packet: packet rings cut none into several."""
    request = Outgoing.from_json(plan.requests, where="plan, requests").request
    for source in egress.sources(plan):
        if len(request) > (room := mss(source.mtu)):
            return f"{source.interface} carries {room} bytes a packet, and our request has {len(request)}"
    return ""


def _ethernet(plan: Plan) -> str:
    """Frames have an Ethernet header."""
    bare = [at.interface for at in egress.sources(plan) if link_state(at.interface).framing is not Framing.ETHERNET]
    return f"frames of {bare[0]} have no Ethernet header" if bare else ""


def _no_bare_syns(plan: Plan) -> str:
    """Nothing is to be sent that opens no conversation."""
    wanted = {
        "[harm]": plan.harm,
        "[companions] ports": plan.companions.ports,
        "[control] targets": plan.control.targets,
    }
    first = next((name for name, value in wanted.items() if value), "")
    return f"{first} needs SYNs without a connection" if first else ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine, what it needs of the machine and of a plan, and how it is proved that its frames leave."""

    engine: Engine
    machine: tuple[MachineNeed, ...] = ()
    plan: tuple[PlanNeed, ...] = ()
    proof: Callable[[str], Departure] | None = None
    """Watches the first frames that leave by an interface; None if the kernel's own connections are used."""
    most_rate: int | None = None
    """The most SYNs a second that it can send; None if only the machine limits it."""
    worth_it: int = 0
    """From this rate on it is chosen: below it the next ones send as well, and are simpler."""

    def why_not(self, plan: Plan | None) -> str:
        """The first need that is not met, in words; empty if all are. Without a plan only the machine is asked."""
        try:
            of_plan = (need(plan) for need in self.plan) if plan else iter(())
            return next(filter(None, [*(need() for need in self.machine)]), "") or next(filter(None, of_plan), "")
        except CensusError as error:
            return str(error)


def _takes_live_frames(plan: Plan) -> str:
    """The drivers of its interfaces take frames from BPF."""
    return next(filter(None, (live_frames.untaken(at.interface) for at in egress.sources(plan))), "")


PACKETS = (_packet_sockets, nftables.usable)
#: The engines among which `auto` chooses, the fastest first.
CANDIDATES = (
    Candidate(
        Engine.XDP_LIVE,
        (*PACKETS, live_frames.unavailable),
        (_one_way, _room_for_request, _ethernet, _takes_live_frames),
        Departure.by_counter,
        worth_it=200_000,
    ),
    Candidate(Engine.XDP, (*PACKETS, xdp.unavailable), (_one_way, _room_for_request, _ethernet), Departure.by_counter),
    Candidate(Engine.RING, PACKETS, (_one_way, _room_for_request), Departure.by_counter),
    Candidate(Engine.CONNECT, (), (_no_bare_syns, _one_way), most_rate=MOST_RATE),
)


def candidate(engine: Engine) -> Candidate:
    """The row of an engine."""
    return next(row for row in CANDIDATES if row.engine is engine)


# --- the choice ---


@dataclass(frozen=True, slots=True)
class Choice:
    """A plan as this vantage runs it, and why each faster engine is not taken."""

    plan: Plan
    passed_over: tuple[tuple[Engine, str], ...] = ()

    @property
    def sentence(self) -> str:
        """Which engine is taken, and why, on one line."""
        engine, rate = self.plan.probe.engine, self.plan.settings.rate
        best = "the fastest" if rate >= CANDIDATES[0].worth_it else f"fast enough for {rate:,} probes/s"
        most = candidate(engine).most_rate
        limit = f"; it sends at most {most:,} of {rate:,} probes/s" if most and most < rate else ""
        why = f", since {reasons(self.passed_over)}" if self.passed_over else f", {best}"
        return f"takes {engine}{why}{limit}"


def choose(plan: Plan, against: Mapping[Engine, str] | None = None) -> Choice:
    """Choose the engine of a plan at this vantage; one that the plan names is taken as it is.

    `against` gives reasons why engines are not taken. Raises InputError if no engine works.
    """
    if not plan.probe.engine.automatic:
        return Choice(plan)
    passed: list[tuple[Engine, str]] = []
    for row in _considered(plan):
        run = planning.with_engine(plan, row.engine)
        reason = (against or {}).get(row.engine) or row.why_not(run)
        if not reason:
            return Choice(run, tuple(passed))
        passed.append((row.engine, reason))
    raise InputError("[probe] engine", f'"{Engine.AUTO}" finds none that works here: {reasons(passed, whole=True)}')


def _considered(plan: Plan) -> list[Candidate]:
    """The rows that are worth it at a plan's rate."""
    return [row for row in CANDIDATES if plan.settings.rate >= row.worth_it]


def without(able: Callable[[Engine], bool], reason: str) -> dict[Engine, str]:
    """The engines that are not able to do something, each with the reason why it is not taken, for `choose`."""
    return {row.engine: reason for row in CANDIDATES if not able(row.engine)}


def of_machine() -> tuple[Candidate, list[tuple[Engine, str]]]:
    """The fastest engine for any rate that this machine and this process's privileges allow, and why none of the faster ones."""
    passed: list[tuple[Engine, str]] = []
    for row in (row for row in CANDIDATES[:-1] if not row.worth_it):
        if not (reason := row.why_not(None)):
            return row, passed
        passed.append((row.engine, reason))
    return CANDIDATES[-1], passed


def preview(plan: Plan) -> tuple[Plan, str]:
    """A plan as this vantage would run it, and a sentence about its engine, empty if the plan names it.

    If none works, the sentence says why, and the plan is that of the first engine.
    """
    if not plan.probe.engine.automatic:
        return plan, ""
    try:
        choice = choose(plan)
    except InputError as error:
        return planning.with_engine(plan, _considered(plan)[0].engine), error.reason
    return choice.plan, f"{Engine.AUTO} {choice.sentence}"


def rate(plan: Plan) -> int:
    """The probes a second that a plan's engine sends if nothing else limits it."""
    return min(plan.settings.rate, candidate(plan.probe.engine).most_rate or plan.settings.rate)


def reasons(passed_over: Iterable[tuple[Engine, str]], *, whole: bool = False) -> str:
    """Why engines are not taken, those with one reason together; what to do about it only in `whole` reasons."""
    grouped = groupby(passed_over, key=itemgetter(1))
    parts = ((" and ".join(engine for engine, _ in same), reason) for reason, same in grouped)
    return "; ".join(f"{names} cannot: {reason if whole else reason.partition('; ')[0]}" for names, reason in parts)
