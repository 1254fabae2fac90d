"""What a report says of a focus sweep: what it probed, what that says of the whole space, and what changed in its panel."""

from collections.abc import Callable, Iterator, Sequence

from pipeline.publish.data import Facts, Row
from pipeline.publish.scope import Scope
from pipeline.publish.wording import number, percent
from pipeline.words.plural import plural


def of(about: Row, scope: Scope, rows_of: Callable[[str], Sequence[Row]]) -> Row | None:
    """The estimates of a focus sweep; None for another sweep, or for a country's edition: too few services are drawn in one."""
    if about["focus"] is None or scope.country:
        return None
    return next(iter(rows_of("focus")), None)


def notice(facts: Facts) -> str | None:
    """A note under the headline, so that nobody compares the count with that of a whole sweep."""
    if not facts.is_focus:
        return None
    share = facts.about["addresses"] / facts.about["focus_addresses"]
    return (
        f"This is a focus sweep. It probed {percent(share)} of the target space, mostly where services were before. All counts are of "
        "the addresses that it probed, and cannot be compared with those of a whole sweep."
    )


def estimate(facts: Facts) -> str:
    """The estimate for the whole space, without what packet loss hides."""
    row = facts.focus
    if row is None:
        return "This focus sweep says what answered where it probed. It has no estimate for one country."
    known = "1 whole sweep" if row["begun_with"] == 1 else f"{row['begun_with']} whole sweeps"
    besides = ""
    if facts.totals["decoys"]:
        besides = f", {_range(row, 'undoubted', 'undoubted_estimated')} without likely decoys"
    return (
        f"This focus sweep probed all /24s where {known} had found a service, and a random {percent(row['inclusion'])} of all other "
        f"/24s. In the whole target space, an estimated {_range(row, 'services', 'services_estimated')} DICOM services would "
        f"answer{besides}, not counting those that packet loss hides."
    )


def change(facts: Facts) -> Iterator[str]:
    """What came and went at the addresses that this focus sweep and the one before both probed."""
    row = facts.focus
    if row is None or row["earlier"] is None:
        return
    shown = "" if row["net_low"] > 0 or row["net_high"] < 0 else " No change of the number is shown."
    yield (
        f"At the addresses that this focus sweep and that of {row['earlier']:%Y-%m-%d} both probed, "
        f"{plural(row['came'], 'service')} came and {number(row['went'])} went. For the whole target space these stand for "
        f"{_range(row, 'came', 'came_estimated')} and {_range(row, 'went', 'went_estimated')}; the number changed by "
        f"{row['net']:+,.0f} "
        f"(95 % interval {row['net_low']:+,.0f} to {row['net_high']:+,.0f}).{shown} A lost probe looks like a change."
    )


def _range(row: Row, name: str, value: str) -> str:
    """An estimate and its interval."""
    low, high = (number(int(row[f"{name}_{end}"])) for end in ("low", "high"))
    return f"{number(round(row[value]))} (95 % interval {low} to {high})"
