"""Calibrate the rate: step it up until second SYNs show that answers are lost. The last good rate is the knee.

A calibration is one sweep over the targets of a configuration, in shards of one size. Step k sends 2^k shards at 2^k times the
lowest rate, so that all steps last equally long and no host is visited twice. Every target gets a second SYN a little later. Of
the hosts that took our request after the first SYN, those that did not answer the second were lost: both SYNs are lost alike
(`record.receipt.detection`).
"""

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from pipeline.config.sections import AlarmSection, CompanionsSection, Config, ControlSection, LossSection, Profile
from pipeline.engines import Engine
from pipeline.errors import GuardError, InputError
from pipeline.guard import sockets
from pipeline.lake import receipts, store
from pipeline.optout import edit, register
from pipeline.optout.watch import READ_SECONDS
from pipeline.plan.plan import Plan
from pipeline.record.receipt import Receipt, detection
from pipeline.record.rounds import Round
from pipeline.space import signed
from pipeline.space.ranges import Ranges
from pipeline.statistics import recapture
from pipeline.sweep import freeze
from pipeline.sweep import run as steps_of
from pipeline.worker.coordinator import Worker
from pipeline.worker.engine_choice import choose, without

#: The largest number of steps: each has twice the shards of the one before, and a plan has 512 at most.
MOST_STEPS = 9
#: Seconds between a SYN and the second one to the same target. A disturbance that hits both stays unseen.
DELAY = 2.0
#: A sender that falls short of the set rate by more than this is itself the limit.
SHORT = 0.5
#: Loss below this does not matter, even where it is statistically certain.
TOLERATED = 0.01


@dataclass(frozen=True, slots=True)
class RateStep:
    """The result of one rate (probes per second). `loss` is the share of hosts that one SYN misses, with its 95 % interval."""

    rate: int
    sent: float
    """SYNs per second that were really sent, second ones included."""
    answered: int
    """Hosts that took our request; the loss is estimated from them."""
    loss: float
    loss_low: float
    loss_high: float
    dropped: int
    """Frames that did not fit into our own receive ring."""
    stalls: int

    @property
    def short(self) -> bool:
        """Return whether the sender fell short of the rate."""
        return self.sent < self.rate * (1 - SHORT)


@dataclass(frozen=True, slots=True)
class Calibration:
    """A calibration: its steps in order, the knee (None if the first step already lost answers), and why it ended."""

    plan_digest: str
    code_version: str
    vantage: str
    began: str
    steps: list[RateStep]
    knee: int | None
    reason: str


def calibration_plan(path: Path, *, lowest: int, steps: int) -> Plan:
    """Freeze the plan of a calibration. Raises InputError, and GuardError unless its targets are in a testbed or signed for."""
    if not 2 <= steps <= MOST_STEPS:
        raise InputError("--steps", f"must be 2 to {MOST_STEPS}")

    def changed(config: Config) -> Config:
        engine = config.probe.engine
        if not engine.extra_probes:
            raise InputError(
                "key probe.engine", f'"{engine}" sends no second SYN, by which loss is measured; use "{Engine.RING}"'
            )
        settings = msgspec.structs.replace(
            config.sweep, rate=lowest << (steps - 1), shards=(1 << steps) - 1, profile=Profile.ASSOCIATE, sample=1.0
        )
        return msgspec.structs.replace(
            config, sweep=settings, harm=None, companions=CompanionsSection(), loss=LossSection(sample=1.0, delay=DELAY),
            control=ControlSection(sample=0.0), alarm=AlarmSection(false_alarms=0.0),
        )  # fmt: skip

    plan = freeze.freeze(path, change=changed)
    if not sockets.in_closed_testbed():
        signed.require(plan.signed_ranges, Ranges.of(plan.ranges), "a calibration")
    if plan.pace.lowered_by:
        raise GuardError(
            f"{plan.pace.lowered_by} lowers the highest rate to {plan.settings.rate}: take fewer steps, or more targets"
        )
    return plan


def run(plan: Plan, *, lowest: int, steps: int) -> Iterator[RateStep]:
    """Send step after step until answers are lost or the sender falls short; the lake is temporary."""
    with tempfile.TemporaryDirectory(prefix="census-calibration-") as folder:
        sweep = steps_of.begin(plan, store.at(folder))
        obeyed = register.of(plan.register, sweep.paths.lake)
        sends_again = without(lambda engine: engine.extra_probes, "sends no second SYN, by which loss is measured")
        engine = choose(plan, sends_again).plan.probe.engine
        with Worker(sweep, engine=engine) as worker, ThreadPoolExecutor(plan.probe.processes + 1) as pool:
            first: RateStep | None = None
            for number in range(steps):
                edit.limit(obeyed, "calibration", lowest << number)
                time.sleep(3 * READ_SECONDS)  # senders have read it by then
                shards = range((1 << number) - 1, (2 << number) - 1)
                list(pool.map(partial(worker.run, Round.PROBES), shards))
                of_step = [receipt for receipt in receipts.read_receipts(sweep.paths) if receipt.shard in shards]
                step = _step(lowest << number, of_step)
                yield step
                first = first or step
                if step.short or _loses(step, first):
                    return


def _step(rate: int, of_step: list[Receipt]) -> RateStep:
    """Compute the result of a step from the receipts of its shards."""
    again, once = detection(of_step)
    seen = recapture.detection(again, once)
    sent = sum(receipt.probes_sent + receipt.second_probes for receipt in of_step)
    begun = min(receipt.started_at for receipt in of_step) / 1e6
    ended = max(receipt.started_at / 1e6 + receipt.send_seconds for receipt in of_step)
    return RateStep(
        rate=rate,
        sent=sent / (ended - begun + _seconds_after(of_step, rate)),
        answered=once,
        loss=float(1 - seen.value),
        loss_low=float(1 - seen.high),
        loss_high=float(1 - seen.low),
        dropped=sum(receipt.ring_dropped for receipt in of_step),
        stalls=sum(receipt.stalls for receipt in of_step),
    )


def _seconds_after(of_step: list[Receipt], rate: int) -> float:
    """Return how long second SYNs were still sent after the last first one: those of the last `DELAY` seconds."""
    second: int = sum(receipt.second_probes for receipt in of_step)
    return min(DELAY, second / rate)


def _loses(step: RateStep, first: RateStep) -> bool:
    """Return whether a step loses more than the first one did, beyond chance and beyond TOLERATED."""
    return step.loss_low > max(first.loss_high if first is not step else 0.0, TOLERATED)


def judge(plan: Plan, vantage: str, steps: list[RateStep]) -> Calibration:
    """Find the knee of the steps, and why the calibration ended."""
    last, first = steps[-1], steps[0]
    good = [step.rate for step in steps if not step.short and not _loses(step, first)]
    reasons = {
        "loss": _loses(last, first),
        "the sender": last.short,
        "no loss up to the highest rate": True,
    }
    return Calibration(
        plan_digest=plan.digest, code_version=plan.code_version, vantage=vantage, began=plan.created, steps=steps,
        knee=good[-1] if good else None, reason=next(reason for reason, applies in reasons.items() if applies),
    )  # fmt: skip
