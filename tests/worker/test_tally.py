"""What a worker has counted, and how fast."""

from pipeline.record.receipt import OutcomeCount, Receipt
from pipeline.worker.tally import RATE_SECONDS, Tally


def test_finished_ranges_are_not_counted_again() -> None:
    """What a receipt says is taken from what the worker still reports; what earlier attempts counted never makes it negative."""
    tally = Tally()
    tally.update("engine-0", {"probed": 150, "suppressed": 3, "responsive": 9, "silent": 4, "echoed": 1}, "", 40)
    tally.update("engine-1", {"probed": 50}, "a hospital calls")
    outcomes = (OutcomeCount("silent", 5), OutcomeCount("echoed", 1))
    tally.settle(Receipt(probes_sent=120, suppressed=2, responses=6, outcomes=outcomes))
    assert tally.total()["probed"] == 200
    assert tally.unfinished() == {"probed": 80, "suppressed": 1, "responsive": 3, "silent": 0, "echoed": 0}
    assert (tally.limit(), tally.pause_reason()) == (40, "a hospital calls")


def test_rates_are_of_the_last_seconds() -> None:
    """The rate is over the last seconds; that of sending leaves out those in which nothing was sent."""
    tally = Tally()
    tally.measure(0.0)
    assert (tally.rate(), tally.sending_rate(), tally.sent_at) == (0, 0, 0)
    for second, probed in enumerate([0, 1000, 1100, 1200, 1300, 1300, 1300, 1300, 1300], 1):
        tally.update("engine-0", {"probed": probed}, "")
        tally.measure(RATE_SECONDS + second)
    assert tally.sent_at == RATE_SECONDS + 5
    assert tally.rate() == 1300 / 8
    assert tally.sending_rate() == 1300 / 4


def test_a_moment_of_sending_is_no_rate() -> None:
    """The first half second of sending, in which a sender may have sent for a moment only, gives no rate."""
    tally = Tally()
    tally.measure(0.0)
    tally.update("engine-0", {"probed": 10}, "")
    tally.measure(0.5)
    assert tally.sending_rate() == 0
    report = tally.report(now=1000.0, clock=1.5)
    assert (report["sent_at"], report["unfinished"], report["held"]) == (999.0, {"probed": 10}, "")
