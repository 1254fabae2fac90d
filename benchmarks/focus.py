"""A focus sweep and a whole sweep, in simulated internets: packets, services found, and how often the intervals are right.

`python -m benchmarks.focus [--worlds N] [--weeks W ...]`. A kind of world states how its services crowd: *inhabited* of its /24s
have one; each has another one with the probability *another*; *crowded* of them have 20 to 119 instead. It states how many *end* in a
week, and how many of those that begin do so *outside* of /24s that have services. As many begin as end. A whole sweep sees all of a
world. W weeks later a focus sweep begins with its services, and a week before that another one of the same panel did. Both select
their /24s by the code of `census plan`, and estimate by the macros of mart `focus_totals`. Nothing is lost on the network, so a whole
sweep finds all. *Packets* and *found* are shares of a whole sweep's. *Total right* and *change right* are the shares of worlds whose
95 % interval holds the truth; *width* is that of the total's interval. The interval takes services elsewhere to crowd as they do where
services were.
*Drawn* is how many drawn /24s had a service, *crowding* how many services share the /24 of one, in all that were probed and
elsewhere, and *known* how often the interval of the total would be right if the latter were known. With `--plan` it only freezes a
plan over the Internet.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from pipeline.config.sections import Config, FocusSection, SweepSection, TargetsSection
from pipeline.enrich import databases
from pipeline.plan import freezing
from pipeline.plan import plan as planning
from pipeline.plan.focus import WholeSweeps
from pipeline.plan.freezing import FromLake, Provenance
from pipeline.space import strata
from pipeline.space.ranges import Ranges
from pipeline.views import views

Counts = NDArray[np.int64]
FIRST = 11 << 16
#: The number of /24s of each world: two /8s.
SLASH24S = 1 << 17
CROWDED = (20, 120)


@dataclass(frozen=True, slots=True)
class Kind:
    """What is common to some worlds, and the sample of their focus sweeps."""

    name: str
    inhabited: float = 0.02
    another: float = 0.5
    crowded: float = 0.0
    ends: float = 0.05
    outside: float = 0.4
    sample: float = 0.06


KINDS = (
    Kind("steady", ends=0.02),
    Kind("lively"),
    Kind("crowded", crowded=0.005),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a focus sweep of one world saw, and the truth: the total and the change since the sweep before, each known and drawn."""

    packets: float
    found: float
    share: float
    total: int
    known: int
    drawn: int
    squares: int
    groups: int
    elsewhere: int
    elsewhere_squares: int
    came: int
    came_known: int
    came_drawn: int
    went: int
    went_known: int
    went_drawn: int
    went_squares: int


def sizes(chance: np.random.Generator, kind: Kind, count: int) -> Counts:
    """The number of services of each of so many inhabited /24s."""
    services = chance.geometric(1 - kind.another, count)
    crowded = chance.random(count) < kind.crowded
    services[crowded] = chance.integers(*CROWDED, crowded.sum())
    return np.minimum(services, 256)


def week(chance: np.random.Generator, kind: Kind, there: Counts) -> tuple[Counts, Counts]:
    """How many services of each /24 end in a week, and how many begin."""
    ended = chance.binomial(there, kind.ends)
    begins = int(ended.sum())
    outside = int(chance.binomial(begins, kind.outside))
    homes = np.repeat(np.arange(len(there)), there)
    begun = np.bincount(chance.choice(homes, begins - outside), minlength=len(there))
    empty = chance.permutation(np.flatnonzero(there == 0))
    new = sizes(chance, kind, outside)
    groups = int(np.searchsorted(np.cumsum(new), outside)) + 1 if outside else 0
    new = new[:groups]
    if groups:
        new[-1] -= new.sum() - outside
    begun[empty[:groups]] += new
    return ended, begun


def see(kind: Kind, seed: int, weeks: int, slash24s: int = SLASH24S) -> Seen:
    """Live through a world, and look at it twice by a focus."""
    chance = np.random.default_rng(seed)
    there = np.zeros(slash24s, np.int64)
    inhabited = chance.choice(slash24s, round(kind.inhabited * slash24s), replace=False)
    there[inhabited] = sizes(chance, kind, len(inhabited))
    space = Ranges.of([(FIRST << 8, ((FIRST + slash24s) << 8) - 1)])
    earlier = (np.flatnonzero(there) + FIRST) << 8
    parts = strata.split(space, Ranges.covering(earlier, earlier + 255), kind.sample, seed)
    known, drawn = (strata.slash24s(part).astype(np.int64) - FIRST for part in (parts.known, parts.drawn))
    for _ in range(weeks):  # the last one is between both focus sweeps
        ended, begun = week(chance, kind, there)
        there = there - ended + begun
    both = np.concatenate((known, drawn))
    counted = {"": there, "came_": begun, "went_": ended}
    sums = {
        f"{name}{what}": int(value)
        for name, counts in counted.items()
        for what, value in (
            ("known", counts[known].sum()), ("drawn", counts[drawn].sum()), ("squares", (counts[both] ** 2).sum()),
        )
        if name + what in Seen.__slots__
    }  # fmt: skip
    others = np.delete(there, known)
    probed = (parts.known.count + parts.drawn.count) / space.count
    total = int(there.sum())
    return Seen(
        packets=probed, found=there[both].sum() / total, share=len(drawn) / parts.others, total=total, came=int(begun.sum()),
        went=int(ended.sum()), groups=int((there[drawn] > 0).sum()), elsewhere=int(others.sum()),
        elsewhere_squares=int((others**2).sum()), **sums,
    )  # fmt: skip


