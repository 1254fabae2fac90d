"""The engine that needs no privilege: each target gets one connection of the kernel's TCP, and our request as soon as it is open.

Targets, their order, the budget and the opt-out register are those of any engine. What the kernel does by itself is counted and paid
for. It sends a SYN that nobody answers once more, so a target costs two SYNs of the budget. It answers SYN-ACKs by itself, so a SYN
in addition to the plan's own would open a bare connection: this engine sends no extra probes, and has no harm check.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.associate import client, loop
from pipeline.associate.conversation import CONNECT_US
from pipeline.associate.tcp_info import TcpInfo
from pipeline.engines import Engine
from pipeline.outcome import CloseKind
from pipeline.probe.engine_events import Event, Finished, Greeted
from pipeline.probe.fin_wait import SETTLED
from pipeline.probe.loop_lag import LoopLag
from pipeline.probe.pacer import Pacer, Pause
from pipeline.probe.range_state import OpenRange, Targets
from pipeline.probe.result import Result
from pipeline.record.visit import Visit
from pipeline.space.permit import Permit
from pipeline.space.shard import Range, Walk
from pipeline.wire.outgoing import Outgoing
from pipeline.worker import open_files

#: SYNs that a target costs, the kernel's retransmission included.
SYNS = 1 + Engine.CONNECT.retransmits
#: How long to let the kernel's events be handled at a time, in seconds: at most half a burst, and at least a little.
LONGEST_WAIT, SHORTEST_WAIT = 0.005, 0.0005
#: Connections that are open at once: some 100 MB, and half of them a second where nobody answers.
MOST_OPEN = 20_000
#: How long a connection is open that nobody answers, in seconds.
UNANSWERED_SECONDS = CONNECT_US / 1e6
#: So this many SYNs leave in a second at most, the kernel's retransmissions included, where nobody answers.
MOST_RATE = int(MOST_OPEN / UNANSWERED_SECONDS * SYNS)
#: How the kernel names the end of a connection that was never open, and of one that was reset before we saw it open.
REFUSED, RESET = "ECONNREFUSED", frozenset({"ECONNRESET", "EPIPE"})

OpenSocket = Callable[[str], socket.socket]


@dataclass(frozen=True, slots=True)
class Visitor:
    """How targets are visited: over sockets opened for their dotted addresses, with these templates."""

    open_socket: OpenSocket
    outgoing: Outgoing
    echo: bool
    tls_ports: frozenset[int] = frozenset()

    async def visit(self, open_socket: OpenSocket, address: int, port: int) -> Visit:
        """Visit a target, through TLS on ports that are for it."""
        return await client.visit(
            open_socket, self.outgoing, echo=self.echo, ip=address, port=port, over_tls=port in self.tls_ports
        )


@dataclass(slots=True, eq=False)
class _Attempt:
    """A connection that is being made or is open: its range, its target's address, when it began, and its socket once it has one."""

    opened: OpenRange
    address: int
    began: float
    sock: socket.socket | None = None

    @property
    def waits(self) -> bool:
        """Whether its SYN has no answer yet; a socket that is closed already belongs to a visit that is over."""
        return self.sock is None or (self.sock.fileno() >= 0 and TcpInfo.is_connecting(self.sock))


