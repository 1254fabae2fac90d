"""What writing takes of a sweep's CPU at 20,000 results a second, from the rows of conversations to the sealed table, step by step.

    python -m benchmarks.writing [--seconds N] [--sweep MICROSECONDS]

Results come as they do in a sweep: a batch of rows ten times a second, appended to journals that are committed as often (`fsync`),
ranges of ten seconds whose journals are read again, deduplicated, sorted and written as parts, and a seal that joins the parts. Of the
results three in a hundred spoke DICOM, and are rows of `associations` too. Everything is done by the functions of the sweep. Time is
that of the CPU, the kernel's part for the files included. The share is of the whole sweep's CPU, as `benchmarks.greetings` prints it
for a result: engine, associator, writer and coordinator.
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.bytes import OUTCOMES, RESULTS, associations, responses
from pipeline.lake import parts

#: Batches a second, and seconds of a range.
BATCHES, RANGE_SECONDS = 10, 10
#: What all processes of a worker had of a CPU for a result in `benchmarks.greetings`, µs.
SWEEP_US = 126.2
GOAL = 0.05
Tables = dict[str, pa.Table]


def results(folder: Path, seconds: int) -> list[list[Tables]]:
    """Rows of so many seconds, range by range and batch by batch, in no order, as targets are."""
    noise = np.random.default_rng(1)
    count = seconds * RESULTS
    made = {
        "responses": responses(count, noise),
        "associations": associations(round(count * OUTCOMES["accepted"]), noise, folder),
    }
    shuffled = {name: rows.take(pa.array(noise.permutation(len(rows)))) for name, rows in made.items()}
    ranges = max(1, seconds // RANGE_SECONDS)
    pieces = ranges * (seconds // ranges) * BATCHES
    cut = {name: list(_cut(rows, pieces)) for name, rows in shuffled.items()}
    batches = [{name: cut[name][number] for name in cut} for number in range(pieces)]
    return [batches[number::ranges] for number in range(ranges)]


def _cut(rows: pa.Table, pieces: int) -> Iterator[pa.Table]:
    for number in range(pieces):
        begin, end = (len(rows) * each // pieces for each in (number, number + 1))
        yield rows.slice(begin, end - begin).combine_chunks()


def write(folder: Path, ranges: list[list[Tables]]) -> Counter[str]:
    """Seconds of CPU of each step."""
    spent: Counter[str] = Counter()
    for number, batches in enumerate(ranges):
        rows = [{name: table.to_pylist() for name, table in batch.items()} for batch in batches]
        begun = time.process_time()
        made = [{name: parts.from_rows(its, name) for name, its in batch.items()} for batch in rows]
        spent["rows to columns"] += time.process_time() - begun
        begun = time.process_time()
        journals = {name: parts.journal(folder / f"{number}.{name}.arrows", name) for name in ranges[0][0]}
        for batch in made:
            for name, columns in batch.items():
                journals[name].append(columns)
                journals[name].commit(force=True)
        for journal in journals.values():
            journal.close()
        spent["journals"] += time.process_time() - begun
        for name in journals:
            begun = time.process_time()
            tidied = parts.tidy([parts.read_journal(folder / f"{number}.{name}.arrows", name)], name)
            spent["deduplication and order"] += time.process_time() - begun
            begun = time.process_time()
            parts.write(folder / f"{number}.{name}.parquet", tidied, name, "benchmark")
            spent["parts"] += time.process_time() - begun
    begun = time.process_time()
    for name in ranges[0][0]:
        files = [folder / f"{number}.{name}.parquet" for number in range(len(ranges))]
        parts.write_pieces(folder / f"{name}.parquet", parts.merged(files, name), name, "benchmark")
    spent["seal"] += time.process_time() - begun
    return spent


def main() -> None:
    """Print microseconds a result, and seconds of CPU a second, of each step and of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--sweep", type=float, default=SWEEP_US)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        spent = write(Path(folder), results(Path(folder), given.seconds))
    count = given.seconds * RESULTS
    print(f"{count:,} results at {RESULTS:,} a second   µs a result   CPU")
    for step, seconds in (*spent.items(), ("all", spent.total())):
        print(f"{step:36} {seconds / count * 1e6:11.2f} {seconds / given.seconds:8.3f}")
    share = spent.total() / count * 1e6 / given.sweep
    print(f"share of a sweep's CPU ({given.sweep:.1f} µs a result): {share:.1%} of {GOAL:.0%}")


if __name__ == "__main__":
    main()
