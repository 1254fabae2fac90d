"""How long a sweep takes, and the rate that this machine holds: a short calibration in a testbed of its own, in which nothing but the
machine can lose answers.
"""

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipeline.doctor.finding import Finding, Subject, ok, warning
from pipeline.errors import InputError
from pipeline.lake.store import Location
from pipeline.optout import register
from pipeline.plan import timing
from pipeline.plan.plan import Plan
from pipeline.worker import engine_choice

#: Seconds of first SYNs in a step, roughly, and steps; each sends twice as fast as the one before, the last at the plan's rate.
STEP_SECONDS, STEPS = 3, 3
#: The fewest bits of a target's address that vary: each step needs some hosts that answer.
MIN_BITS = 10
#: Simulated hosts: 5 % of the addresses accept data and say nothing.
WORLD = """
[internet]
seed = 1
[[internet.block]]
addresses = ["11.0.0.0/{prefix}"]
ports = [104]
density = 0.05
mix = {{ silent = 1 }}
"""
CONFIG = """
[sweep]
name = "doctor"
ports = [104]
seed = 1
rate = 1
[targets]
include = ["11.0.0.0/{prefix}"]
[probe]
senders = {senders}
engine = "{engine}"
cooldown = 1.0
"""


def duration(subject: Subject) -> Iterator[Finding]:
    """Say how long the plan takes at the rate that its engine and its register allow."""
    plan = subject.plan
    if plan is None:
        return
    rate = min(engine_choice.rate(plan), _limit(plan, subject.lake) or plan.settings.rate)
    sending, harm = timing.left(plan, plan.targets, rate), timing.harm(plan)
    checks = f", and harm checks up to {timing.spoken(harm)} more" if harm else ""
    yield ok(f"sending takes {timing.spoken(sending)} at {rate:,} probes/s, cool-downs included{checks}")


def _limit(plan: Plan, lake: Location | None) -> int | None:
    """The most probes a second that the register of a sweep allows; None if it sets no limit, or there is none yet."""
    try:
        limit = register.state(register.of(plan.register, lake)).limit if lake else None
    except InputError:
        return None  # the check of the register says so
    return limit.rate if limit else None


def why(errors: str) -> str:
    """Return the last line that is not the testbed's own: it counts what it has seen after the command has failed."""
    lines = errors.strip().split("\n")
    return next((line for line in reversed(lines) if not line.startswith("testbed: ")), lines[-1])


def sustained(subject: Subject) -> Iterator[Finding]:
    """Calibrate up to the plan's rate in a closed testbed on this machine. Yields nothing for an engine that cannot be calibrated."""
    plan = subject.plan
    if plan is None or not plan.probe.engine.raw:
        return
    lowest = max(1, plan.settings.rate >> (STEPS - 1))
    targets = lowest * STEP_SECONDS * ((1 << STEPS) - 1)
    fields = {
        "prefix": 32 - max(MIN_BITS, round(math.log2(targets))),
        "senders": plan.probe.processes,
        "engine": plan.probe.engine,
    }
    with tempfile.TemporaryDirectory(prefix="census-doctor-") as name:
        folder = Path(name)
        (folder / "world.toml").write_text(WORLD.format_map(fields))
        (folder / "sweep.toml").write_text(CONFIG.format_map(fields))
        census = [sys.executable, "-m", "pipeline"]
        steps = ["--lowest", str(lowest), "--steps", str(STEPS), "--json"]
        calibrate = [*census, "calibrate", str(folder / "sweep.toml"), *steps]
        command = [*census, "testbed", "run", "--spec", str(folder / "world.toml"), "--", *calibrate]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        yield warning(
            f"the rate was not measured: {why(ended.stderr)}", "`census testbed run` needs to make network namespaces"
        )
        return
    calibration = json.loads(ended.stdout)
    knee, last = calibration["knee"], calibration["steps"][-1]
    text = (
        f"this machine sent {last['sent']:,.0f} of {last['rate']:,} probes/s and lost {last['loss']:.2%} of the answers"
    )
    if knee == lowest << (STEPS - 1):
        yield ok(text)
    else:
        yield warning(
            f"{text}; it holds {f'{knee:,}' if knee else f'less than {lowest:,}'} probes/s",
            "lower [sweep] rate, or take more [probe] senders",
        )