class Connector:
    """A `ProbeEngine` over the kernel's TCP."""

    def __init__(
        self, walk: Walk, visitor: Visitor, *, permit: Callable[[], Permit], pacer: Pacer,
        good_until: Callable[[], float] = lambda: float("inf"),
    ) -> None:  # fmt: skip
        """`good_until` says until when the next hop has been good: a range is finished once that is known of all its time."""
        self._good_until, self._ended_at, self._stopped = good_until, dict[Range, float](), False
        self._walk, self._visitor = walk, visitor
        self._permit, self._pacer, self._pause = permit, pacer, Pause(pacer)
        self._spare = 0  # SYNs of the budget that are not yet enough for a target
        self._stalls = 0
        self._loop = loop.new()
        enough = min(MOST_OPEN, int(pacer.ceiling / SYNS * UNANSWERED_SECONDS))
        self._most = open_files.connections("a sender", MOST_OPEN, enough=enough)
        self._attempts: dict[asyncio.Task[Visit], _Attempt] = {}
        self._visits: list[tuple[OpenRange, Visit]] = []
        self._error: BaseException | None = None
        self._open: list[OpenRange] = []
        self._sending: OpenRange | None = None
        self._last_permit: Permit | None = None
        self._lag = LoopLag()
        self.probes = self.suppressed = 0

    @property
    def idle(self) -> bool:
        """Another range may begin to send."""
        return self._sending is None

    @property
    def busy(self) -> bool:
        """A range sends or has connections."""
        return bool(self._open)

    def begin(self, range_: Range, visited: Targets | None = None) -> None:
        """Begin to send a range; only while idle. `visited` targets were visited by an earlier attempt, and get no SYN."""
        now = time.monotonic()
        self._pacer.resume(now)
        self._sending = opened = OpenRange.begin(range_, now, Engine.CONNECT)
        if visited is not None:
            opened.mark_visited(self._walk, visited)
        opened.counts.started_at = time.time_ns() // 1000
        self._open.append(opened)

    def stop(self) -> None:
        """Begin no further connection and take back those without an answer; `tick` finishes the rest."""
        self._sending, self._stopped = None, True
        for task, attempt in self._unanswered():
            self._take_back(task, attempt)

    def close(self) -> None:
        """Drop everything, whatever state it is in."""
        for task in list(self._attempts):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def tick(self) -> Iterator[Event]:
        """Begin the connections that the budget allows, handle the kernel's events, and yield what has happened."""
        self._lag.turn(time.monotonic(), waited=LONGEST_WAIT)
        permit = self._permit()
        paused = bool(permit.pause_reason)
        self._pacer.limit(permit.rate)
        self._obey(permit)
        if self._sending:
            self._send(self._sending, permit, paused=paused)
        self._loop.run_until_complete(asyncio.sleep(self._patience(paused=paused)))
        if self._error:
            raise self._error
        visits, self._visits = self._visits, []
        for opened, visit in visits:
            if _count(opened, visit):
                yield Greeted(opened.range, Result.of_kernel(visit))
        for opened in [each for each in self._open if each is not self._sending and self._over_for_good(each)]:
            self._open.remove(opened)
            yield Finished(opened.range, opened.final_counts(), complete=opened.complete)

    def _over_for_good(self, opened: OpenRange) -> bool:
        """Whether nothing is left of a range, and it is known that the next hop was good as long as it had connections."""
        if opened.conversations:
            return False
        ended_at = self._ended_at.setdefault(opened.range, time.monotonic())
        known = self._stopped or opened.ungreeted > 0 or self._good_until() >= ended_at
        if known:
            del self._ended_at[opened.range]
        return known

    # --- the register ---

    def _obey(self, permit: Permit) -> None:
        """Take back connections without an answer, if a new permit withholds their targets or pauses the sender.

        If the pause is an outage of our own link, the open ranges are incomplete: what the kernel said of a target may be about us.
        When it lasts, connections with an answer end as well.
        """
        if permit is self._last_permit:
            return
        for opened in self._open if permit.outage_seconds else ():
            opened.ungreeted += bool(opened.next_position)
        for task, attempt in list(self._attempts.items()) if permit.cut_off else ():
            self._take_back(task, attempt)
        self._last_permit = permit
        unanswered = self._unanswered() if permit.pause_reason or len(permit.withheld.first) else []
        addresses = np.array([attempt.address for _, attempt in unanswered], dtype=np.uint32)
        withheld = permit.withheld.contains(addresses)
        for (task, attempt), opted_out in zip(unanswered, withheld.tolist(), strict=True):
            if permit.pause_reason or opted_out:
                self._take_back(task, attempt, again=not opted_out)

    def _unanswered(self) -> list[tuple[asyncio.Task[Visit], _Attempt]]:
        """The connections whose SYN has no answer, by the kernel's word."""
        return [(task, attempt) for task, attempt in self._attempts.items() if attempt.waits]

    def _take_back(self, task: asyncio.Task[Visit], attempt: _Attempt, *, again: bool = True) -> None:
        """Close a socket that waits for its SYN-ACK, which sends nothing: the kernel resets a SYN-ACK that comes later.

        If the target is to be visited `again`, by a later attempt, the range is not complete.
        """
        attempt.opened.ungreeted += again
        task.cancel()

    # --- connections ---

    def _send(self, opened: OpenRange, permit: Permit, *, paused: bool) -> None:
        """Begin connections to the next targets of a range, unless the register pauses it."""
        now = time.monotonic()
        opened.counts.paused_seconds += self._pause.elapsed(now, paused=paused)
        if paused:
            return
        count = self._granted(now, min(opened.range.length - opened.next_position, self._most - len(self._attempts)))
        if count:
            self._send_some(opened, count, permit)
        if opened.all_sent:
            opened.counts.send_seconds = time.monotonic() - opened.began
            opened.counts.stalls, self._stalls = self._pacer.stalls - self._stalls, self._pacer.stalls
            self._sending = None

    def _send_some(self, opened: OpenRange, count: int, permit: Permit) -> None:
        """Begin a connection to each of the next targets, except those withheld and those visited before."""
        begin = opened.next_position
        first = opened.range.first_index + begin
        addresses, ports = self._walk.targets(opened.range.shard, first, first + count)
        spared = opened.state[begin : begin + count] == SETTLED
        withheld = permit.withheld.contains(addresses) & ~spared
        allowed = np.flatnonzero(~(spared | withheld))
        for address, port in zip(addresses[allowed].tolist(), ports[allowed].tolist(), strict=True):
            self._connect(opened, address, port)
        opened.next_position += count
        opened.counts.probes_sent += len(allowed)
        opened.counts.spared += int(spared.sum())
        opened.counts.suppressed += int(withheld.sum())
        opened.counts.quarantined += int((permit.quarantined.contains(addresses) & withheld).sum())
        self.probes += len(allowed)
        self.suppressed += int(withheld.sum())

    def _granted(self, now: float, wanted: int) -> int:
        """How many of the wanted targets may be visited now."""
        self._spare += self._pacer.grant(now, max(0, wanted * SYNS - self._spare))
        granted = min(self._spare // SYNS, max(0, wanted))
        self._spare -= granted * SYNS
        return granted

    def _connect(self, opened: OpenRange, address: int, port: int) -> None:
        """Begin a connection, on which our request leaves as soon as it is open."""
        attempt = _Attempt(opened, address, time.monotonic())

        def open_socket(destination: str) -> socket.socket:
            attempt.sock = self._visitor.open_socket(destination)
            return attempt.sock

        opened.conversations += 1
        task = self._loop.create_task(self._visitor.visit(open_socket, address, port))
        self._attempts[task] = attempt
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[Visit]) -> None:
        """Keep how a connection ended; trouble of our own ends the sender."""
        attempt = self._attempts.pop(task)
        attempt.opened.conversations -= 1
        if task.cancelled():
            return
        if error := task.exception():
            self._error = error
        else:
            visit = task.result()
            connected = visit.connect_us is not None
            if (
                connected
                and visit.close_kind is CloseKind.DEADLINE
                and self._lag.was_late(attempt.began, time.monotonic())
            ):
                attempt.opened.late_deadlines += 1
            self._visits.append((attempt.opened, visit))

    def _patience(self, *, paused: bool) -> float:
        """Seconds to handle the kernel's events before there is something else to do."""
        wait = self._pacer.wait() if self._sending and not paused else LONGEST_WAIT
        return min(max(wait, SHORTEST_WAIT), LONGEST_WAIT)


def _count(opened: OpenRange, visit: Visit) -> bool:
    """Count how a connection ended; whether the target answered our SYN with a SYN-ACK."""
    counts = opened.counts
    counts.syn_retransmits += visit.syn_retransmits
    answered = visit.connect_us is not None or visit.error in RESET
    counts.answers += answered
    counts.greetings += answered
    counts.resets += not answered and visit.error == REFUSED
    counts.unreachable += not answered and visit.error not in (None, REFUSED)
    return answered
