"""A made-up history of weekly sweeps at the size of the Internet, as a lake, for the benchmark `analysis`.

Services persist from week to week, some begin and some end, and each sweep misses some; their replies are those of real products.
All other answers are drawn again each week. The facts are made up; the program computes everything derived from them.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline import schema
from pipeline.associate.conversation import Conversation
from pipeline.lake import parts, store
from pipeline.lake.layout import SweepPaths
from pipeline.plan import plan as planning
from pipeline.plan.plan import Plan
from pipeline.record.visit import columns
from pipeline.space.ranges import Ranges, Space
from pipeline.sweep import freeze
from pipeline.wire import outgoing

FIXTURES = Path(__file__).parent.parent / "tests" / "data" / "fixtures.jsonl"
CONFIG = """
[sweep]
name = "weekly"
ports = [104, 11112]
seed = 1
rate = 100000
[targets]
include = ["0.0.0.0/0"]
[geo]
asn = "{asn}"
"""
BEGIN = datetime(2025, 1, 6, 3, tzinfo=UTC)
PORTS = np.array([104, 11112], np.uint16)
#: Shares of a week: services that end, and services that a sweep misses.
ENDS, MISSED = 0.03, 0.03
CHECKED = 100_000
#: The outcomes of all other answers, the first of them the most frequent.
OUTCOMES = ("silent", "unacknowledged", "reset", "closed", "not_dicom", "tls")
SHARES = (0.45, 0.2, 0.15, 0.1, 0.08, 0.02)

Targets = NDArray[np.uint64]


def weekly_plan(folder: Path, asn: str = "") -> Plan:
    """A plan of the whole Internet on two ports."""
    path = folder / "weekly.toml"
    path.write_text(CONFIG.format(asn=asn))
    return freeze.freeze(path, folder)


def write(lake: Path, plan: Plan, weeks: int, *, services: int, responses: int) -> Iterator[tuple[Plan, SweepPaths]]:
    """Write the facts of each week's sweep, sealed, and yield its plan and paths; the caller derives the rest."""
    draw = np.random.default_rng(20250106)
    space = Space.over(Ranges.of(plan.ranges))
    answers = pa.Table.from_pylist(replies(plan.requests), schema=schema.table("associations").arrow)
    for week, there in enumerate(islice(_living(draw, space, services), weeks)):
        started = BEGIN + timedelta(weeks=week)
        named = msgspec.structs.replace(plan, sweep=f"{started:%Y%m%dT%H%M%SZ}-weekly")
        named = freeze.sign_plan(named)
        paths = SweepPaths(lake, named.sweep)
        store.write(paths.plan, planning.encode(named))
        seen = there[draw.random(len(there)) >= MISSED]
        _seal(paths, named, started, _facts(draw, space, seen, answers, responses))
        yield named, paths


def _living(draw: np.random.Generator, space: Space, services: int) -> Iterator[Targets]:
    """The services of each week, sorted; as many begin as end."""
    there = np.unique(_targets(draw, space, services))
    while True:
        yield there
        stay = there[draw.random(len(there)) >= ENDS]
        there = np.unique(np.concatenate([stay, _targets(draw, space, services - len(stay))]))


def _targets(draw: np.random.Generator, space: Space, size: int) -> Targets:
    """Random targets, address × 2^16 + port."""
    ips = space.nth(draw.integers(0, space.count, size)).astype(np.uint64)
    return ips << np.uint64(16) | draw.choice(PORTS, size).astype(np.uint64)


def replies(requests: dict[str, str]) -> list[dict[str, Any]]:
    """The replies of real products to a request like ours: a row of `associations` for each."""
    plain = {"string": "", "binary": b"", "bool": False, "timestamp[us, UTC]": BEGIN}
    blank = _blank("associations", plain)
    rows = (_replayed(requests, json.loads(line)["events"]) for line in FIXTURES.read_text().splitlines())
    return [blank | row for row in rows if row.get("outcome") in ("accepted", "rejected", "aborted")]


def _replayed(requests: dict[str, str], events: list[dict[str, Any]]) -> dict[str, Any]:
    """The row of a captured conversation, as if our request had been the captured request; {} if no request was sent first."""
    packets = [(event["ev"], bytes.fromhex(event["hex"])) for event in events if "hex" in event]
    if not packets or packets[0][0] != "send" or packets[0][1][:1] != b"\1":
        return {}
    captured = replace(outgoing.Outgoing.from_json(requests, where="the plan"), request=packets[0][1])
    talk = Conversation(captured, echo=False, ip=1, port=104, started_at_us=0)
    talk.connected(10)
    for data in [data for kind, data in packets if kind == "recv"][:1]:
        talk.received(data, 20)
    talk.peer_closed(30)
    return columns(talk.visit())


