"""Sort orders of the large tables, compared: bytes a row, and the CPU time of the queries of `analysis/`.

    python -m benchmarks.layout [--responses N] [--runs N] [--orders N]

One sweep (benchmarks/weeks.py), whose large tables hold rows as `benchmarks.bytes` makes them, is enriched by the program and
written once in every order, with the level, the row groups and the encodings of the lake. The lakes of all orders are queried in
turn, run after run, so a machine that slows down slows all of them; the median counts. Times are CPU times of all threads
of the process.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks import bytes as rows
from benchmarks import networks, weeks
from pipeline import schema
from pipeline.lake import parts
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.sweep import enrichment
from pipeline.views import catalogue, marts, raw_views, views

RESPONSES, RUNS, BLOCKS = 1_000_000, 5, 100_000
TABLES = ("responses", "associations")
#: Ranges of a sweep of this size: each range is a part, and each part is in order.
RANGES = 100
#: A column with the order of the parts, only in this benchmark.
RANGE = "_range"
IN_USE = "ip, port"
ORDERS = {
    IN_USE: ["ip", "port"],
    "port, ip": ["port", "ip"],
    "outcome, ip, port": ["outcome", "ip", "port"],
    "time": ["time"],
    "part after part": [RANGE, "ip", "port"],
}
#: The column with the time of a row.
TIMES = {"responses": "answered_at", "associations": "started_at"}
#: The queries: marts, checks, and a lookup of one address.
MARTS = ("outcomes", "ports", "country_funnel", "funnel", "totals")
CHECKS = ("response_twice", "association_without_response")
ONE = "FROM responses WHERE ip = 1000000000"


def made(lake: Path, count: int) -> SweepPaths:
    """A sealed and enriched sweep with this many responses."""
    lake.mkdir()
    plan = weeks.weekly_plan(lake, str(networks.write(lake / "networks.mmdb", BLOCKS)))
    ((named, place),) = weeks.write(lake, plan, 1, services=count // 100, responses=count // 10)
    noise = np.random.default_rng(1)
    answers = rows.responses(count, noise)
    speakers = answers.filter(pc.equal(answers["outcome"], "accepted"))
    replies = rows.associations(len(speakers), noise, lake)
    for name in ("ip", "port"):
        replies = replies.set_column(replies.schema.get_field_index(name), replies.schema.field(name), speakers[name])
    for name, table in zip(TABLES, (answers, replies), strict=True):
        parts.write(place.sealed(name), table, name, place.id)
    enrichment.enrich(Sweep(named, place))
    return place


def ordered(table: pa.Table, name: str, order: list[str]) -> pa.Table:
    """Rows in an order; ranges are equal times of a week."""
    times = table[TIMES[name]].cast(pa.int64())
    ranges = pc.divide(pc.subtract(times, rows.BEGAN_US), rows.WEEK_US // RANGES)
    keyed = table.append_column(RANGE, ranges)
    columns = [TIMES[name] if column == "time" else column for column in order]
    return keyed.sort_by([(column, "ascending") for column in columns]).drop_columns(RANGE)


def rewritten(place: SweepPaths, lake: Path, order: list[str]) -> SweepPaths:
    """The same sweep in another lake, with its large tables in this order."""
    shutil.copytree(place.lake, lake, copy_function=os.link)
    other = SweepPaths(lake, place.id)
    for name in TABLES:
        path = other.sealed(name)
        table = ordered(pq.read_table(path, partitioning=None), name, order)
        path.unlink()  # another hard link of the file that all lakes share
        pq.write_table(
            table, path, row_group_size=parts.GROUP_ROWS, compression="zstd", compression_level=parts.ZSTD_LEVEL,
            **parts.encodings(schema.table(name)),
        )  # fmt: skip
    return other


def size(place: SweepPaths, table: str) -> float:
    """Bytes a row."""
    path = place.sealed(table)
    return path.stat().st_size / pq.read_metadata(path).num_rows


def piece(place: SweepPaths, order: list[str]) -> float:
    """The smallest share of all responses that a seal must hold in memory if it cuts them by the order's first column.

    Two rows of one target have different times: in the order of time, a seal that keeps the first row must hold all rows.
    """
    if order[0] not in schema.table("responses").key:
        return 1.0
    counts = pq.read_table(place.sealed("responses"), columns=order[:1], partitioning=None)[order[0]].value_counts()
    most: int = pc.max(counts.field("counts")).as_py()
    return most / pc.sum(counts.field("counts")).as_py()


def queries() -> dict[str, Callable[[SweepPaths], float]]:
    """Name → a query of a sweep; it returns its CPU time in seconds."""
    marts_ = {name: partial(_query, sql=f"FROM {name}") for name in MARTS}
    checks = {name: partial(_query, sql=sql) for name, sql in views.checks() if name in CHECKS}
    return {"all marts": _build} | marts_ | checks | {"one address": partial(_query, sql=ONE)}


def _build(place: SweepPaths) -> float:
    began = time.process_time()
    marts.build(place)
    return time.process_time() - began


def _query(place: Sweep, *, sql: str) -> float:
    with raw_views.open_database() as con:
        catalogue.load(con)
        for statement in raw_views.of_sweeps([place]):
            con.execute(statement).fetchall()
        began = time.process_time()
        con.execute(sql).fetchall()
        return time.process_time() - began


def main() -> None:
    """Print a line for each query and a column for each order: milliseconds in the order in use, and the ratio to it in the others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--responses", type=int, default=RESPONSES)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--orders", type=int, default=len(ORDERS), help="only this many of the orders")
    options = parser.parse_args()
    orders = dict(islice(ORDERS.items(), options.orders))
    with tempfile.TemporaryDirectory() as folder:
        place = made(Path(folder) / "lake", options.responses)
        lakes = {
            name: rewritten(place, Path(folder) / str(number), order)
            for number, (name, order) in enumerate(orders.items())
        }
        _line("", *(f"{name} (in use)" if name == IN_USE else name for name in orders))
        for table in TABLES:
            _line(f"{table}, bytes a row", *(f"{size(lake, table):.3f}" for lake in lakes.values()))
        _line("least held at the seal", *(f"{piece(place, order):.1%}" for order in orders.values()))
        for what, query in queries().items():
            taken = [{name: query(lake) for name, lake in lakes.items()} for _ in range(options.runs)]
            medians = {name: statistics.median(run[name] for run in taken) for name in lakes}
            ratios = (f"{medians[name] / medians[IN_USE]:.2f}×" for name in lakes if name != IN_USE)
            _line(what, f"{1e3 * medians[IN_USE]:.0f} ms", *ratios)


def _line(what: str, *cells: str) -> None:
    print(f"{what:30}" + "".join(f"{cell:>19}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
