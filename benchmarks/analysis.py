"""How long the questions of a report take over years of sweeps, and how long a sweep of full size takes to enrich.

`python -m benchmarks.analysis [--weeks N] [--services N] [--responses N] [--full N] [--lake FOLDER]`. A made-up history
(benchmarks/weeks.py) is written and enriched as `census enrich` does it, with the bundled country databases and a made-up network
database of a real one's size (benchmarks/networks.py), which builds each sweep's marts once; then every mart of
a report is asked for the latest sweep, in the order of the time that it took, and the report is written whole. Last, a sweep of
full size is enriched and aggregated. Each of the three is a process of its own, whose largest resident set is told. With
`--lake` the history is kept there, and one that is there is asked again.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import networks, weeks
from pipeline.lake import layout
from pipeline.lake.layout import Sweep
from pipeline.publish import report
from pipeline.space.plan import Plan
from pipeline.sweep import enrichment
from pipeline.views import connection, views

QUERY_GOAL, REPORT_GOAL, FULL_GOAL, MEMORY_GOAL = 5.0, 60.0, 60.0, 4096
FORMATS = {"html", "md", "csv", "png"}


def write(lake: Path, count: int, services: int, responses: int, blocks: int) -> None:
    """Write and enrich a history; print the seconds that a sweep took."""
    lake.mkdir(parents=True, exist_ok=True)
    spent = 0.0
    for plan, place in weeks.write(lake, _plan(lake, blocks), count, services=services, responses=responses):
        begun = time.perf_counter()
        enrichment.enrich(Sweep(plan, place))
        spent += time.perf_counter() - begun
    print(
        f"{count} sweeps of {services:,} services and {responses:,} responses: enriched in {spent / count:.1f} s each"
    )


def ask(lake: Path) -> None:
    """Ask every mart that is published for the latest sweep, the slowest first; and open the lake."""
    place = layout.find(lake, None)
    begun = time.perf_counter()
    with connection.connect(lake) as con:
        print(f"{'opening the lake':30} {time.perf_counter() - begun:6.2f} s")
        con.execute("SET threads = 2")
        took = {}
        for name in (*views.PUBLISHED, *views.NAMED, *views.SERIES):
            begun = time.perf_counter()
            con.execute(f"FROM {name} WHERE sweep = ?", [place.id]).fetchall()
            took[name] = time.perf_counter() - begun
    for name, seconds in sorted(took.items(), key=lambda item: -item[1]):
        print(f"{name:30} {seconds:6.2f} s")
    print(f"slowest query: {max(took.values()):.2f} s of {QUERY_GOAL:.0f}")


def publish(lake: Path) -> None:
    """Write the report of the latest sweep in all formats."""
    place = layout.find(lake, None)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, connection.connect(lake) as con:
        con.execute("SET threads = 2")
        report.write(con, place.id, Path(folder), FORMATS)
    print(f"whole report: {time.perf_counter() - begun:.1f} s of {REPORT_GOAL:.0f}")


def enrich(lake: Path) -> None:
    """Enrich the latest sweep, and build its marts."""
    sweep = layout.open_sweep(lake, None)
    begun = time.perf_counter()
    enrichment.enrich(sweep)
    print(f"enriched and aggregated: {time.perf_counter() - begun:.1f} s of {FULL_GOAL:.0f}")


def facts(lake: Path, services: int, responses: int, blocks: int) -> None:
    """Write the facts of one sweep."""
    lake.mkdir()
    for _ in weeks.write(lake, _plan(lake, blocks), 1, services=services, responses=responses):
        print(f"a sweep of {services:,} services and {responses:,} responses")


def _plan(lake: Path, blocks: int) -> Plan:
    """A plan of the whole Internet, with a network database of so many blocks beside the lake."""
    return weeks.weekly_plan(lake, str(networks.write(lake / "networks.mmdb", blocks)))


def alone(work: Callable[..., None], *given: object, told: bool = True) -> None:
    """Run a function in a new process, and tell its largest resident set."""
    process = multiprocessing.get_context("spawn").Process(target=_measured, args=(work, told, *given))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(process.exitcode)


def _measured(work: Callable[..., None], told: bool, *given: object) -> None:
    work(*given)
    if told:
        print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB of {MEMORY_GOAL}\n")


def main() -> None:
    """Run all three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=104)
    parser.add_argument("--services", type=int, default=15_000)
    parser.add_argument("--responses", type=int, default=1_000_000)
    parser.add_argument("--full", type=int, default=20_000_000)
    parser.add_argument("--blocks", type=int, default=networks.BLOCKS, help="of the network database")
    parser.add_argument("--lake", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lake, full = given.lake or Path(folder) / "lake", Path(folder) / "full"
        if not (lake / "plans").exists():
            alone(write, lake, given.weeks, given.services, given.responses, given.blocks)
        alone(ask, lake)
        alone(publish, lake)
        alone(facts, full, given.services, given.full, given.blocks, told=False)
        alone(enrich, full)


if __name__ == "__main__":
    main()
