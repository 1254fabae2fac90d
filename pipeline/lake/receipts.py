"""Receipts in a lake: which ranges are done, and what earlier attempts at a range counted."""

import secrets
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from pipeline import checkout
from pipeline.errors import CensusError
from pipeline.guard import sockets
from pipeline.lake import schema_versions, store, visit_log
from pipeline.lake.layout import SweepPaths
from pipeline.record.receipt import Counts, OutcomeCount, Part, Receipt
from pipeline.space.shard import Range
from pipeline.untrusted import bounded


class Attempt(msgspec.Struct, frozen=True):
    """The file of an attempt at a range: a note when it begins, and its counts once it has ended early but in order."""

    begun: str = ""
    """Random, so that of two workers that begin an attempt one wins; empty once the attempt has ended in order."""
    noted: str = ""
    """Where its visits are logged as they begin (`visit_log.owner`); empty if they are not, or not all."""
    probes_sent: int | None = 0
    """None if it is not known."""
    companion_probes: int = 0
    revisited: int | None = 0
    """Conversations that it began again, if its receipt was void; None if that is not known."""

    @property
    def sent(self) -> int | None:
        """The SYNs that it sent to targets or companion ports; None if that is not known."""
        return None if self.begun or self.probes_sent is None else self.probes_sent + self.companion_probes

    def is_logged(self, paths: SweepPaths) -> bool:
        """Return whether the attempt ended in order, or this machine can read a log of every visit that it began."""
        return not self.begun or self.noted == visit_log.owner(paths)


class Results(msgspec.Struct, frozen=True):
    """The results of a finished range: its counts, the outcomes of its visits, and the parts that hold its rows."""

    counts: Counts
    outcomes: Mapping[str, int]
    parts: Sequence[Part]
    seconds: float = 0.0
    """How long it took, by a clock that nobody sets."""


