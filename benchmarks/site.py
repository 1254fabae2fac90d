"""How long a site over years of weekly sweeps takes, and its renewal after one more.

`python -m benchmarks.site [--weeks N] [--countries N] [--lake FOLDER]`. A lake is made of a few made-up sweeps with built marts
(tests/publish/history.py), whose services are spread over many countries; later weeks are copies of them with other dates. The site
is written, a week is added, and the site is written again; both times are printed, and how many files of old sweeps changed.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks import copied_weeks
from pipeline.config.sections import IdentitySection
from pipeline.lake import parts
from pipeline.lake.layout import SweepPaths
from pipeline.publish.countries import countries
from pipeline.publish.publisher import Wishes, publisher
from pipeline.publish.scope import Scope
from pipeline.site import write_site
from pipeline.sweep import run
from pipeline.views import marts
from tests.publish import history

WHOLE_GOAL, RENEWAL_GOAL = 300.0, 30.0
#: How many sweeps are made; all others are copies.
MADE = 2


def make(lake: Path, spread: int) -> list[SweepPaths]:
    """Write the sweeps of which all others are copies, over this many countries, and build their marts."""
    made = []
    for sweep in [each for each in history.history() if each.name == "weekly"][:MADE]:
        paths = SweepPaths(lake, sweep.id)
        paths.plan.parent.mkdir(parents=True)
        paths.plan.touch()
        for name, rows in history.tables(replace(sweep, space=history.history()[0].space)).items():
            table = history.arrow(name, _spread(name, rows, spread))
            parts.write(paths.sealed(name), parts.tidy([table], name), name, sweep.id)
        marts.build(paths)
        made.append(paths)
    return made


def _spread(name: str, rows: list[dict[str, Any]], spread: int) -> list[dict[str, Any]]:
    """Rows in which each address is in one of many countries, each of which has the same number of addresses probed."""
    codes = list(countries())[:spread]
    if name == "locations":
        return [row | {"country": codes[row["ip"] % spread]} for row in rows]
    if name == "coverage":
        size = sum(row["addresses"] for row in rows) // spread
        return [rows[0] | {"country": code, "addresses": size, "addresses_second": size} for code in codes]
    return rows


def write(lake: Path, folder: Path) -> float:
    """Write the site, and return the seconds that it took; every country with a service gets a page."""
    who = publisher(Wishes("Example Lab", "https://census.example.org/", licence="CC-BY-4.0"), IdentitySection())
    order = write_site.Order(lake, folder, who, Scope(min_cell=1), "weekly")
    begun = time.perf_counter()
    *_, last = write_site.write(order, lambda ids: run.proofs(lake, ids))
    print(last)
    return time.perf_counter() - begun


def times(folder: Path) -> dict[Path, int]:
    """The files of sweeps, and when each was written."""
    return {path: path.stat().st_mtime_ns for path in folder.glob("sweeps/*/*")}


def main() -> None:
    """Make the lake, and write its site twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=520)
    parser.add_argument("--countries", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        lake, folder = Path(temporary) / "lake", Path(temporary) / "public"
        made = make(lake, options.countries)
        for week in range(options.weeks):
            copied_weeks.copy(made[week % MADE], history.BEGIN + timedelta(weeks=week))
        print(f"{options.weeks} weekly sweeps: {write(lake, folder):.1f} s of {WHOLE_GOAL:.0f}")
        before = times(folder)
        copied_weeks.copy(made[options.weeks % MADE], history.BEGIN + timedelta(weeks=options.weeks))
        print(f"one sweep more: {write(lake, folder):.1f} s of {RENEWAL_GOAL:.0f}")
        now = times(folder)
        print(
            f"files of {options.weeks} old sweeps that changed: {sum(now[path] != at for path, at in before.items())}"
        )
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"files: {sum(path.is_file() for path in folder.rglob('*')):,}, {size >> 20:,} MB")


if __name__ == "__main__":
    main()
