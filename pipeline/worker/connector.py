"""The engine that needs no privilege: each target gets one connection of the kernel's TCP, and our request as soon as it stands.

Targets, their order, the budget and what the register says are those of any engine. What the kernel does of its own accord is told
and paid for: it repeats a SYN that nobody answers once, so a target costs two SYNs of the budget; it answers SYN-ACKs by itself, so no
SYN goes beside the plan's own. Second looks, the control port and the harm check are not for this engine.
"""

import asyncio
import resource
import socket
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.associate import client, loop
from pipeline.associate.tcp_info import Books
from pipeline.probe.fin_wait import SETTLED
from pipeline.probe.pacer import Pacer
from pipeline.probe.range_state import Connected, Event, Finished, Greeted, OpenRange
from pipeline.record import Visit
from pipeline.space.permit import Permit
from pipeline.space.plan import REPEATED
from pipeline.space.ranges import U32
from pipeline.space.shard import Range, Walk
from pipeline.wire.outgoing import Outgoing

#: SYNs that a target costs, the kernel's repetition included.
SYNS = 1 + REPEATED["connect"]
#: How long to let the kernel's events be handled at a time, in seconds: at most half a burst, and at least a little.
LONGEST_WAIT, SHORTEST_WAIT = 0.005, 0.0005
#: Connections that are open at once: some 100 MB, and half of them a second where nobody answers.
MOST_OPEN = 20_000
#: Descriptors that are left to all else that the process opens.
OTHER_DESCRIPTORS = 256
#: How the kernel names the end of a connection that never stood, and of one that was reset before we saw it stand.
REFUSED, RESET = "ECONNREFUSED", frozenset({"ECONNRESET", "EPIPE"})


@dataclass(slots=True, eq=False)
class _Line:
    """A connection on its way: whose it is, and its socket once it has one."""

    opened: OpenRange
    address: int
    sock: socket.socket | None = None


