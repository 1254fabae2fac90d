"""The disclosure rule of microdata (docs/release.md): which kinds of services may be shown, a row for each service.

A kind is a combination of all that a row shows; services of one kind cannot be told apart. Kinds are shown whole or not at all:

1. A kind has at least k services.
2. For each published count that a kind is a part of, what it leaves is nothing, or at least k services. So nobody finds a few
   services by taking the rows from a mart. A mart's merged row is one count.
3. What is withheld cannot be placed: no count of a property over all countries leaves a country with fewer than k services that must
   have it.
4. Since every earlier release that showed a country, none of its services changed, or at least k did. A kind that was shown before has
   as many services as then, or differs by at least k.

The rest is withheld: of these services only the country is shown, and that too only of at least k.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

#: The values of a service, in the order of the columns; the country is the first.
Kind = tuple[object, ...]
#: A published count that services are a part of: a name of the mart, and which of its rows.
Count = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class DisclosureRule:
    """How fine the microdata are: `k`, the countries that may show nothing, and what earlier releases showed of each kind."""

    k: int
    closed: frozenset[object] = frozenset()
    earlier: Mapping[Kind, frozenset[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shown:
    """What may be shown: services by kind, withheld ones by country, and the number that no row is about."""

    kinds: Mapping[Kind, int]
    withheld: Mapping[object, int]
    left_out: int


def shown(
    services: Mapping[Kind, int],
    parts: Mapping[Kind, Sequence[Count]],
    everywhere: Mapping[Kind, Sequence[Count]],
    rule: DisclosureRule,
) -> Shown:
    """Return what the rule lets pass of these services, counted by kind.

    `parts` has the published counts that a kind is a part of; `everywhere` those that are about all countries together.
    """
    kept = {kind: n for kind, n in services.items() if _may_be_shown(kind, n, rule)}
    table = _Table(services, parts, everywhere, rule.k)
    while revealing := table.revealing(kept):
        kept = {kind: n for kind, n in kept.items() if kind not in revealing}
    rest: Counter[object] = Counter()
    for kind, n in services.items():
        if kind not in kept:
            rest[kind[0]] += n
    withheld = {country: n for country, n in rest.items() if n >= rule.k}
    return Shown(kept, withheld, sum(rest.values()) - sum(withheld.values()))


def _may_be_shown(kind: Kind, services: int, rule: DisclosureRule) -> bool:
    """Whether a kind is large enough, its country open, and its number not a small change of an earlier one."""
    changes = {abs(services - then) for then in rule.earlier.get(kind, frozenset())}
    return services >= rule.k and kind[0] not in rule.closed and all(n == 0 or n >= rule.k for n in changes)


@dataclass(frozen=True, slots=True)
class _Table:
    """The services by kind, and the counts that are published of them."""

    services: Mapping[Kind, int]
    parts: Mapping[Kind, Sequence[Count]]
    everywhere: Mapping[Kind, Sequence[Count]]
    k: int

    def revealing(self, kept: Mapping[Kind, int]) -> set[Kind]:
        """Shown kinds whose withholding mends faults of what is shown, the smallest; none without a fault."""
        order = sorted(kept, key=lambda kind: (kept[kind], str(kind)))
        whole, seen = _sums(self.services, self.parts), _sums(kept, self.parts)
        faulty = {count for count, n in seen.items() if 0 < whole[count] - n < self.k}
        smallest = {count: kind for kind in reversed(order) for count in self.parts[kind] if count in faulty}
        if smallest or not kept:
            return set(smallest.values())
        placed = self._placed(kept) - self._placed({})
        for country, count in sorted(placed, key=str):
            others = [kind for kind in order if kind[0] != country]
            different = [kind for kind in others if count not in self.everywhere[kind]]
            return set([*different, *others, *order][:1])
        return set()

    def _placed(self, kept: Mapping[Kind, int]) -> set[tuple[object, Count]]:
        """Countries, and counts over all countries, of which a few withheld services, and no other number, must be there.

        Of n withheld services with a property, those beyond what all other countries withhold are in this one; at most all that it
        withholds are (the bounds of Fréchet). With nothing kept, it is what the marts alone say.
        """
        rest = {kind: n for kind, n in self.services.items() if kind not in kept}
        having, hidden = _sums(rest, self.everywhere), Counter[object]()
        for kind, n in rest.items():
            hidden[kind[0]] += n
        total = hidden.total()
        return {
            (country, count)
            for count, n in having.items()
            for country, here in hidden.items()
            if 0 < (most := min(n, here)) < self.k and most == max(0, n - (total - here))
        }


def _sums(services: Mapping[Kind, int], parts: Mapping[Kind, Sequence[Count]]) -> Counter[Count]:
    """The services of each count."""
    sums: Counter[Count] = Counter()
    for kind, n in services.items():
        for count in parts[kind]:
            sums[count] += n
    return sums


def changed(before: Iterable[tuple[object, Kind]], now: Iterable[tuple[object, Kind]]) -> dict[object, int]:
    """How many services of each country came, went or look otherwise, between two lists of services with their kinds.

    A service that changed its country counts in both.
    """
    then, today = dict(before), dict(now)
    touched: dict[object, set[object]] = defaultdict(set)
    for service in then.keys() | today.keys():
        old, new = then.get(service), today.get(service)
        if old != new:
            for kind in (old, new):
                if kind is not None:
                    touched[kind[0]].add(service)
    return {country: len(services) for country, services in touched.items()}