#: The estimates of marts `focus_totals` and `focus_changes`, by their macros.
ESTIMATES = """
WITH ends AS (
    SELECT *,
        known + drawn_low(drawn, squares / (known + drawn), share) AS low,
        known + drawn_high(drawn, squares / (known + drawn), share) AS high,
        coalesce(elsewhere_squares / nullif(elsewhere, 0), 1) AS each,
        came_known + came_drawn / share AS c,
        came_known + drawn_low(came_drawn, squares / (known + drawn), share) AS c_low,
        came_known + drawn_high(came_drawn, squares / (known + drawn), share) AS c_high,
        went_known + went_drawn / share AS w,
        went_known + drawn_low(went_drawn, coalesce(went_squares / nullif(went_known + went_drawn, 0), 1), share) AS w_low,
        went_known + drawn_high(went_drawn, coalesce(went_squares / nullif(went_known + went_drawn, 0), 1), share) AS w_high
    FROM seen
)
SELECT
    avg(packets), avg(found), avg(CAST(total BETWEEN low AND high AS INT)), avg((high - low) / total),
    avg(CAST(came - went BETWEEN c - w - sqrt(pow(c - c_low, 2) + pow(w_high - w, 2))
        AND c - w + sqrt(pow(c_high - c, 2) + pow(w - w_low, 2)) AS INT)),
    avg((known + drawn / share) / total),
    avg(groups), avg(squares / (known + drawn)), avg(each),
    avg(CAST(elsewhere BETWEEN drawn_low(drawn, each, share) AND drawn_high(drawn, each, share) AS INT))
FROM ends
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What many worlds of a kind give, as shares; `estimated` is the mean estimate of the truth."""

    packets: float
    found: float
    total_right: float
    width: float
    change_right: float
    estimated: float
    groups: float
    crowding: float
    crowding_elsewhere: float
    right_if_known: float


def figures(seen: list[Seen]) -> Figures:
    """Estimate the total and the change of each world, and compare both with the truth."""
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as con:
        for macro in views.macros():
            con.execute(macro).fetchall()
        columns = {name: np.array([getattr(one, name) for one in seen]) for name in Seen.__slots__}
        con.register("seen", columns)
        (row,) = con.execute(ESTIMATES).fetchall()
    return Figures(*row)


def rows(worlds: int, weeks: int) -> Iterator[tuple[Kind, Figures]]:
    """The figures of each kind of world."""
    for kind in KINDS:
        yield kind, figures([see(kind, seed, weeks) for seed in range(worlds)])


def internet() -> str:
    """What a plan of a focus over the whole Internet is like, with 15,000 services, each in a /24 of its own."""
    targets = TargetsSection(include=("0.0.0.0/0",), focus=FocusSection(name="whole", sample=0.06))
    config = Config(sweep=SweepSection(name="focus", ports=(104,), seed=7, rate=100_000), targets=targets)
    services = (np.random.default_rng(1).choice(222 << 16, 15_000, replace=False) + (1 << 16)).astype(np.uint32) << 8
    begun = time.process_time()
    provenance = Provenance(created="2026-01-01T00:00:00Z", code_version="", requests={})
    lake = FromLake(begin=WholeSweeps(("whole",), services))
    plan = freezing.freeze(config, Path(), provenance, databases.load(None, None), lake=lake)
    frozen = time.process_time()
    size = len(planning.encode(plan))
    planning.decode(planning.encode(plan), "plan")
    read = time.process_time()
    return (
        f"{plan.addresses / plan.space_addresses:.2%} of {plan.space_addresses:,} addresses in {len(plan.ranges):,} ranges: "
        f"{size / 1e6:.1f} MB, frozen in {frozen - begun:.1f} s of CPU, encoded and read in {read - frozen:.1f} s"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--weeks", type=int, nargs="+", default=[1, 2, 4], help="since the whole sweep")
    parser.add_argument("--plan", action="store_true", help="only freeze a plan over the whole Internet")
    given = parser.parse_args()
    if given.plan:
        print(internet())
        return
    print(f"{given.worlds} worlds of each kind, {SLASH24S:,} /24s each, {SLASH24S * 256:,} addresses")
    print(
        f"{'world':<10}{'inhabited':>10}{'another':>9}{'crowded':>9}{'ends':>7}{'outside':>9}{'sample':>8}{'weeks':>7}"
        f"  {'sweep':<7}{'packets':>9}{'found':>9}{'total right':>13}{'width':>8}{'change right':>14}"
        f"{'drawn':>7}{'crowding':>16}{'known':>8}"
    )
    for weeks in given.weeks:
        for kind, seen in rows(given.worlds, weeks):
            about = (
                f"{kind.name:<10}{kind.inhabited:>10.1%}{kind.another:>9.0%}{kind.crowded:>9.1%}{kind.ends:>7.0%}{kind.outside:>9.0%}"
                f"{kind.sample:>8.1%}{weeks:>7}"
            )
            print(f"{about}  {'whole':<7}{1:>9.2%}{1:>9.2%}")
            print(
                f"{about}  {'focus':<7}{seen.packets:>9.2%}{seen.found:>9.2%}{seen.total_right:>13.1%}{seen.width:>8.1%}"
                f"{seen.change_right:>14.1%}{seen.groups:>7.1f}{seen.crowding:>8.1f}{seen.crowding_elsewhere:>8.1f}"
                f"{seen.right_if_known:>8.1%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