class Connector:
    """One sender, driven as `probe.engine.Engine` is: `begin` a range while `idle`, call `tick` again and again."""

    def __init__(
        self, walk: Walk, open_socket: Callable[[str], socket.socket], outgoing: Outgoing, *, echo: bool,
        secured: Collection[int], permit: Callable[[], Permit], pacer: Pacer,
    ) -> None:  # fmt: skip
        self._walk = walk
        self._open_socket = open_socket
        self._outgoing = outgoing
        self._echo, self._secured = echo, frozenset(secured)
        self._permit = permit
        self._pacer = pacer
        self._spare = 0  # SYNs of the budget that are not yet enough for a target
        self._stalls = 0
        self._loop = loop.new()
        self._most = min(MOST_OPEN, _descriptors() - OTHER_DESCRIPTORS)
        self._lines: dict[asyncio.Task[Visit], _Line] = {}
        self._visits: list[tuple[OpenRange, Visit]] = []
        self._error: BaseException | None = None
        self._open: list[OpenRange] = []
        self._sending: OpenRange | None = None
        self._held_since: float | None = None
        self._seen: Permit | None = None
        self.probes = self.suppressed = 0

    @property
    def idle(self) -> bool:
        """A further range may begin to send."""
        return self._sending is None

    @property
    def busy(self) -> bool:
        """A range sends or has connections."""
        return bool(self._open)

    def begin(self, chosen: Range, known: tuple[U32, NDArray[np.uint16]] | None = None) -> None:
        """Begin to send a range; only while idle. `known` targets were visited by an earlier attempt, and are left alone."""
        now = time.monotonic()
        self._pacer.resume(now)
        self._sending = opened = OpenRange.of(chosen, now, "connect")
        if known is not None:
            opened.slot[self._walk.locate(*known)[1] - chosen.first_index] = SETTLED
        opened.counts.started_at = time.time_ns() // 1000
        self._open.append(opened)

    def stop(self) -> None:
        """Begin no further connection and take back those that nobody has answered; `tick` finishes the others."""
        self._sending = None
        for task, line in self._unanswered():
            self._take_back(task, line)

    def close(self) -> None:
        """Let go of everything, whatever state it is in."""
        for task in list(self._lines):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def tick(self) -> Iterator[Event]:
        """Begin the connections that the budget allows, and tell what came of others."""
        permit = self._permit()
        self._pacer.limit(permit.rate)
        self._obey(permit)
        if self._sending and self._may_send(self._sending, held=bool(permit.held)):
            self._send(self._sending, permit)
        self._loop.run_until_complete(asyncio.sleep(self._patience(held=bool(permit.held))))
        if self._error:
            raise self._error
        visits, self._visits = self._visits, []
        for opened, visit in visits:
            if _count(opened, visit):
                yield Greeted(opened.range, Connected(visit))
        for opened in [each for each in self._open if each is not self._sending and not each.talking]:
            self._open.remove(opened)
            whole = opened.next_index == opened.range.length and not opened.put_off
            yield Finished(opened.range, opened.conclude(), complete=whole)

    # --- what the register says ---

    def _obey(self, permit: Permit) -> None:
        """Take connections back that nobody has answered, where the register withholds their target since it was last read."""
        if permit is self._seen:
            return
        self._seen = permit
        unanswered = self._unanswered() if permit.held or len(permit.withheld.first) else []
        addresses = np.array([line.address for _, line in unanswered], dtype=np.uint32)
        withheld = permit.withheld.contains(addresses)
        for (task, line), opted_out in zip(unanswered, withheld.tolist(), strict=True):
            if permit.held or opted_out:
                self._take_back(task, line, again=not opted_out)

    def _unanswered(self) -> list[tuple[asyncio.Task[Visit], _Line]]:
        """The connections whose SYN nobody has answered, as the kernel says."""
        return [(task, line) for task, line in self._lines.items() if line.sock is None or Books.unanswered(line.sock)]

    def _take_back(self, task: asyncio.Task[Visit], line: _Line, *, again: bool = True) -> None:
        """Close a socket that waits for its SYN-ACK, which sends nothing: one that comes later gets a RST of the kernel's."""
        line.opened.put_off += again
        task.cancel()

    def _may_send(self, opened: OpenRange, *, held: bool) -> bool:
        """Keep the time in which the register holds the range back; afterwards the pacer begins anew: no burst, no stall."""
        now = time.monotonic()
        if self._held_since is not None:
            opened.counts.paused_seconds += now - self._held_since
            self._pacer.resume(now)
        self._held_since = now if held else None
        return not held

    # --- connections ---

    def _send(self, opened: OpenRange, permit: Permit) -> None:
        """Begin a connection with each of the next targets that the budget and the descriptors have room for."""
        count = self._granted(min(opened.range.length - opened.next_index, self._most - len(self._lines)))
        if count:
            begin = opened.range.first_index + opened.next_index
            addresses, ports = self._walk.targets(opened.range.shard, begin, begin + count)
            spared = opened.slot[opened.next_index : opened.next_index + count] == SETTLED
            withheld = permit.withheld.contains(addresses) & ~spared
            asked = np.flatnonzero(~(spared | withheld))
            for address, port in zip(addresses[asked].tolist(), ports[asked].tolist(), strict=True):
                self._connect(opened, address, port)
            opened.next_index += count
            opened.counts.probes_sent += len(asked)
            opened.counts.spared += int(spared.sum())
            opened.counts.suppressed += int(withheld.sum())
            opened.counts.quarantined += int((permit.quarantined.contains(addresses) & withheld).sum())
            self.probes += len(asked)
            self.suppressed += int(withheld.sum())
        if opened.next_index == opened.range.length:
            opened.counts.send_seconds = time.monotonic() - opened.began
            opened.counts.stalls, self._stalls = self._pacer.stalls - self._stalls, self._pacer.stalls
            self._sending = None

    def _granted(self, wanted: int) -> int:
        """How many targets of so many may be asked now."""
        self._spare += self._pacer.grant(time.monotonic(), max(0, wanted * SYNS - self._spare))
        granted = min(self._spare // SYNS, max(0, wanted))
        self._spare -= granted * SYNS
        return granted

    def _connect(self, opened: OpenRange, address: int, port: int) -> None:
        """Begin a connection, on which our request goes out as soon as it stands."""
        line = _Line(opened, address)

        def open_socket(destination: str) -> socket.socket:
            line.sock = self._open_socket(destination)
            return line.sock

        opened.talking += 1
        visit = client.visit(
            open_socket, self._outgoing, echo=self._echo, ip=address, port=port, secured=port in self._secured
        )
        task = self._loop.create_task(visit)
        self._lines[task] = line
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[Visit]) -> None:
        """Keep what came of a connection; trouble of our own ends the sender."""
        line = self._lines.pop(task)
        line.opened.talking -= 1
        if task.cancelled():
            return
        if error := task.exception():
            self._error = error
        else:
            self._visits.append((line.opened, task.result()))

    def _patience(self, *, held: bool) -> float:
        """Seconds to handle the kernel's events before there is something else to do."""
        wait = self._pacer.wait() if self._sending and not held else LONGEST_WAIT
        return min(max(wait, SHORTEST_WAIT), LONGEST_WAIT)


def _count(opened: OpenRange, visit: Visit) -> bool:
    """Count what came of a connection; whether the target answered our SYN with a SYN-ACK."""
    counts = opened.counts
    counts.syn_retransmits += visit.syn_retransmits
    answered = visit.connect_us is not None or visit.error in RESET
    counts.answers += answered
    counts.greetings += answered
    counts.resets += not answered and visit.error == REFUSED
    counts.unreachable += not answered and visit.error not in (None, REFUSED)
    return answered


def _descriptors() -> int:
    """How many descriptors this process may have, after asking for as many as it is allowed to ask for."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_OPEN + OTHER_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN + OTHER_DESCRIPTORS)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(soft, most)