def of_range(paths: SweepPaths, plan_digest: str, range_: Range, attempt: int, results: Results) -> Receipt:
    """Return the receipt of a range that this attempt has finished: what was counted, and where its rows are.

    It ends as long after its beginning as it took, even if the wall clock was set meanwhile.
    """
    earlier = earlier_attempts(paths, range_.key, attempt)
    rows = {part.table: part.rows for part in results.parts}
    counts = msgspec.structs.asdict(results.counts) | {"held_back": rows.get("held", 0)}
    logged = all(attempt_.is_logged(paths) for attempt_ in earlier)
    revisited = [visit_log.repeated(paths, range_.key) if logged else None, *(one.revisited for one in earlier)]
    return Receipt(
        **counts,
        shard=range_.shard,
        range=range_.number,
        first_index=range_.first_index,
        last_index=range_.last_index,
        plan_digest=plan_digest,
        code_version=checkout.code(),
        host=socket.gethostname(),
        testbed=sockets.in_closed_testbed(),
        attempts=attempt,
        finished_at=(results.counts.started_at or time.time_ns() // 1000) + int(results.seconds * 1e6),
        probes_abandoned=_total(attempt_.sent for attempt_ in earlier),
        revisited=_total(revisited),
        responses=rows.get("responses", 0),
        associations=rows.get("associations", 0),
        handshakes=rows.get("tls", 0),
        control_answers=rows.get("controls", 0),
        control_checks=rows.get("control_targets", 0),
        second_answers=rows.get("second_syns", 0),
        harm_checks=rows.get("harm", 0),
        companions=rows.get("companions", 0),
        outcomes=tuple(OutcomeCount(name, targets) for name, targets in sorted(results.outcomes.items())),
        parts=tuple(results.parts),
    )


def _total(counts: Iterable[int | None]) -> int | None:
    """Add up counts; None if one of them is not known."""
    total = 0
    for count in counts:
        if count is None:
            return None
        total += count
    return total


def read_receipt(paths: SweepPaths, key: str) -> Receipt | None:
    """Return the receipt of a range; None if it has none."""
    entry = store.read(paths.receipt(key))
    return _decode(paths.receipt(key), entry[0]) if entry else None


def read_receipts(paths: SweepPaths) -> list[Receipt]:
    """Return all receipts of a sweep, by shard and range."""
    receipts: dict[str, Receipt] = {}
    read_new(paths, receipts)
    return list(receipts.values())


def read_new(paths: SweepPaths, known: dict[str, Receipt]) -> None:
    """Add the receipts that are not known yet, by the keys of their ranges, and forget those that are gone: none ever changes."""
    there = store.entries(paths.receipts, "*.json")
    for key in known.keys() - {path.stem for path in there}:
        del known[key]
    new = [path for path in there if path.stem not in known]
    for path, data in zip(new, store.contents(new), strict=True):
        known[path.stem] = _decode(path, data)


def _decode(path: store.Location, data: bytes) -> Receipt:
    """Decode a receipt of any version. Raises CensusError if the file is damaged."""
    try:
        columns = bounded.decode(data, dict[str, Any])
        return msgspec.convert(schema_versions.receipt(columns), Receipt)
    except (bounded.NotJson, msgspec.ValidationError) as error:
        raise CensusError(
            f"{path}: the receipt is damaged: {error}; restore it from a copy, or remove it and run again with --resume, which "
            "probes its range again and visits its hosts a second time"
        ) from None


def parts(paths: SweepPaths, table: str) -> list[store.Location]:
    """Return the parts of a table that receipts name; other files were written by attempts that did not finish."""
    return _paths(paths, read_receipts(paths), table)


def parts_of(paths: SweepPaths, key: str, table: str) -> list[store.Location]:
    """Return the parts of one range that exist; none if it has no receipt, or the sweep is sealed and they are gone."""
    receipt = read_receipt(paths, key)
    return [path for path in _paths(paths, [receipt] if receipt else [], table) if path.exists()]


def _paths(paths: SweepPaths, receipts: Iterable[Receipt], table: str) -> list[store.Location]:
    named = (part for receipt in receipts for part in receipt.parts if part.table == table)
    return [paths.part(table, part.file) for part in named]


def files(paths: SweepPaths, table: str) -> list[store.Location]:
    """Return the files that hold the rows of a table: the sealed file, or the parts."""
    sealed = paths.sealed(table)
    return [sealed] if sealed.exists() else parts(paths, table)


def put_receipt(paths: SweepPaths, key: str, receipt: Receipt) -> bool:
    """Write a receipt unless the range has one; return whether it was written."""
    return store.write(paths.receipt(key), msgspec.json.encode(receipt, order="sorted"), new=True)


def finished(paths: SweepPaths) -> set[str]:
    """Return the keys of the ranges that have a receipt."""
    return {path.stem for path in store.entries(paths.receipts, "*.json")}


def begin_attempt(paths: SweepPaths, key: str, *, logged: bool = True) -> int:
    """Note that a range begins, and return the number of the attempt, from 1. `logged`: all visits it begins are logged."""
    number = len(store.entries(paths.work / "journal", f"{key}.*.json")) + 1
    note = {"begun": secrets.token_hex(8), "noted": visit_log.owner(paths) if logged else ""}
    while not store.write(paths.attempt(key, number), msgspec.json.encode(note), new=True):
        number += 1  # another worker was quicker
    return number


def forget_attempts(paths: SweepPaths, key: str) -> None:
    """Remove the journals, logs and notes of the attempts at a range that has its receipt."""
    for path in store.entries(paths.work / "journal", f"{key}.*"):
        store.unlink(path)


def earlier_attempts(paths: SweepPaths, key: str, attempt: int) -> list[Attempt]:
    """Return what the attempts before this one counted, or noted when they began if they crashed; a damaged note says nothing."""
    notes = [paths.attempt(key, number) for number in range(1, attempt)]
    return [_attempt(data) for data in store.contents(notes)]


def _attempt(data: bytes) -> Attempt:
    try:
        return bounded.decode(data, Attempt)
    except bounded.NotJson:
        return Attempt(begun="damaged", probes_sent=None, revisited=None)
