"""The marts that follow systems over sweeps, in worlds where it is known which system had each address."""

from collections import defaultdict

import pytest

from tests.analysis.system_world import SWEEPS, Made, World, make, make_all

#: A link: sweep and address, later and earlier.
Links = dict[tuple[int, int], tuple[tuple[int, int], str]]
LAST = SWEEPS - 1
ENDS = ("missed_low", "missed_high", "false_low", "false_high", "ended_low", "ended_high")
#: Worlds of each kind, and how many of the intervals of all kinds must hold the truth: of 24 at 95 % fewer do once in 40 times.
SEEDS, KINDS, HELD = 4, 6, 21


def links(made: Made) -> dict[int, Links]:
    """Earlier sighting → the later one, and by what: of each series of a lake."""
    sql = (
        "SELECT series.series, position - sweeps_between - 1, earlier_ip, position - 1, ip, linked_by "
        "FROM system_links JOIN series USING (sweep)"
    )
    found: dict[int, Links] = defaultdict(dict)
    for series, then, old, now, new, by in made.con.execute(sql).fetchall():
        found[series][then, old] = (now, new), by
    return found


def at(sweep: str) -> int:
    """The number of a sweep in its world."""
    return int(sweep.rpartition("-")[2])


def true_errors(made: Made, found: Links) -> tuple[int, int, int]:
    """Of the systems of two sweeps ago: those that moved and were not recognised, false links by identity, and those that ended."""
    missed, false, ended = 0, 0, 0
    for (sweep, ip), system in made.system.items():
        if sweep != LAST - 2:
            continue
        later = found.get((sweep, ip))
        there = system in made.alive[sweep + 1]
        missed += later is None and there
        false += later is not None and later[1] == "identity" and made.system[later[0]] != system
        ended += not there
    return missed, false, ended


def test_the_stated_errors_hold_the_true_ones() -> None:
    """Missed links, false ones and ended systems are in their intervals as often as these say, whatever share of addresses moves."""
    worlds = [World(churn, networks=12, systems=25) for churn in (0.0, 0.05, 0.1, 0.2, 0.3)]
    worlds.append(World(0.1, ends=0.2, alike=0.1, networks=12, systems=25))
    assert len(worlds) == KINDS
    every = make_all((world, seed) for world in worlds for seed in range(SEEDS))
    con, found = every[0].con, links(every[0])
    sql = f"SELECT {', '.join(ENDS)} FROM system_endings JOIN series USING (sweep) WHERE position = ? ORDER BY series"
    stated = con.execute(sql, [SWEEPS]).fetchall()
    true = [true_errors(made, found[made.series]) for made in every]
    held = [
        sum(
            row[2 * number] - 1e-9 <= errors[number] <= row[2 * number + 1] + 1e-9
            for row, errors in zip(stated, true, strict=True)
        )
        for number in range(3)
    ]
    assert min(held) >= HELD, held
    assert sum(false for _, false, _ in true) > 0


def test_survival_holds_the_share_that_exists() -> None:
    """The widened interval of each sweep holds the share of the first systems that exist, and nothing is said of the last sweep.

    So it is where no address is renewed, and where many are.
    """
    every = make_all((World(churn, networks=12, systems=25), 3) for churn in (0.0, 0.3))
    con = every[0].con
    sql = (
        "SELECT position, exists_least, exists_most, exists_share * systems_first "
        "FROM system_survival ORDER BY series, position"
    )
    rows = con.execute(sql).fetchall()
    assert [row[0] for row in rows] == [*range(2, SWEEPS)] * len(every)
    followed = con.execute(
        "SELECT systems_followed - steps_ended FROM system_tallies JOIN series USING (sweep) WHERE systems_followed > 0 "
        "ORDER BY series, position"
    ).fetchall()
    assert [told for *_, told in rows] == pytest.approx([row[0] for row in followed])
    worlds = [made for made in every for _ in range(2, SWEEPS)]
    for (position, least, most, _), made in zip(rows, worlds, strict=True):
        first = {system for (sweep, _), system in made.system.items() if sweep == 0}
        assert least <= len(first & made.alive[position - 1]) / len(first) <= most


def test_without_keys_nothing_is_known_of_errors() -> None:
    """Where no certificate key shows a move, every ended system may have moved, and every link may be false."""
    made = make(World(0.3, keyed=0.0, networks=6, systems=20), 1)
    sql = (
        "SELECT systems_ended, links_by_identity, missed_links, missed_low, missed_high, false_links, false_low, false_high "
        "FROM system_changes WHERE position = ?"
    )
    (row,) = made.con.execute(sql, [SWEEPS]).fetchall()
    ended, linked, *errors = row
    assert ended and linked and errors == [None, 0, ended, None, 0, linked]


def test_keys_judge_the_rule_of_identity() -> None:
    """`link_errors` counts the moves of keys that are in `system_pairs` by identity too, up to each sweep."""
    made = make(World(0.3, networks=12, systems=25), 5)
    sql = "SELECT sweep, ip, earlier_ip FROM system_pairs WHERE sweeps_between = 1 AND linked_by = ?"

    def paired(by: str) -> set[tuple[int, int, int]]:
        return {(at(sweep), ip, old) for sweep, ip, old in made.con.execute(sql, [by]).fetchall()}

    by_identity = paired("identity")
    moves = {
        (sweep, ip, old) for sweep, ip, old in paired("key") if made.system[sweep, ip] == made.system[sweep - 1, old]
    }
    counted = made.con.execute("SELECT position - 1, key_moves, key_moves_linked FROM link_errors").fetchall()
    assert {sweep: (every, linked) for sweep, every, linked in counted} == {
        last: (len(own), len(own & by_identity))
        for last in range(1, SWEEPS)
        for own in [{move for move in moves if move[0] <= last}]
    }


def test_each_system_has_one_fate() -> None:
    """Each of `system_sightings` but those of the last two sweeps is once in `system_fates`, and is linked or has ended."""
    made = make(World(0.1, networks=6, systems=20), 2)
    seen = made.con.execute("SELECT sweep, ip FROM system_sightings WHERE sweep < ?", [f"n001-{SWEEPS - 2}"]).fetchall()
    fates = made.con.execute("SELECT seen_sweep, ip, later_ip, has_ended FROM system_fates").fetchall()
    assert sorted(seen) == sorted(fate[:2] for fate in fates)
    assert all((later is None) == ended for _, _, later, ended in fates)
