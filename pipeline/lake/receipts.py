"""Receipts: which ranges are done, and what earlier attempts at one have counted."""

import secrets
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import msgspec

from pipeline import checkout
from pipeline.errors import CensusError
from pipeline.lake import schema_versions, store, visit_log
from pipeline.lake.layout import SweepPaths
from pipeline.lake.parts import Part
from pipeline.space.shard import Range

Receipt = dict[str, Any]
#: What the note of an attempt holds until it has ended in an orderly way.
BEGUN = "begun"
#: Where the conversations of an attempt are noted as they begin (`begun.tells`); empty if they are not, or not all.
NOTED = "noted"


def of_range(
    paths: SweepPaths, plan_digest: str, chosen: Range, attempt: int, *,
    counts: Mapping[str, Any], outcomes: Mapping[str, int], parts: Iterable[Part],
) -> Receipt:  # fmt: skip
    """The receipt of a range that this attempt has brought to its end: what was counted, and where its rows are."""
    earlier, kept = earlier_attempts(paths, chosen.key, attempt), list(parts)
    rows = {part.table: part.rows for part in kept}
    return {
        "shard": chosen.shard,
        "range": chosen.number,
        "first_index": chosen.first_index,
        "last_index": chosen.last_index,
        "plan_digest": plan_digest,
        "code_version": checkout.code(),
        "host": socket.gethostname(),
        "attempts": attempt,
        "finished_at": time.time_ns() // 1000,
        "probes_abandoned": sum(counted.get("probes_sent", 0) for counted in earlier),
        "revisited": visit_log.again(paths, chosen.key) if all(_is_told(paths, each) for each in earlier) else None,
        "responses": rows.get("responses", 0),
        "associations": rows.get("associations", 0),
        "handshakes": rows.get("tls", 0),
        "control_answers": rows.get("controls", 0),
        "control_checks": rows.get("control_targets", 0),
        "harm_checks": rows.get("harm", 0),
        "harm_probes": 0,
        "outcomes": [{"outcome": name, "targets": n} for name, n in sorted(outcomes.items())],
        "parts": [asdict(part) for part in kept],
        **counts,
        "held_back": rows.get("held", 0),
    }


def read_receipts(paths: SweepPaths) -> list[Receipt]:
    """All receipts of a sweep, by shard and range; keys are the columns of `schemas/receipts.toml`."""
    found: dict[str, Receipt] = {}
    read_new(paths, found)
    return list(found.values())


def read_new(paths: SweepPaths, known: dict[str, Receipt]) -> None:
    """Add the receipts that are not known yet, by the keys of their ranges: a receipt never changes."""
    new = [path for path in store.entries(paths.receipts, "*.json") if path.stem not in known]
    for path, data in zip(new, store.contents(new), strict=True):
        known[path.stem] = _decode(path, data)


def _decode(path: store.Location, data: bytes) -> Receipt:
    """One receipt of any version. Raises CensusError if the file is damaged."""
    try:
        receipt: Receipt = msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise CensusError(f"{path}: the receipt is damaged: {error}") from None
    return schema_versions.receipt(receipt)


def parts(paths: SweepPaths, table: str) -> list[store.Location]:
    """The parts of a table that receipts name: others were written by attempts that did not come to their end."""
    named = [part for receipt in read_receipts(paths) for part in receipt["parts"] if part["table"] == table]
    return [paths.part(table, part["file"]) for part in named]


def parts_of(paths: SweepPaths, key: str, table: str) -> list[store.Location]:
    """The parts of one range, as `parts`; none if it has no receipt, or the sweep is sealed and they are gone."""
    found = store.read(paths.receipt(key))
    receipt = _decode(paths.receipt(key), found[0]) if found else {"parts": []}
    named = [paths.part(table, part["file"]) for part in receipt["parts"] if part["table"] == table]
    return [path for path in named if path.exists()]


def files(paths: SweepPaths, table: str) -> list[store.Location]:
    """Where the rows of a table are: the sealed file, or the parts."""
    sealed = paths.sealed(table)
    return [sealed] if sealed.exists() else parts(paths, table)


def put_receipt(paths: SweepPaths, key: str, receipt: Receipt) -> bool:
    """Write a receipt if the range has none: the proof is given once."""
    return store.write(paths.receipt(key), msgspec.json.encode(receipt, order="sorted"), new=True)


def finished(paths: SweepPaths) -> set[str]:
    """Keys of the ranges that have a receipt."""
    return {path.stem for path in store.entries(paths.receipts, "*.json")}


def begin_attempt(paths: SweepPaths, key: str, *, noted: bool = True) -> int:
    """Note that a range is begun; the number of the attempt, from 1. `noted`: all conversations that it begins are."""
    number = len(store.entries(paths.work / "journal", f"{key}.*.json")) + 1
    note = {
        BEGUN: secrets.token_hex(8),
        NOTED: visit_log.tells(paths) if noted else "",
    }  # like nobody else's: one of two wins
    while not store.write(paths.attempt(key, number), msgspec.json.encode(note), new=True):
        number += 1  # another worker was quicker
    return number


def earlier_attempts(paths: SweepPaths, key: str, attempt: int) -> list[dict[str, Any]]:
    """What the attempts before this one counted; of one that crashed, what it said when it began."""
    told = store.contents([paths.attempt(key, number) for number in range(1, attempt)])
    return [msgspec.json.decode(data, type=dict[str, Any]) for data in told]


def _is_told(paths: SweepPaths, attempt: dict[str, Any]) -> bool:
    """Whether all conversations that an attempt has begun are noted where we can read it, or it ended in order."""
    return BEGUN not in attempt or attempt.get(NOTED) == visit_log.tells(paths)
