"""A row for each service, without address or name, as far as the disclosure rule lets it pass (`anonymity`, docs/release.md)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import msgspec

from pipeline.errors import InputError
from pipeline.publish.data import Facts, Mart, Row
from pipeline.publish.gather import query, select
from pipeline.release import anonymity
from pipeline.release.anonymity import Count, DisclosureRule, Kind, Shown
from pipeline.untrusted import bounded
from pipeline.untrusted.visible import visible

#: What a row shows of a service.
COLUMNS = (
    "country", "sector", "sector_confidence", "network_kind", "network_confidence", "product", "port", "answer", "decoy",
)  # fmt: skip
#: The marts that count a country's services by some of these columns, which the mart names otherwise.
MARTS = {"ports": ("port",), "sectors": ("sector", "confidence"), "network_kinds": ("network_kind", "confidence")}
OURS = {
    "ports": ("port",),
    "sectors": ("sector", "sector_confidence"),
    "network_kinds": ("network_kind", "network_confidence"),
}
#: An answer, and the column of mart `countries` that counts it.
ANSWERS = {"accepted": "accepting", "rejected": "rejected", "aborted": "aborted"}
#: The file of a bundle in which the next release finds what this and earlier ones showed; a bundle has no larger one.
EARLIER, LARGEST = "release.json", 1 << 28


class Earlier(msgspec.Struct, frozen=True):
    """What a release showed of a sweep: kinds, each with the number of its services."""

    sweep: str
    shown: list[tuple[list[str | bool | None], int]]

    @property
    def kinds(self) -> dict[Kind, int]:
        """The number of services by kind."""
        return {tuple(kind): n for kind, n in self.shown}


class Published(msgspec.Struct, frozen=True):
    """The part of a bundle's `release.json` that the next release reads."""

    microdata: list[Earlier] = []


@dataclass(frozen=True, slots=True)
class Microdata:
    """The rows of one sweep, and how much is not in them."""

    sweep: str
    rows: tuple[Row, ...]
    services: int
    withheld: int
    left_out: int
    earlier: Earlier

    @property
    def sentence(self) -> str:
        """How much was suppressed."""
        shown = self.services - self.withheld - self.left_out
        share = f" ({100 * shown / self.services:.1f} %)" if self.services else ""
        return (
            f"{self.sweep}: of {self.services:,} services {shown:,}{share} are shown, {self.withheld:,} by their country alone, and "
            f"{self.left_out:,} are left out."
        )


def previous(folder: Path | None) -> list[Earlier]:
    """What an earlier bundle, and those before it, showed; nothing without one. Raises InputError if the folder is no bundle."""
    if folder is None:
        return []
    path = folder / EARLIER
    return bounded.json(bounded.read(path, LARGEST), Published, visible(str(path))).microdata


def microdata(
    con: duckdb.DuckDBPyConnection, facts: Facts, sweep: str, k: int, earlier: Sequence[Earlier]
) -> Microdata:
    """The microdata of a sweep, given what its published marts say and what earlier releases showed."""
    now = _services(con, sweep)
    services = Counter(kind for _, kind in now)
    parts = {kind: list(published(facts.marts, kind)) for kind in services}
    rule = DisclosureRule(k, frozenset(_closed(con, now, k, earlier)), _shown_before(earlier))
    passed = anonymity.shown(services, parts, {kind: list(everywhere(kind)) for kind in services}, rule)
    return Microdata(
        sweep=sweep,
        rows=tuple(_rows(sweep, passed)),
        services=len(now),
        withheld=sum(passed.withheld.values()),
        left_out=passed.left_out,
        earlier=Earlier(sweep, [(list(kind), n) for kind, n in sorted(passed.kinds.items(), key=str)]),  # type: ignore[arg-type]
    )


def _services(con: duckdb.DuckDBPyConnection, sweep: str) -> list[tuple[object, Kind]]:
    """Each service by address and port, and its kind."""
    return [
        ((row["ip"], row["at_port"]), tuple(row[column] for column in COLUMNS))
        for row in query(con, "services", sweep=sweep)
    ]


def published(marts: Mapping[str, Mart], kind: Kind) -> Iterator[Count]:
    """Yield the published counts that a kind is a part of: rows of marts, and those of their columns that say what it answered."""
    service = dict(zip(COLUMNS, kind, strict=True))
    country, accepts = service["country"], service["answer"] == "accepted"
    (row,) = [row for row in marts["countries"].rows if row["country"] == country]
    yield ("countries", country)
    counted = row[ANSWERS[str(service["answer"])]] is not None
    yield ("countries", country, service["answer"] if counted else "the others")
    if row["decoys"] is not None:
        yield ("countries", country, "decoy", service["decoy"])
    for mart, columns in MARTS.items():
        mine = tuple(service[column] for column in OURS[mart])
        rows = [row for row in marts[mart].rows if row["country"] == country and row["services"]]
        named = {tuple(_text(row[column]) for column in columns): row for row in rows}
        which = mine if mine in named else "the others"
        yield (mart, country, which)
        if all(row["accepting"] is not None for row in rows):
            yield (mart, country, which, accepts)
    yield from everywhere(kind)


def everywhere(kind: Kind) -> Iterator[Count]:
    """Yield the counts over all countries that a kind is a part of."""
    service = dict(zip(COLUMNS, kind, strict=True))
    yield from ((column, service[column]) for column in ("product", "answer", "decoy"))


def _text(value: object) -> object:
    """A value of a mart as microdata have it: a port is a name."""
    return str(value) if isinstance(value, int) else value


def _closed(
    con: duckdb.DuckDBPyConnection, now: Iterable[tuple[object, Kind]], k: int, earlier: Iterable[Earlier]
) -> Iterator[object]:
    """Yield the countries of which too few services changed since an earlier release showed them. Raises InputError."""
    now = list(now)
    known = {row["sweep"] for row in select(con, "SELECT sweep FROM sweeps")}
    for each in earlier:
        if each.sweep not in known:
            raise InputError(
                "--previous",
                f"its sweep {visible(each.sweep)} is not in this lake; name a release of this lake's sweeps",
            )
        changes = anonymity.changed(_services(con, each.sweep), now)
        countries = {kind[0] for kind in each.kinds}
        yield from (country for country in countries if 0 < changes.get(country, 0) < k)


def _shown_before(earlier: Iterable[Earlier]) -> Mapping[Kind, frozenset[int]]:
    """Every number that an earlier release showed, by kind."""
    numbers: dict[Kind, set[int]] = defaultdict(set)
    for each in earlier:
        for kind, n in each.kinds.items():
            numbers[kind].add(n)
    return {kind: frozenset(values) for kind, values in numbers.items()}


def _rows(sweep: str, passed: Shown) -> Iterator[Row]:
    """Yield a row for each service that is shown, then for each of which only the country is; rows of a kind are alike."""
    for kind, n in sorted(passed.kinds.items(), key=str):
        row = {"sweep": sweep, **dict(zip(COLUMNS, kind, strict=True)), "country_only": False}
        yield from (row for _ in range(n))
    for country, n in sorted(passed.withheld.items(), key=str):
        row = {"sweep": sweep, **dict.fromkeys(COLUMNS), "country": country, "country_only": True}
        yield from (row for _ in range(n))
