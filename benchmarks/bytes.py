"""Bytes a row on disk, and the share of a CPU that writing takes at 20,000 results a second.

    python -m benchmarks.bytes [ROWS]

The rows are like those of a sealed sweep of a week: addresses spread over the unicast space, times unordered (addresses are
permuted), TTLs, windows and outcomes skewed, and associations as answered by real products, a few products most often.
"""

import itertools
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import weeks
from pipeline import schema
from pipeline.lake import parts

ROWS = 1_000_000
#: The rate that a writer must keep up with, in results a second, at less than 5 % of a CPU.
RESULTS = 20_000
WEEK_US = 7 * 86_400 * 10**6
BEGAN_US = 1_790_000_000 * 10**6
#: Layouts that are compared: levels of zstd, and row groups (122,880 is DuckDB's own size, which one thread reads).
LEVELS = (1, 3, 9)
GROUPS = (122_880, 1_000_000)
#: Queries like those of the marts: a count over all rows, and the rows of a block of addresses.
QUERIES = {
    "count by port": "SELECT outcome, port, count(*) FROM '{path}' GROUP BY ALL",
    "one /12": "SELECT count(*) FROM '{path}' WHERE ip BETWEEN 1000000000 AND 1001048575",
}
RUNS = 5
OUTCOMES = {"silent": 0.45, "reset": 0.2, "not_dicom": 0.15, "closed": 0.12, "unacknowledged": 0.05, "accepted": 0.03}


def responses(rows: int, noise: np.random.Generator) -> pa.Table:
    """This many rows of `responses`."""
    outcome = noise.choice(list(OUTCOMES), rows, p=list(OUTCOMES.values()))
    banner = noise.zipf(1.3, rows).clip(0, 100_000).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    columns: dict[str, Any] = {
        "ip": noise.integers(1 << 24, 223 << 24, rows, dtype=np.uint32),
        "port": noise.choice(np.array([104, 11112, 4242, 2761, 2762, 11113], np.uint16), rows),
        "answered_at": BEGAN_US + noise.integers(0, WEEK_US, rows),
        "ttl": noise.choice(np.array([64, 128, 255], np.uint8), rows) - noise.integers(5, 25, rows, dtype=np.uint8),
        "window": noise.choice(np.array([65535, 29200, 64240, 14600, 8192, 5840, 0], np.uint16), rows),
        "outcome": outcome,
        "close_kind": np.where(outcome == "silent", "deadline", "peer"),
        "close_stage": np.where(outcome == "accepted", "done", "associate"),
    }
    table = pa.table({**columns, "banner": pa.array(banner, mask=outcome != "not_dicom")})
    return parts.tidy([table.cast(schema.table("responses").arrow)], "responses")


def associations(rows: int, noise: np.random.Generator, folder: Path) -> pa.Table:
    """This many rows of `associations`: replies of real products, with times, round trips and nonces that differ for each host."""
    arrow = schema.table("associations").arrow
    replies = pa.Table.from_pylist(weeks.replies(weeks.weekly_plan(folder).requests), schema=arrow)
    table = replies.take(pa.array(noise.zipf(1.5, rows) % len(replies)))
    varied = {"ip": pa.array(noise.choice(1 << 30, rows, replace=False), pa.uint32())}
    for field in arrow:
        if pa.types.is_timestamp(field.type):
            varied[field.name] = pa.array(BEGAN_US + noise.integers(0, WEEK_US, rows)).cast(field.type)
        elif field.name.endswith("_us") or field.name == "syn_options_hash":
            varied[field.name] = pa.array(noise.gamma(2.0, 60_000.0, rows).astype(np.int64)).cast(field.type)
        elif field.name == "raw_sha256":
            varied[field.name] = pa.array([noise.bytes(32) for _ in range(rows)], field.type)
    for name, column in varied.items():
        table = table.set_column(arrow.get_field_index(name), arrow.field(name), column)
    return parts.tidy([table], "associations")


def measure(table: pa.Table, name: str, folder: Path) -> Iterator[tuple[str, float]]:
    """Yield bytes a row, and seconds of CPU for a second's results, from batches to the file."""
    path = folder / f"{name}.parquet"
    began = time.process_time()
    parts.write(path, table, name, "benchmark")
    spent = time.process_time() - began
    yield "bytes a row", path.stat().st_size / len(table)
    yield f"CPU at {RESULTS:,} results a second", spent / len(table) * RESULTS
    metadata = pq.read_metadata(path)
    sizes: dict[str, int] = {}
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            column = metadata.row_group(group).column(number)
            top = column.path_in_schema.partition(".")[0]
            sizes[top] = sizes.get(top, 0) + column.total_compressed_size
    for column_name, size in sorted(sizes.items(), key=lambda pair: -pair[1])[:9]:
        yield f"of which {column_name}", size / len(table)


def layouts(table: pa.Table, folder: Path) -> Iterator[tuple[int, int, float, list[float]]]:
    """Yield level, rows a group, bytes a row, and milliseconds of each query, for every candidate layout."""
    for level, group in itertools.product(LEVELS, GROUPS):
        path = folder / f"{level}-{group}.parquet"
        pq.write_table(
            table, path, row_group_size=group, compression="zstd", compression_level=level,
            **parts.encodings(schema.table("responses")),
        )  # fmt: skip
        yield level, group, path.stat().st_size / len(table), [_milliseconds(query, path) for query in QUERIES.values()]


def _milliseconds(query: str, path: Path) -> float:
    """The best of some runs."""
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        duckdb.sql(query.format(path=path)).fetchall()
        taken.append(time.perf_counter() - began)
    return min(taken) * 1e3


def main(rows: int) -> None:
    """Print the bytes and the CPU time of a row of each large table."""
    noise = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        replies = associations(rows // 10, noise, Path(folder))
        answers = responses(rows, noise)
        for name, made in (("responses", answers), ("associations", replies)):
            for what, value in measure(made, name, Path(folder)):
                print(f"{name:13} {what:40} {value:8.3f}")
        print("zstd level  rows a group  bytes a row" + "".join(f"{name:>14} ms" for name in QUERIES))
        for level, group, size, taken in layouts(answers, Path(folder)):
            print(f"{level:10}  {group:12,}  {size:11.3f}" + "".join(f"{milliseconds:17.1f}" for milliseconds in taken))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
