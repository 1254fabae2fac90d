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
from pipeline.lake.parts import Part
from pipeline.lake.store import Sweep
from pipeline.space.shard import Range

Receipt = dict[str, Any]
#: What the note of an attempt holds until it has ended in an orderly way.
BEGUN = "begun"
#: Where the conversations of an attempt are noted as they begin (`begun.tells`); empty if they are not, or not all.
NOTED = "noted"


def of_range(
    place: Sweep, plan_digest: str, chosen: Range, attempt: int, *,
    counts: Mapping[str, Any], outcomes: Mapping[str, int], parts: Iterable[Part],
) -> Receipt:  # fmt: skip
    """The receipt of a range that this attempt has brought to its end: what was counted, and where its rows are."""
    earlier, kept = earlier_attempts(place, chosen.key, attempt), list(parts)
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
        "revisited": visit_log.again(place, chosen.key) if all(_is_told(place, each) for each in earlier) else None,
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


def read_receipts(place: Sweep) -> list[Receipt]:
    """All receipts of a sweep, by shard and range; keys are the columns of `schemas/receipts.toml`."""
    found: dict[str, Receipt] = {}
    read_new(place, found)
    return list(found.values())


def read_new(place: Sweep, known: dict[str, Receipt]) -> None:
    """Add the receipts that are not known yet, by the keys of their ranges: a receipt never changes."""
    paths = [path for path in store.entries(place.receipts, "*.json") if path.stem not in known]
    for path, data in zip(paths, store.contents(paths), strict=True):
        known[path.stem] = _decode(path, data)


def _decode(path: store.Place, data: bytes) -> Receipt:
    """One receipt of any version. Raises CensusError if the file is damaged."""
    try:
        receipt: Receipt = msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise CensusError(f"{path}: the receipt is damaged: {error}") from None
    return schema_versions.receipt(receipt)


def parts(place: Sweep, table: str) -> list[store.Place]:
    """The parts of a table that receipts name: others were written by attempts that did not come to their end."""
    named = [part for receipt in read_receipts(place) for part in receipt["parts"] if part["table"] == table]
    return [place.part(table, part["file"]) for part in named]


def parts_of(place: Sweep, key: str, table: str) -> list[store.Place]:
    """The parts of one range, as `parts`; none if it has no receipt, or the sweep is sealed and they are gone."""
    found = store.read(place.receipt(key))
    receipt = _decode(place.receipt(key), found[0]) if found else {"parts": []}
    named = [place.part(table, part["file"]) for part in receipt["parts"] if part["table"] == table]
    return [path for path in named if path.exists()]


def files(place: Sweep, table: str) -> list[store.Place]:
    """Where the rows of a table are: the sealed file, or the parts."""
    sealed = place.sealed(table)
    return [sealed] if sealed.exists() else parts(place, table)


def put_receipt(place: Sweep, key: str, receipt: Receipt) -> bool:
    """Write a receipt if the range has none: the proof is given once."""
    return store.write(place.receipt(key), msgspec.json.encode(receipt, order="sorted"), new=True)


def finished(place: Sweep) -> set[str]:
    """Keys of the ranges that have a receipt."""
    return {path.stem for path in store.entries(place.receipts, "*.json")}


def begin_attempt(place: Sweep, key: str, *, noted: bool = True) -> int:
    """Note that a range is begun; the number of the attempt, from 1. `noted`: all conversations that it begins are."""
    number = len(store.entries(place.work / "journal", f"{key}.*.json")) + 1
    note = {
        BEGUN: secrets.token_hex(8),
        NOTED: visit_log.tells(place) if noted else "",
    }  # like nobody else's: one of two wins
    while not store.write(place.attempt(key, number), msgspec.json.encode(note), new=True):
        number += 1  # another worker was quicker
    return number


def earlier_attempts(place: Sweep, key: str, attempt: int) -> list[dict[str, Any]]:
    """What the attempts before this one counted; of one that crashed, what it said when it began."""
    told = store.contents([place.attempt(key, number) for number in range(1, attempt)])
    return [msgspec.json.decode(data, type=dict[str, Any]) for data in told]


def _is_told(place: Sweep, attempt: dict[str, Any]) -> bool:
    """Whether all conversations that an attempt has begun are noted where we can read it, or it ended in order."""
    return BEGUN not in attempt or attempt.get(NOTED) == visit_log.tells(place)
