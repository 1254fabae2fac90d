"""The share of a sweep's CPU that writing takes at 20,000 results a second, from conversations to the sealed table, by step.

    python -m benchmarks.writing [--seconds N]

Results arrive as in a sweep: ten times a second a batch of hosts that were settled by whole arrays, and the rows of hosts
with a conversation. They become columns, go to the writer's process as Arrow messages, and are appended to journals that are
committed as often (`fsync`). Ranges of ten seconds have their journals read again, deduplicated, sorted and written as parts; a
seal joins the parts. Three in a hundred results are DICOM services, and are rows of `associations` too. All work is done by the
functions of the sweep. Time is CPU time, including the kernel's time for the files.

The share is of the CPU of a sweep: what `benchmarks.greetings` prints for a result (engine, associator, writer and coordinator),
and what `benchmarks.send` prints for each probe without an answer. The share depends on how many targets answer: two of five in
`benchmarks.greetings`, one of some 185 in a sweep of the Internet, as `benchmarks.scale` assumes.
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.bytes import OUTCOMES, RESULTS, associations, responses
from benchmarks.scale import ASSUMED, MEASURED, SENDER, addresses
from pipeline.engines import Engine
from pipeline.lake import parts
from pipeline.outcome import CloseKind, CloseStage, Outcome
from pipeline.probe.connections import CONNECTION
from pipeline.probe.result import Result, VisitEnd
from pipeline.transport.channel import decode_rows, encode_rows
from pipeline.worker import rows

#: Batches a second, and seconds of a range.
BATCHES, RANGE_SECONDS = 10, 10
#: CPU time of all processes of a worker for a result in `benchmarks.greetings`, and for a probe without an answer, µs.
RESULT_US = MEASURED["engine µs a greeting"] + MEASURED["other µs a greeting"]
PROBE_US = 1e6 / SENDER[Engine.XDP_LIVE]
#: Targets for each target that answers: in `benchmarks.greetings`, in between, and in a sweep of the Internet.
ONE_OF = (2.5, 20.0, 100.0, round(addresses() / ASSUMED["answers on a port"]))
GOAL = 0.05
TABLES = ("responses", "associations", "banners")


def results(folder: Path, seconds: int) -> list[list[rows.PendingRows]]:
    """The results of some seconds, range by range and batch by batch, in random order like targets."""
    noise = np.random.default_rng(1)
    made = responses(seconds * RESULTS, noise)
    made = made.take(pa.array(noise.permutation(len(made))))
    spoke = associations(round(len(made) * OUTCOMES["accepted"] * 1.1), noise, folder)
    spoke = spoke.take(pa.array(noise.permutation(len(spoke))))
    ranges = max(1, seconds // RANGE_SECONDS)
    size = RESULTS // BATCHES
    batches, begin = [], 0
    for number in range(len(made) // size):
        batch = made.slice(number * size, size)
        talked = batch.filter(pc.equal(batch["outcome"], "accepted")).to_pylist()
        dicom = spoke.slice(begin, len(talked)).to_pylist()
        begin += len(talked)
        spoken = [row | its for row, its in zip(talked, dicom, strict=True)]
        common = {"like_dicom": True, "banner": None, "tls": None}
        batches.append(rows.PendingRows(list(_settled(batch)), [row | common for row in spoken]))
    return [batches[number::ranges] for number in range(ranges)]


def _settled(batch: pa.Table) -> Iterator[Result]:
    """The hosts of a batch that did not speak DICOM, grouped by outcome and reply."""
    hosts = np.zeros(len(batch), CONNECTION)
    for name, column in rows.KEPT.items():
        values = batch[name].cast(pa.int64()) if name == "answered_at" else batch[name]
        hosts[column] = values.to_numpy()
    outcome, banner = batch["outcome"].to_numpy(), batch["banner"].fill_null(0).to_numpy()
    for ended in sorted(set(outcome) - {"accepted"}):
        for key in np.unique(banner[outcome == ended]).tolist():
            reply = key.to_bytes(8, "big") * 20 if key else b""
            alike = (outcome == ended) & (banner == key)
            kind = CloseKind.WE_CLOSED if reply else CloseKind.DEADLINE
            yield Result(VisitEnd(Outcome(ended), kind, CloseStage.ASSOCIATE, reply), hosts[alike])


def write(folder: Path, ranges: list[list[rows.PendingRows]]) -> Counter[str]:
    """Write the results, and return the seconds of CPU of each step."""
    spent: Counter[str] = Counter()
    for number, batches in enumerate(ranges):
        begun = time.process_time()
        made = [list(batch.tables()) for batch in batches]
        spent["results to columns"] += time.process_time() - begun
        begun = time.process_time()
        made = [[(name, decode_rows(encode_rows(columns))) for name, columns in tables] for tables in made]
        spent["messages to the writer"] += time.process_time() - begun
        begun = time.process_time()
        journals = {name: parts.journal(folder / f"{number}.{name}.arrows", name) for name in TABLES}
        for tables in made:
            for name, columns in tables:
                journals[name].append(columns)
            for journal in journals.values():
                journal.commit(force=True)
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
    for name in TABLES:
        files = [folder / f"{number}.{name}.parquet" for number in range(len(ranges))]
        parts.write_pieces(folder / f"{name}.parquet", parts.merged(files, name), name, "benchmark")
    spent["seal"] += time.process_time() - begun
    return spent


def main() -> None:
    """Print microseconds a result and seconds of CPU a second, of each step and of all steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        spent = write(Path(folder), results(Path(folder), given.seconds))
    count = given.seconds * RESULTS
    print(f"{count:,} results at {RESULTS:,} a second   µs a result   CPU")
    for step, seconds in (*spent.items(), ("all", spent.total())):
        print(f"{step:36} {seconds / count * 1e6:11.2f} {seconds / given.seconds:8.3f}")
    for one_of in ONE_OF:
        sweep = RESULT_US + (one_of - ONE_OF[0]) * PROBE_US
        share = spent.total() / count * 1e6 / sweep
        print(f"share where 1 of {one_of:5.1f} targets answers ({sweep:5.1f} µs a result): {share:6.2%} of {GOAL:.0%}")


if __name__ == "__main__":
    main()