def _facts(
    draw: np.random.Generator, space: Space, seen: Targets, answers: pa.Table, responses: int
) -> dict[str, pa.Table]:
    """The tables of one sweep; a target gives the same reply in every week."""
    others = np.setdiff1d(_targets(draw, space, responses - len(seen)), seen)
    sample = answers.take(pa.array((seen * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(40)) % np.uint64(len(answers))))
    associations = _set(sample, ip=seen >> np.uint64(16), port=seen & np.uint64(0xFFFF))
    targets = np.concatenate([seen, others])
    kinds = pa.DictionaryArray.from_arrays(pa.array(draw.choice(6, len(others), p=SHARES)), pa.array(OUTCOMES))
    size = len(targets)
    rows = {
        "ip": targets >> np.uint64(16),
        "port": targets & np.uint64(0xFFFF),
        "answered_at": pa.array(np.full(size, int(BEGIN.timestamp() * 1e6)), pa.timestamp("us", "UTC")),
        "ttl": draw.integers(40, 64, size),
        "window": np.full(size, 64240),
        "outcome": pa.concat_arrays([sample["outcome"].combine_chunks(), kinds.cast(pa.string())]),
        "close_kind": _same("we_closed", size),
        "close_stage": _same("greeting", size),
        "banner": pa.nulls(size, pa.uint64()),
    }
    arrow = schema.table("responses").arrow
    table = pa.table([pa.array(rows[f.name]).cast(f.type) for f in arrow], schema=arrow)
    return {"responses": table.take(pa.array(np.argsort(targets))), "associations": associations}


def _set(table: pa.Table, **values: NDArray[np.uint64]) -> pa.Table:
    for name, column in values.items():
        index = table.schema.get_field_index(name)
        table = table.set_column(index, table.schema.field(name), pa.array(column).cast(table.schema.field(name).type))
    return table


def _same(text: str, size: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(size, np.int32)), pa.array([text])).cast(pa.string())


def _seal(paths: SweepPaths, plan: Plan, started: datetime, facts: dict[str, pa.Table]) -> None:
    """Write the tables of a seal."""
    counts = {name: len(facts[name]) for name in ("responses", "associations")} | {"probes_sent": plan.targets}
    times = {"started_at": started, "finished_at": started + timedelta(hours=20)}
    common = {"plan_digest": plan.digest, "code_version": plan.code_version}
    counted = facts["responses"]["outcome"].value_counts().to_pylist()
    outcomes = [{"outcome": row["values"], "targets": row["counts"]} for row in counted]
    facts["sweeps"] = _rows("sweeps", common | times | counts | {
        "name": "weekly", "profile": "associate", "ports": PORTS.tolist(), "addresses": plan.addresses,
        "sampled_addresses": plan.sampled_addresses, "sealed_at": started, "vantages": ["198.51.100.7"],
    })  # fmt: skip
    facts["receipts"] = _rows("receipts", common | times | counts | {
        "shard": 0, "range": 0, "round": 1, "first_index": 0, "last_index": plan.targets - 1, "outcomes": outcomes,
    })  # fmt: skip
    lost = round(CHECKED * MISSED * (1 - MISSED))
    facts["second_looks"] = _rows("second_looks", {
        "vantage": "198.51.100.7", "seen_twice": round(CHECKED * (1 - MISSED) ** 2), "first_only": lost, "second_only": lost,
    })  # fmt: skip
    for name in ("banners", "tls"):
        facts[name] = schema.table(name).arrow.empty_table()
    for name, rows in facts.items():
        parts.write(paths.sealed(name), rows, name, paths.id)


def _rows(table: str, row: dict[str, Any]) -> pa.Table:
    blank = _blank(table, {"string": "", "timestamp[us, UTC]": BEGIN, "float64": 0.0})
    return pa.Table.from_pylist([blank | row], schema=schema.table(table).arrow)


def _blank(table: str, values: dict[str, Any]) -> dict[str, Any]:
    """An empty row: null where a column may be null, else empty or 0."""
    listed = schema.table(table).columns
    return {c.name: None if c.null else [] if c.type.startswith("list") else values.get(c.type, 0) for c in listed}
