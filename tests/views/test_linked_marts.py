"""Marts about services and systems over a series, built for each sweep from what is built of the earlier ones."""

import os
import shutil
from pathlib import Path

import pytest

from pipeline import schema
from pipeline.lake import attestation, layout, parts, store
from pipeline.lake.layout import SweepPaths
from pipeline.publish.gather import select
from pipeline.views import connection, linked_marts, marts, views
from tests.analysis.system_world import World, make

OF_SYSTEMS = ("link_errors", "system_changes", "system_survival")
OF_SERVICES = ("placements", "sightings", "transitions", "stayers", "country_trend")
READ = (*linked_marts.LINKED, *OF_SERVICES, *OF_SYSTEMS)
TABLES = ("sweeps", "methods", "space", "withheld", "associations", "locations", "tls")
#: The third sweep has network 1 outside its space, in the fourth network 2 has opted out, the fifth has another country database.
CHANGED = {
    "methods": "SELECT * REPLACE (CAST(sweep = 'n001-2' AS VARCHAR) AS space_digest) FROM raw_methods",
    "space": """
        SELECT * REPLACE (CASE WHEN sweep = 'n001-2' THEN 3 * 65536 ELSE first END AS first) FROM raw_space
        UNION ALL SELECT * REPLACE (2 * 65536 - 1 AS last) FROM raw_space WHERE sweep = 'n001-2'
    """,
    "withheld": "SELECT 'n001-3' AS sweep, 3 * 65536 AS first, 4 * 65536 - 1 AS last",
    "associations": """
        SELECT * REPLACE (CASE WHEN ip % 5 + 1 = CAST(sweep[-1] AS INT) THEN 'rejected' ELSE outcome END AS outcome)
        FROM raw_associations
        WHERE NOT (sweep = 'n001-2' AND ip >> 16 = 2) AND NOT (sweep = 'n001-3' AND ip >> 16 = 3)
    """,
    "locations": """
        SELECT * REPLACE (CASE WHEN sweep = 'n001-4' AND ip >> 16 > 3 THEN 'NL' ELSE country END AS country)
        FROM raw_locations
    """,
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake of a world in which systems move, end and begin, and space, opt-outs and databases change."""
    folder = tmp_path_factory.mktemp("linked") / "lake"
    made = make(World(0.3, lost=0.05, networks=6, systems=20), 5)
    for (name,) in made.con.execute("SELECT sweep FROM sweeps ORDER BY sweep").fetchall():
        paths = SweepPaths(folder, name)
        store.write(paths.plan, b"{}")
        for table in TABLES:
            sql = f"SELECT * EXCLUDE (sweep) FROM ({CHANGED.get(table, f'FROM raw_{table}')}) WHERE sweep = ?"
            rows = made.con.execute(sql, [name]).to_arrow_table().cast(schema.table(table).arrow)
            parts.write(paths.sealed(table), parts.tidy([rows], table), table, name)
    return folder


@pytest.fixture
def lake(kept: Path, tmp_path: Path) -> Path:
    """A copy of the lake for each test."""
    return Path(shutil.copytree(kept, tmp_path / "lake"))


def everything(lake: Path) -> dict[str, list[str]]:
    """The rows of every mart about services and systems over sweeps, as text, and their columns and types in order."""
    found = {}
    with connection.connect(lake) as con:
        for name in READ:
            rows = sorted(map(str, select(con, f"FROM {name}")))
            found[name] = [f"{column} {kind}" for column, kind, *_ in con.description or ()] + rows
    return found


def test_built_marts_tell_the_same(lake: Path) -> None:
    """Every mart over sweeps has the same rows, columns and types, whether all sweeps, the first ones or none are built."""
    asked = everything(lake)
    assert all(any(row.startswith("{") for row in rows) for rows in asked.values())
    named = ("first", "stayed", "new", "returned", "entered", "missing", "gone", "left", "withheld")
    assert not [name for name in named if f"'transition': '{name}'" not in str(asked["service_steps"])]
    sweeps = layout.sweeps(lake)
    assert marts.build(sweeps[0])
    for some in (sweeps[:3], sweeps[3:]):
        assert all(linked_marts.build(paths) for paths in some)
        assert everything(lake) == asked


def test_what_is_built_is_what_is_read(lake: Path) -> None:
    """Once all sweeps are built, nothing follows systems again: the associations are not opened."""
    for paths in layout.sweeps(lake):
        linked_marts.build(paths)
    built = linked_marts.built_of(layout.sweeps(lake))
    assert not any("series" in views.needed([name], built) for name in linked_marts.LINKED)
    with connection.connect(lake) as con:
        before = select(con, "FROM system_changes ORDER BY sweep")
        shutil.rmtree(lake / "associations")
        assert select(con, "FROM system_changes ORDER BY sweep") == before


@pytest.mark.parametrize("again", [0, 2])
def test_an_earlier_table_written_again_undoes_them(lake: Path, again: int) -> None:
    """A table of an earlier sweep written again outdates the marts of all later ones; they are built again in order."""
    sweeps = layout.sweeps(lake)
    for paths in sweeps:
        linked_marts.build(paths)
    before = linked_marts.folders(sweeps)
    os.utime(sweeps[again].sealed("associations"), ns=(1, 1))
    after = linked_marts.folders(sweeps)
    changed = [paths.id for paths in sweeps if before[paths.id][1] != after[paths.id][1]]
    assert changed == [paths.id for paths in sweeps[again:]]
    said: list[str] = []
    assert linked_marts.build(sweeps[-1], said.append) == [] and sweeps[-2].id in said[0]
    for paths in sweeps[again:]:
        linked_marts.build(paths)
    kept = [path.name for path in (lake / "marts").glob(f"*/{linked_marts.PREFIX}*")]
    assert sorted(kept) == sorted(after[paths.id][1].name for paths in sweeps)


def test_they_are_proven(lake: Path) -> None:
    """The proof of a sweep covers its linked marts: one that was changed after it was signed is a fault."""
    paths = layout.sweeps(lake)[0]
    files = linked_marts.build(paths)
    attestation.add(paths, files)

    def faults() -> list[tuple[str, str]]:
        return list(attestation.faults(paths, marts=linked_marts.in_use(paths), tables=False))

    assert faults() == []
    shutil.copyfile(str(files[0]), str(files[1]))
    assert faults() == [(str(files[1]), "was changed after it was derived")]


def test_a_sweep_in_between_undoes_them(lake: Path, tmp_path: Path) -> None:
    """A sweep that is in the series now, before a built one, outdates it: which sweep is the previous one is in the digest."""
    sweeps = layout.sweeps(lake)
    aside = tmp_path / "aside"
    for folder in sorted(lake.glob(f"*/sweep={sweeps[2].id}")):
        (aside / folder.parent.name).mkdir(parents=True)
        folder.rename(aside / folder.parent.name / folder.name)
    for paths in layout.sweeps(lake):
        linked_marts.build(paths)
    assert linked_marts.built_of(layout.sweeps(lake))
    shutil.copytree(aside, lake, dirs_exist_ok=True)
    placed = linked_marts.place(layout.sweeps(lake))
    assert [placed[paths.id].complete for paths in sweeps] == [True, True, *[False] * (len(sweeps) - 2)]
