"""Probes leave as far as they are granted; what the interface refuses leaves later, or makes its range incomplete."""

import numpy as np

from pipeline.engines import Engine
from pipeline.probe.outlet import BATCH, ProbeOutlet
from pipeline.probe.pacer import Pacer
from pipeline.probe.probes import Probes
from pipeline.probe.range_state import OpenRange
from pipeline.rings.transmit import NONE_REFUSED
from pipeline.space.ranges import I64, U32, Ranges
from pipeline.space.shard import Range
from pipeline.wire.cookie import Secret

SECRET = Secret.derived(bytes(16), "probe")
NOBODY = Ranges.of(())
FAST = 10_000_000


class Interface:
    """A ring whose interface refuses the next probes to some addresses; it keeps what has left."""

    engine, bakes, rejected, taken = Engine.RING, False, 0, None
    tags: U32 = np.zeros(0, np.uint32)

    def __init__(self, *refused: int) -> None:
        self.refused, self.left, self._filled = list(refused), list[int](), np.zeros(0, np.uint32)

    def room(self, wanted: int) -> int:
        return wanted

    def change_template(self, template: bytes) -> None:
        raise NotImplementedError

    def fill(self, addresses: U32, ports: object, secret: object, cookie: object) -> None:
        self._filled = addresses

    def send(self, count: int) -> I64:
        assert count == len(self._filled)
        which = np.flatnonzero(np.isin(self._filled, self.refused))
        for address in self._filled[which].tolist():
            self.refused.remove(address)
        self.left += np.delete(self._filled, which).tolist()
        return which


def outlet(interface: Interface, rate: float = FAST) -> tuple[ProbeOutlet, list[tuple[int, int]]]:
    """An outlet that sends by an interface, and what it counts."""
    counted: list[tuple[int, int]] = []
    made = ProbeOutlet(interface, Pacer(rate, 0.0), lambda sent, refused: counted.append((sent, refused)))
    return made, counted


def probes(count: int) -> Probes:
    """Probes to the first addresses."""
    return Probes(np.arange(count, dtype=np.uint32), np.full(count, 104, np.uint16), SECRET)


def opened(length: int) -> OpenRange:
    """A range that has been sent."""
    begun = OpenRange.begin(Range(0, 0, 0, length), 0.0)
    begun.next_position = length
    return begun


def test_what_is_refused_is_sent_again() -> None:
    """Probes that are refused, once or again and again, leave later; each leaves once, and each attempt is counted."""
    interface = Interface(2, 5, 5)
    sender, counted = outlet(interface)
    open_ = {1: opened(8)}
    sender.send(probes(8), 1, np.arange(8))
    assert sender.has_refused and interface.left == [0, 1, 3, 4, 6, 7]
    sender.send_again(open_, NOBODY)
    assert sender.has_refused and interface.left[6:] == [2]
    sender.send_again(open_, NOBODY)
    assert not sender.has_refused and interface.left[7:] == [5]
    assert counted == [(6, 2), (1, 1), (1, 0)]
    assert np.flatnonzero(open_[1].sent_us).tolist() == [2, 5]  # the time at which they left at last


def test_the_budget_holds_for_them_too() -> None:
    """What was refused is sent again as far as there is budget for it, the first ones first."""
    interface = Interface(*range(100))
    sender, _ = outlet(interface, rate=1.0)
    sender.send(probes(100), 1, np.arange(100))
    sender.pacer.last = float("-inf")
    sender.send_again({1: opened(100)}, NOBODY)
    assert interface.left == [0]
    assert sender.has_refused


def test_who_opts_out_meanwhile_gets_nothing() -> None:
    """An address that is withheld by the time at which its probe would be sent again gets none."""
    interface = Interface(2, 3)
    sender, _ = outlet(interface)
    sender.send(probes(4), 1, np.arange(4))
    sender.send_again({1: opened(4)}, Ranges.of([(2, 2)]))
    assert interface.left == [0, 1, 3] and not sender.has_refused


def test_what_is_given_up_leaves_its_range_incomplete() -> None:
    """Probes of a range that never left are missing from it; extra probes, which have no range, are not."""
    interface = Interface(0, 1, 2)
    sender, _ = outlet(interface)
    open_ = {1: opened(3)}
    sender.send(probes(2), 1, np.arange(2))
    sender.send(probes(3), 0, NONE_REFUSED)
    sender.drop_refused(open_)
    assert (open_[1].ungreeted, open_[1].complete, sender.has_refused) == (2, False, False)


def test_a_grant_is_no_more_than_a_batch() -> None:
    """However much is wanted and earned, no more than a batch is granted at once."""
    sender, _ = outlet(Interface())
    assert sender.grant(1.0, 10**9) == BATCH
