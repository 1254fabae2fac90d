"""Decode A-ASSOCIATE-ACs with our decoder and with pynetdicom's in one run: `python -m benchmarks.decode`.

Neither decoder caches anything between calls. Each figure is the best of many short rounds, in which the two alternate, so a
busy machine slows both. The ratio of the two can be compared between machines.
"""

import json
import logging
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from pynetdicom.pdu import A_ASSOCIATE_AC

from pipeline.wire.associate import read_accept
from pipeline.wire.ordinary import read_ordinary
from pipeline.wire.pdu import Frame, decode, frame

FIXTURES = Path(__file__).parent.parent / "tests" / "data" / "fixtures.jsonl"
#: The answer of a default pynetdicom server: one context accepted, maximum length, class UID and version name.
ORDINARY = ("pynetdicom-3.0.4-default.hex.txt", "01")
ROUNDS, CALLS = 100, 100


class Row(NamedTuple):
    """The decoded input, and microseconds per call."""

    label: str
    ours: float
    theirs: float


def received() -> dict[bytes, tuple[str, str]]:
    """Each distinct A-ASSOCIATE-AC of a real product, and its conversation."""
    rows = [json.loads(line) for line in FIXTURES.read_text().splitlines()]
    events = [(row, event) for row in rows for event in row["events"] if event["ev"] == "recv"]
    accepts = [(bytes.fromhex(event["hex"]), (row["file"], row["case"][:2])) for row, event in events]
    return {data: origin for data, origin in reversed(accepts) if data[0] == 2}


def ours(data: bytes) -> object:
    """Cut the PDU out of the stream and decode it, with all warnings."""
    cut = frame(data)
    return decode(cut) if isinstance(cut, Frame) else cut


def theirs(data: bytes) -> None:
    """Decode with pynetdicom, which takes the PDU as cut out."""
    A_ASSOCIATE_AC().decode(data)


def compare(label: str, accepts: Sequence[bytes], read: Callable[[bytes], object] = ours) -> Row:
    """Microseconds per PDU by our decoder and by pynetdicom, in turn; the best round of each."""
    best = [float("inf"), float("inf")]
    for _ in range(ROUNDS):
        for side, decoder in enumerate((read, theirs)):
            best[side] = min(best[side], _round(decoder, accepts))
    return Row(label, *best)


def _round(decoder: Callable[[bytes], object], accepts: Sequence[bytes]) -> float:
    """Microseconds per call in one round."""
    batch = list(accepts) * max(1, CALLS // len(accepts))
    started = time.perf_counter_ns()
    for data in batch:
        decoder(data)
    return (time.perf_counter_ns() - started) / len(batch) / 1000


def accepted_by_both(accepts: Sequence[bytes]) -> list[bytes]:
    """The PDUs on which pynetdicom does not raise."""
    accepted = []
    for data in accepts:
        try:
            theirs(data)
        except (ValueError, AssertionError, LookupError):
            continue
        accepted.append(data)
    return accepted


def measure() -> list[Row]:
    """The ordinary acceptance, and those of real products: all, those that the fast reader takes, and the others."""
    origins = received()
    ordinary = next(data for data, origin in origins.items() if origin == ORDINARY)
    accepts = accepted_by_both(list(origins))
    fast = [data for data in accepts if read_ordinary(data[6:]) is not None]
    others = [data for data in accepts if read_ordinary(data[6:]) is None]
    framed = Frame(2, ordinary[6:])
    return [
        compare("an ordinary one, framed and decoded", [ordinary]),
        compare("  decoded only", [ordinary], lambda _: decode(framed)),
        compare("  by the general reader", [ordinary], lambda _: read_accept(framed.body)),
        compare(f"all {len(accepts)} of real products", accepts),
        compare(f"  the {len(fast)} that are ordinary", fast),
        compare(f"  the {len(others)} others", others),
    ]


def main() -> None:
    """Print the table."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    print(f"{'A-ASSOCIATE-AC':38} {'ours µs':>8} {'pynetdicom µs':>14} {'ratio':>6}")
    for row in measure():
        print(f"{row.label:38} {row.ours:8.2f} {row.theirs:14.1f} {row.theirs / row.ours:5.1f}×")


if __name__ == "__main__":
    main()
