"""How long a sweep takes: its sending, and the cool-downs in which nothing is sent because too few shards may run at once.

Pure: a plan or numbers in, seconds out. `census plan`, progress and the shard runner use the same functions.
"""

import math
from collections.abc import Sequence
from heapq import heapify, heapreplace

from pipeline.config.sections import CompanionsSection
from pipeline.plan.plan import Plan

#: More shards than this do not run at once: each is a thread, and a claim on work that another vantage could do.
MOST_AT_ONCE = 32
#: How long engine `connect` waits for a connection and then for an answer, in seconds (`pipeline/associate/conversation.py`).
CONNECT_SECONDS = 4.9
#: The longest way of a target through the harm check (`STEPS` of `pipeline/worker/harm_checks.py`): three delays, of which the visit
#: after the second waits for a check, and a last check. A check takes two cool-downs where no answer comes, and two
#: more where another source address confirms it.
HARM_DELAYS, HARM_CHECKS, CHECK_SYNS = 3, 2, 2


def cooling(plan: Plan) -> float:
    """Seconds from the last probe of a range until nothing more of it is expected, second SYNs included."""
    if not plan.probe.engine.extra_probes:
        return CONNECT_SECONDS
    return plan.probe.cooldown + (plan.loss.delay if plan.loss.sample else 0.0)


def at_once(plan: Plan) -> int:
    """The number of shards that one worker runs at once.

    One for each sender, and as many as cool down meanwhile, so that no sender waits for a cool-down.
    """
    shard = plan.probes / plan.settings.rate / plan.settings.shards
    fitting = plan.probe.processes + math.ceil(cooling(plan) / max(shard, 1e-3))
    return min(fitting, max(MOST_AT_ONCE, plan.probe.processes + 1))


def seconds(shards: Sequence[float], at_once: int, cooling: float) -> float:
    """How long shards take whose sending takes these times, in seconds, one after another at one common rate.

    At most `at_once` have begun and are not over; each is over `cooling` seconds after its last probe.
    """
    over = [0.0] * at_once
    heapify(over)
    sent = 0.0
    for shard in shards:
        sent = max(sent, over[0]) + shard
        heapreplace(over, sent + cooling)
    return max(over)


def left(plan: Plan, targets: float, rate: float, workers: int = 1) -> float:
    """How long so many targets of a plan take to probe at `rate` probes a second, to the end of the last cool-down, in seconds.

    `rate` is that of all workers together; each runs as many shards at once as the plan allows it.
    """
    if targets <= 0:
        return 0.0
    shards = max(1, math.ceil(plan.settings.shards * targets / plan.targets))
    sending = targets * (1 + plan.load.extra) / rate
    return seconds([sending / shards] * shards, at_once(plan) * max(1, workers), cooling(plan))


def companions(plan: Plan) -> float:
    """Seconds from the end of the probing to the last answer to a companion SYN, as planned; 0 without `[companions]`."""
    return 2 * plan.companions.delay + plan.probe.cooldown if plan.companions.ports else 0.0


def companions_apart(companions: CompanionsSection) -> float:
    """Seconds between two companion SYNs to one address; infinite without any."""
    return companions.delay / len(companions.ports) if companions.ports else math.inf


def afterwards(plan: Plan) -> float:
    """Seconds from the end of the probing to the end of what follows visits, at most: harm checks and companion SYNs."""
    return max(harm(plan), companions(plan))


def harm(plan: Plan) -> float:
    """Seconds from the end of the probing to the end of the last harm check, at most; 0 without `[harm]`."""
    if not plan.harm:
        return 0.0
    confirmed = 2 if len(plan.probe.sources) > 1 else 1
    return HARM_DELAYS * plan.harm.delay + HARM_CHECKS * confirmed * CHECK_SYNS * plan.probe.cooldown


def spoken(seconds: float) -> str:
    """A time for people: the two largest of days, hours, minutes and seconds."""
    whole = round(seconds)
    parts = [(whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    start = next((place for place, (count, _) in enumerate(parts) if count), 3)
    return " ".join(f"{count} {unit}" for count, unit in parts[start : start + 2])
