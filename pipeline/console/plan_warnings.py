"""What a plan may not be meant to do, in sentences: entries that were skipped, an estimate that will hardly be one, a refusal."""

from collections.abc import Iterator

from pipeline.guard import sockets
from pipeline.plan.plan import Plan
from pipeline.statistics import recapture
from pipeline.words.plural import plural

#: The share of targets that is supposed to answer before anybody has looked: that of the demo. Only a warning depends on it.
SUPPOSED_HITS = 1 / 500
#: The lowest end of the interval of detection that is not warned of: below it, one host in ten may be missed unnoticed.
LOWEST_DETECTION = 0.9


def warnings(plan: Plan) -> Iterator[str]:
    """Yield what whoever runs the plan should know before the first packet."""
    for part in (*plan.included, *plan.excluded):
        if part.ipv6:
            yield f"{part.name} has {plural(part.ipv6, 'IPv6 entry, which is', 'IPv6 entries, which are')} skipped: only IPv4 is swept"
    yield from _few_pairs(plan)
    if plan.probe.engine.extra_probes and not plan.control.targets and not sockets.in_closed_testbed():
        yield (
            "there is no control target: if the path breaks before the hit-rate alarm has a baseline, silence looks like absence; "
            'name a host of yours in another network, [control] targets = ["ADDRESS:PORT"]'
        )


def refusal(plan: Plan) -> str:
    """Why the plan is refused outside of a testbed; empty if it is not."""
    missing = sockets.missing_identity(plan.identity)
    return f"[identity] lacks {', '.join(missing)}" if missing else ""


def _few_pairs(plan: Plan) -> Iterator[str]:
    """Yield that too few hosts get a second SYN for an estimate of how many are missed."""
    pairs = round(plan.targets * plan.loss.sample * SUPPOSED_HITS)
    lowest = float(recapture.detection(pairs, pairs).low)
    if not plan.loss.sample or lowest >= LOWEST_DETECTION:
        return
    enough = next(count for count in range(1000) if recapture.detection(count, count).low >= LOWEST_DETECTION)
    share = enough / (plan.targets * SUPPOSED_HITS)
    remedy = f"raise [loss] sample to {share:.2g}" if share < 1 else "set [loss] sample to 1, or sweep more targets"
    yield (
        f"if one target in {1 / SUPPOSED_HITS:.0f} answers, about {pairs} of them get a second SYN: too few to estimate how many "
        f"services are missed (the interval begins at {lowest:.0%} even if none is); {remedy}"
    )
