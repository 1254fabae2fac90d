"""An intruder who solves the linear equations of all published tables of one sweep. No code of the program's.

What is unknown of each country: how many services gave each answer, how many are likely decoys, and how many of the others declare old
and new versions. Every published number is a sum of these. `recovered` returns the few services of a country that follow from them, in
words; nothing if none does.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]
ANSWERS = ("echoed", "accepted", "called", "calling", "otherwise", "aborted")
TITLES = {"rejected_called": "called", "rejected_calling": "calling", "rejected_otherwise": "otherwise"}
#: What a column counts, by the answers or other unknowns that add up to it.
SUMS: dict[str, tuple[str, ...]] = {
    "accepting": ("echoed", "accepted"), "anyone": ("echoed", "accepted"), "echoed": ("echoed",),
    "rejected": ("called", "calling", "otherwise"), "aborted": ("aborted",), "decoys": ("decoys",), "undoubted": ("genuine",),
    "addresses_undoubted": ("at_genuine",), **{column: (answer,) for column, answer in TITLES.items()},
    "accepts_association": ("echoed", "accepted"), "echoes": ("echoed",), "dated": ("old", "young"), "undated": ("undated",),
    "older": ("old",), "younger": ("young",),
}  # fmt: skip
AGES = ("old", "young", "undated")
PAIRS = {
    "services": (ANSWERS, ("decoys", "genuine")), "addresses": (("at_genuine", "at_decoys"),), "undoubted": (AGES,),
}  # fmt: skip
UNKNOWN = (*ANSWERS, "decoys", "genuine", "at_genuine", "at_decoys", *AGES)
#: Marts with rows of each country whose accepting services add up to those of the country.
DIVIDED = ("ports", "sectors", "network_kinds", "networks")
BY_COUNTRY = ("countries", "ae_control", "country_trend", "rates", "concentration", "software_ages")
WHOLE = ("totals", "trend", "rates", "concentration", "software_ages")


def equations(tables: Tables, countries: Sequence[Any]) -> Iterator[tuple[list[tuple[Any, str]], float]]:
    """Yield each published sum: the unknowns that add up to it, and the number."""
    for mart in BY_COUNTRY:
        for row in (row for row in tables.get(mart, ()) if not row.get("of_all") and row["country"] in countries):
            yield from _of_row(row, [row["country"]])
    for row in (row for mart in WHOLE for row in tables.get(mart, ()) if row.get("of_all", "country" not in row)):
        yield from _of_row(row, countries)
    yield from _of_steps(tables, countries)
    yield from _of_parts(tables, countries)


def _of_row(row: Row, of: Sequence[Any]) -> Iterator[tuple[list[tuple[Any, str]], float]]:
    for column, parts in SUMS.items():
        if row.get(column) is not None:
            yield [(country, part) for country in of for part in parts], row[column]
    for column, splits in PAIRS.items():
        for parts in splits if row.get(column) is not None else ():
            yield [(country, part) for country in of for part in parts], row[column]
    if row.get("per_million_undoubted") is not None:
        yield (
            [(country, "at_genuine") for country in of],
            row["per_million_undoubted"] * row["addresses_probed"] / 1e6,
        )


def _of_steps(tables: Tables, countries: Sequence[Any]) -> Iterator[tuple[list[tuple[Any, str]], float]]:
    for mart in ("funnel", "country_funnel"):
        for row in tables.get(mart, ()):
            if row["step"] in SUMS and row["targets"] is not None and row.get("country", countries[0]) in countries:
                of = [row["country"]] if "country" in row else countries
                yield [(country, part) for country in of for part in SUMS[row["step"]]], row["targets"]
    outcomes = {row["outcome"]: row["targets"] for row in tables.get("outcomes", ())}
    for name in ("rejected", "aborted"):
        if name in outcomes:
            yield [(country, part) for country in countries for part in SUMS[name]], outcomes[name]
    reasons: dict[str, int] = defaultdict(int)
    for row in tables.get("rejections", ()):
        name = {(1, 7): "called", (1, 3): "calling"}.get((row["rj_source"], row["rj_reason"]), "otherwise")
        reasons[name] += row["services"]
    for name, services in reasons.items():
        yield [(country, name) for country in countries], services


def _of_parts(tables: Tables, countries: Sequence[Any]) -> Iterator[tuple[list[tuple[Any, str]], float]]:
    for mart in DIVIDED:
        for country in countries:
            lines = [row for row in tables.get(mart, ()) if row["country"] == country]
            if lines and all(row["accepting"] is not None for row in lines):
                yield [(country, part) for part in SUMS["accepting"]], sum(row["accepting"] for row in lines)
    for row in tables.get("doubts", ()):
        for part, names in {"decoys": ("honeypot", "answers_everything"), "genuine": ("odd", "unsuspected")}.items():
            if all(row[name] is not None for name in names):
                yield [(row["country"], part)], sum(row[name] for name in names)


def recovered(tables: Tables, k: int) -> list[str]:
    """The small counts of a country that follow from the published ones."""
    services = {row["country"]: row["services"] for row in tables["countries"] if row["services"]}
    places = list(services)
    unknown = {name: n for n, name in enumerate((c, part) for c in places for part in UNKNOWN)}
    known = [([unknown[each] for each in parts], value) for parts, value in equations(tables, places)]
    matrix = np.zeros((len(known), len(unknown)))
    for line, (parts, _) in enumerate(known):
        matrix[line, parts] = 1
    low, high = _bounds(known, len(unknown))
    sizes, columns = np.linalg.eigh(matrix.T @ matrix)
    free = columns[:, sizes < 1e-9].T
    solved = np.linalg.pinv(matrix.T @ matrix, rcond=1e-12) @ matrix.T @ np.array([value for _, value in known])
    found = []
    for country, whole in services.items():
        for name, parts in SUMS.items():
            at = [unknown[country, part] for part in parts]
            fixed = np.abs(free[:, at].sum(axis=1)).max(initial=0) < 1e-6 or low[at].sum() == high[at].sum()
            value = round(solved[at].sum() if low[at].sum() != high[at].sum() else low[at].sum())
            everywhere = sum(high[unknown[c, part]] for c in places for part in parts)
            of = round(tables_addresses(tables, country)) if name == "addresses_undoubted" else whole
            few = any(0 < count < k for count in (value, of - value, whole))
            if fixed and few and everywhere and not _all(name, tables):
                found.append(f"{name} of {country}: {value} of {of}")
    return found


def tables_addresses(tables: Tables, country: Any) -> int:
    """The addresses of a country."""
    return next(row["addresses"] for row in tables["countries"] if row["country"] == country)


def _all(name: str, tables: Tables) -> bool:
    """Whether a total says that all services are of one kind, or none is."""
    of = {"undoubted": "decoys", "addresses_undoubted": "decoys"}.get(name, name)
    return any(row.get(of) in (0, row["services"]) for row in tables["totals"])


def _bounds(known: Iterable[tuple[list[int], float]], size: int) -> tuple[Any, Any]:
    """The least and the most that each unknown can be: none is negative."""
    known = [(parts, round(value)) for parts, value in known]
    low, high, rounds = [0] * size, [10**9] * size, 0
    while rounds < 4:
        rounds += 1
        for parts, value in known:
            lows, highs = sum(low[part] for part in parts), sum(high[part] for part in parts)
            for part in parts:
                least, most = max(low[part], value - (highs - high[part])), min(high[part], value - (lows - low[part]))
                lows, highs = lows + least - low[part], highs + most - high[part]
                low[part], high[part] = least, most
    return np.array(low), np.array(high)
