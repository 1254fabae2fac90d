"""How much of a sweep is left: targets, cool-downs, second visits, harm checks and companion SYNs, as seconds and as a share."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.outcome import Outcome
from pipeline.plan import timing
from pipeline.plan.plan import Plan
from pipeline.record.rounds import Round
from pipeline.status.finished import FinishedRanges
from pipeline.status.workers import WorkerProgress

#: The share that is shown while anything is left.
ALMOST = 0.999
#: Outcomes of probes that a second visit may follow.
VISITED_AGAIN = (Outcome.RESET, Outcome.TLS)
#: Another, unless the plan excepts it.
CLOSED = Outcome.CLOSED


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a sweep, from its receipts and its running workers; `now` is in seconds since 1970."""

    plan: Plan
    ranges: int
    """Those of probes in the plan."""
    done: FinishedRanges
    running: Sequence[WorkerProgress]
    now: float

    def unfinished(self) -> Counter[str]:
        """What running workers have counted of ranges that are not finished, which are no more than all other targets."""
        counted = sum((Counter(worker.unfinished) for worker in self.running), Counter[str]())
        counted["probed"] = min(counted["probed"], max(0, self.plan.targets - self.done.settled))
        return counted

    def seconds(self, rate: float) -> float:
        """How long the rest takes at this rate of all workers together, in probes a second."""
        probing = self._probing(rate)
        return probing + self._checking(probing) + self._visiting_again()

    def share(self) -> float:
        """The share of the sweep that is done, by the time that it takes at the plan's rate; from 0 to ALMOST."""
        rate = self.plan.settings.rate
        whole = timing.left(self.plan, self.plan.targets, rate, len(self.running)) + timing.afterwards(self.plan)
        return min(ALMOST, max(0.0, 1 - self.seconds(rate) / whole))

    def speed(self) -> float:
        """Probes a second that all workers together send while they send: as measured, and no more than they are allowed."""
        return float(sum(map(self._speed, self.running))) or self.plan.settings.rate

    def _speed(self, worker: WorkerProgress) -> float:
        allowed = min(self.plan.settings.rate, worker.limit or self.plan.settings.rate)
        return min(worker.sending_rate or allowed, allowed)

    def _probing(self, rate: float) -> float:
        """Seconds until the last range of probes has cooled down."""
        counted = self.unfinished()
        targets = self.plan.targets - self.done.settled - counted["probed"] - counted["suppressed"]
        if targets > 0:
            return timing.left(self.plan, targets, rate, len(self.running))
        if self.done.rounds[Round.PROBES] >= self.ranges:
            return 0.0
        sent_at = max((worker.sent_at for worker in self.running), default=self.now)
        return max(0.0, sent_at + timing.cooling(self.plan) - self.now)

    def _checking(self, probing: float) -> float:
        """Seconds of harm checks and companion SYNs, once the probing is over."""
        longest = timing.afterwards(self.plan)
        if probing or not self.done.probed_until:
            return longest
        return max(0.0, self.done.probed_until + longest - self.now)

    def _visiting_again(self) -> float:
        """Seconds of second visits: of hosts that need one, as many among the targets that are left as before."""
        if not self.plan.settings.profile.makes_second_visits or not self.done.settled:
            return 0.0
        outcomes = (*VISITED_AGAIN, CLOSED) if self.plan.tls.after_close else VISITED_AGAIN
        again = sum(self.done.funnel[outcome] for outcome in outcomes) * self.plan.targets / self.done.settled
        return max(0.0, again - self.done.columns["handshakes"]) / self.plan.tls.rate
