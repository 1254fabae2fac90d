"""An intruder, who has what is published and nothing else: rows of services, marts, and an earlier release. No code of the program's.

Each attack returns the few services that it tells from all others, in words; nothing if it fails.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Row = dict[str, Any]
#: A mart, its columns, and those of the rows of services.
LINKS = {
    "ports": (("port",), ("port",)),
    "sectors": (("sector", "confidence"), ("sector", "sector_confidence")),
    "network_kinds": (("network_kind", "confidence"), ("network_kind", "network_confidence")),
}
MERGED = "(merged: too few to show apart)"
PARTS = {"accepted": "accepting", "rejected": "rejected", "aborted": "aborted"}


def by_looking(rows: Sequence[Row], k: int) -> list[str]:
    """Count the rows that are alike, by all columns and by each choice of one or two of them."""
    alike = Counter(tuple(row.items()) for row in rows)
    found = [f"{n} rows are {kind}" for kind, n in alike.items() if n < k]
    open_rows = [row for row in rows if not row["country_only"]]
    for one in open_rows[:1] and open_rows[0]:
        for other in open_rows[0]:
            groups = Counter((row["country"], row[one], row[other]) for row in open_rows)
            found += [f"{n} rows with {one}, {other}: {group}" for group, n in groups.items() if n < k]
    return found


def by_subtraction(rows: Sequence[Row], marts: Mapping[str, Iterable[Row]], k: int) -> list[str]:
    """Take the rows from each published count of a country: what is left must be nothing, or many."""
    return [
        f"{left} of {what}"
        for what, published, shown in _counts([row for row in rows if not row["country_only"]], marts)
        if shown and 0 < (left := published - shown) < k
    ]


def _counts(rows: Sequence[Row], marts: Mapping[str, Iterable[Row]]) -> Iterator[tuple[str, int, int]]:
    """Yield each published count, with the number of rows that are a part of it."""
    for line in marts["countries"]:
        here = [row for row in rows if row["country"] == line["country"]]
        yield f"services of {line['country']}", line["services"], len(here)
        hidden = [answer for answer, column in PARTS.items() if line[column] is None]
        for answer in set(PARTS) - set(hidden):
            yield f"{answer} of {line['country']}", line[PARTS[answer]], sum(row["answer"] == answer for row in here)
        told = sum(line[PARTS[answer]] for answer in set(PARTS) - set(hidden))
        yield f"{hidden} of {line['country']}", line["services"] - told, sum(row["answer"] in hidden for row in here)
        if line["decoys"] is not None:
            yield f"decoys of {line['country']}", line["decoys"], sum(row["decoy"] for row in here)
    for mart, (columns, ours) in LINKS.items():
        for country in {line["country"] for line in marts[mart]}:
            yield from _of_country(
                mart, [line for line in marts[mart] if line["country"] == country], rows, columns, ours
            )


def _of_country(
    mart: str, lines: list[Row], rows: Sequence[Row], columns: Sequence[str], ours: Sequence[str]
) -> Iterator[tuple[str, int, int]]:
    """Yield the counts of a country in one mart. A merged row counts whatever the other rows do not name."""
    named = {tuple(str(line[column]) for column in columns) for line in lines if MERGED not in line.values()}
    for line in (line for line in lines if line["services"]):
        value = tuple(str(line[column]) for column in columns)
        merged = MERGED in line.values()
        of = [
            row
            for row in rows
            if row["country"] == line["country"]
            and ((mine := tuple(str(row[column]) for column in ours)) == value or (merged and mine not in named))
        ]
        yield f"{mart} {line['country']} {value}", line["services"], len(of)
        if line["accepting"] is not None:
            accepted = sum(row["answer"] == "accepted" for row in of)
            yield f"accepting in {mart} {line['country']} {value}", line["accepting"], accepted
            yield (
                f"refusing in {mart} {line['country']} {value}",
                line["services"] - line["accepting"],
                len(of) - accepted,
            )


def by_elimination(
    rows: Sequence[Row], countries: Mapping[object, int], products: Mapping[object, int], k: int
) -> list[str]:
    """Place the withheld services of a product, of which the number over all countries is published."""
    shown = [row for row in rows if not row["country_only"]]
    hidden = {country: n - sum(row["country"] == country for row in shown) for country, n in countries.items()}
    found = []
    for product, n in products.items():
        left = n - sum(row["product"] == product for row in shown)
        for country, here in hidden.items():
            least = left - sum(n for other, n in hidden.items() if other != country)
            if shown and 0 < least < k and least == min(left, here):
                found.append(f"{least} of {product} in {country}")
    return found


def by_comparison(now: Sequence[Row], before: Sequence[Row], changed: Mapping[object, int], k: int) -> list[str]:
    """Compare two releases: a kind whose number changed a little, or a country of which few services changed and rows did."""
    new, old = (Counter(tuple(row.items()) for row in rows if not row["country_only"]) for rows in (now, before))
    found = [
        f"{new[kind] - old[kind]:+} of {kind}" for kind in new.keys() & old.keys() if 0 < abs(new[kind] - old[kind]) < k
    ]
    for country, n in changed.items():
        here = [{kind: n for kind, n in each.items() if dict(kind)["country"] == country} for each in (new, old)]
        if 0 < n < k and all(here):
            found.append(f"which of {country}'s services changed")
    return found
