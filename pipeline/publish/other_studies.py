"""What other studies counted, and what each would have counted of this sweep by its own rule."""

from collections.abc import Iterator, Sequence

from pipeline.publish.countries import name
from pipeline.publish.data import Facts, Row
from pipeline.publish.wording import number

EVERYWHERE = "All countries"
#: How a study's rule is called in the table.
RULES = {
    "responded": "Answered a SYN",
    "spoke": "Spoke DICOM",
    "accepted": "Accepted an association",
    "undoubted": "Spoke DICOM, likely decoys left out",
}


def rows(facts: Facts) -> list[Row]:
    """The counts that this sweep can be set against; none of a sample or a focus, nor if it found nothing."""
    if facts.sampled or facts.is_focus or not facts.totals["services"]:
        return []
    return [
        row
        | {
            "country": name(row["country"]) if row["country"] else EVERYWHERE, "counted_as": RULES[row["counted_as"]],
            "published": str(row["published"]), "published_count": _count(row),
        }
        for row in facts.marts["as_published"].rows
        if row["counted"] is not None
    ]  # fmt: skip


def sentences(facts: Facts) -> Iterator[str]:
    """The newest study of each rule, with both numbers; nothing in a country's edition."""
    if facts.country or not rows(facts):
        return
    newest = {
        row["counted_as"]: row
        for row in facts.marts["as_published"].rows
        if row["counted"] is not None and not row["country"]
    }
    counts = [
        f"{number(row['counted'])} by the rule of {row['study']} ({row['published']}: {_count(row)})"
        for row in newest.values()
    ]
    yield (
        f"As other studies count, this sweep found {'; '.join(counts)}. In brackets is what each published. Probes, ports, networks "
        "and dates differ, so the pairs show no trend."
    )


def withheld(rows: Sequence[Row], ports: Sequence[Row], shown: Sequence[Row], least: int) -> list[Row]:
    """The rows, without counts at one port from which it follows how few services one country has there.

    `ports` are the rows of that mart, `shown` those that are published: merged ones do not tell their ports.
    """
    listed = {(row["country"], row["port"]) for row in shown}
    kept = []
    for row in rows:
        rest = [r["services"] for r in ports if r["port"] == row["port"] and (r["country"], r["port"]) not in listed]
        rest = [services for services in rest if services]
        few = bool(rest) and (len(rest) < 2 or sum(rest) < least)
        kept.append(row | {"counted": None} if few and row["counted_as"] != "responded" else row)
    return kept


def _count(row: Row) -> str:
    return f"{'over ' if row['at_least'] else ''}{number(row['published_count'])}"
