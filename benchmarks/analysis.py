"""How long the queries of a report take over years of sweeps, and how long the enrichment of a full-size sweep takes.

`python -m benchmarks.analysis [--weeks N] [--drawn N] [--services N] [--responses N] [--full N] [--lake FOLDER]`. A made-up history
(benchmarks/weeks.py) is written and enriched like `census enrich`, which builds each sweep's marts once, with the bundled
country databases and a made-up network database of a real one's size (benchmarks/networks.py). With `--drawn` only so many weeks are
made so, and the others are copies of them (benchmarks/copied_weeks.py). Then every mart of a report is
queried for the latest sweep and printed, the slowest first, and the whole report is written. Last, a sweep of full size is
enriched and aggregated. Each of the three steps is a separate process, and its largest resident set is printed. With `--lake` the
history is kept in that folder, and an existing history is queried again.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import copied_weeks, networks, weeks
from pipeline.lake import layout
from pipeline.lake.layout import Sweep
from pipeline.plan.plan import Plan
from pipeline.publish import report
from pipeline.sweep import enrichment
from pipeline.views import connection, views

QUERY_GOAL, REPORT_GOAL, FULL_GOAL, MEMORY_GOAL = 5.0, 60.0, 60.0, 4096
FORMATS = {"html", "md", "csv", "png"}


def write(lake: Path, count: int, services: int, responses: int, blocks: int) -> None:
    """Write and enrich a history; print the seconds of each sweep."""
    lake.mkdir(parents=True, exist_ok=True)
    spent = 0.0
    for plan, place in weeks.write(lake, _plan(lake, blocks), count, services=services, responses=responses):
        begun = time.perf_counter()
        enrichment.enrich(Sweep(plan, place))
        spent += time.perf_counter() - begun
    print(
        f"{count} sweeps of {services:,} services and {responses:,} responses: enriched in {spent / count:.1f} s each"
    )


def query(lake: Path) -> None:
    """Open the lake, and query every published mart for the latest sweep; print the slowest first."""
    place = layout.find(lake, None)
    begun = time.perf_counter()
    with connection.connect(lake, unsafe=True) as con:
        print(f"{'opening the lake':30} {time.perf_counter() - begun:6.2f} s")
        con.execute("SET threads = 2")
        seconds = {}
        for name in (*views.PUBLISHED, *views.NAMED, *views.SERIES):
            begun = time.perf_counter()
            con.execute(f"FROM {name} WHERE sweep = ?", [place.id]).fetchall()
            seconds[name] = time.perf_counter() - begun
    for name, spent in sorted(seconds.items(), key=lambda item: -item[1]):
        print(f"{name:30} {spent:6.2f} s")
    print(f"slowest query: {max(seconds.values()):.2f} s of {QUERY_GOAL:.0f}")


def publish(lake: Path) -> None:
    """Write the report of the latest sweep in all formats."""
    place = layout.find(lake, None)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, connection.connect(lake, unsafe=True) as con:
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
    """A plan of the whole Internet, with a network database of this many blocks in the lake's folder."""
    return weeks.weekly_plan(lake, str(networks.write(lake / "networks.mmdb", blocks)))


def alone(work: Callable[..., None], *arguments: object, memory: bool = True) -> None:
    """Run a function in a new process, and print its largest resident set."""
    process = multiprocessing.get_context("spawn").Process(target=_measured, args=(work, memory, *arguments))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(process.exitcode)


def _measured(work: Callable[..., None], memory: bool, *arguments: object) -> None:
    work(*arguments)
    if memory:
        print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB of {MEMORY_GOAL}\n")


def main() -> None:
    """Run all three steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=104)
    parser.add_argument("--drawn", type=int, help="how many of the weeks are no copies")
    parser.add_argument("--services", type=int, default=15_000)
    parser.add_argument("--responses", type=int, default=1_000_000)
    parser.add_argument("--full", type=int, default=20_000_000)
    parser.add_argument("--blocks", type=int, default=networks.BLOCKS, help="of the network database")
    parser.add_argument("--lake", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lake, full = options.lake or Path(folder) / "lake", Path(folder) / "full"
        if not (lake / "plans").exists():
            alone(write, lake, options.drawn or options.weeks, options.services, options.responses, options.blocks)
        if options.drawn:
            alone(copied_weeks.extend, lake, options.weeks)
        alone(query, lake)
        alone(publish, lake)
        alone(facts, full, options.services, options.full, options.blocks, memory=False)
        alone(enrich, full)


if __name__ == "__main__":
    main()
