"""What `census notify` prints: hand-overs as they were made, or the register of all of them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from pipeline.console import output, show
from pipeline.notify.edition import MEANINGS
from pipeline.notify.hand_over_events import AnyEvent, HandOver
from pipeline.notify.prepared import Prepared
from pipeline.untrusted.visible import visible
from pipeline.words.plural import plural


def prepared(made: Sequence[Prepared], *, as_json: bool) -> None:
    """Print for each recipient how many services it gets, and how many were left out for which reason."""
    for each in made:
        if as_json:
            output.json_line(_row(each))
        else:
            show.message(visible(_sentence(each)))
    if not made:
        show.message("nothing to hand over: no recipient has a service in this sweep")


def _row(each: Prepared) -> dict[str, Any]:
    about = each.edition
    return {
        "recipient": about.recipient,
        "scope": about.scope,
        "sweep": about.sweep,
        "services": len(about.services),
        **{severity: about.count(severity) for severity in MEANINGS},
        "decoys_left_out": about.decoys_left_out,
        "opted_out": about.opted_out,
        "waiting": about.waiting,
        "wait_until": str(each.experiment.until) if each.experiment else None,
        "key": each.key or None,
        "files": sorted(each.files),
    }


def _sentence(each: Prepared) -> str:
    about = each.edition
    severities = ", ".join(f"{about.count(name)} {name}" for name in MEANINGS if about.count(name))
    left = [
        f"{plural(about.decoys_left_out, 'likely honeypot')}" if about.decoys_left_out else "",
        f"{about.opted_out:,} opted out" if about.opted_out else "",
        f"{about.waiting:,} waiting by lot until {each.experiment.until}" if each.experiment else "",
    ]
    without = ", ".join(filter(None, left))
    return (
        f"{about.recipient} ({about.scope}): {plural(len(about.services), 'service')}"
        + (f" ({severities})" if severities else "")
        + (f"; left out: {without}" if without else "")
    )


def recorded(events: Sequence[AnyEvent], *, as_json: bool) -> None:
    """Print every event of the register, the oldest first. The key of an experiment's lot is never printed."""
    for event in events:
        row = {key: value for key, value in msgspec.to_builtins(event).items() if key != "previous"}
        if not isinstance(event, HandOver):
            row.pop("key")
        if as_json:
            output.json_line(row)
        else:
            show.message(visible(_line(event)))
    if not events:
        show.message("nothing was handed over")


def _line(event: AnyEvent) -> str:
    when = f"{event.at:%Y-%m-%d %H:%M} UTC, {event.who}: "
    if isinstance(event, HandOver):
        return (
            f"{when}{event.recipient} ({event.scope}) got {plural(event.services, 'service')} of {event.sweep}, "
            f"encrypted to {event.key}"
        )
    return f"{when}until {event.until} a random half of the addresses waits, of which {event.recipient} is not informed"
