"""Finished conversations as rows: hosts settled as whole arrays have the same rows as hosts written one by one."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline import schema
from pipeline.lake import parts
from pipeline.outcome import CloseKind, CloseStage, Outcome
from pipeline.probe.connections import CONNECTION
from pipeline.probe.result import Result, VisitEnd
from pipeline.record.visit import banner
from pipeline.wire.guess import guess
from pipeline.worker import rows

BANNERS = st.sampled_from([b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 400 Bad Request\r\n", bytes(256)])


@st.composite
def settled(draw: st.DrawFn) -> Result:
    """One to five hosts whose visits ended the same way."""
    hosts = np.zeros(draw(st.integers(1, 5)), CONNECTION)
    for name, values in {
        "address": st.integers(0, 2**32 - 1),
        "port": st.integers(1, 65535),
        "answered_at": st.integers(0, 2**50),
        "ttl": st.integers(0, 255),
        "window": st.integers(0, 65535),
    }.items():
        hosts[name] = [draw(values) for _ in hosts]
    kinds = draw(st.sampled_from(Outcome)), draw(st.sampled_from(CloseKind)), draw(st.sampled_from(CloseStage))
    return Result(VisitEnd(*kinds, draw(BANNERS)), hosts)


def alone(each: Result) -> list[dict[str, object]]:
    """The rows of hosts, written one by one."""
    end = each.end
    same = {"outcome": end.outcome, "close_kind": end.kind, "close_stage": end.stage}
    same["banner"] = banner(end.banner)
    return [{name: host[field].item() for name, field in rows.KEPT.items()} | same for host in each.rows]


@given(st.lists(settled(), min_size=1, max_size=6))
def test_settled_hosts_are_the_rows_that_each_alone_would_be(results: list[Result]) -> None:
    """Hosts settled together, of many outcomes, have the rows of each host in `responses`, in the same order."""
    made = dict(rows.settled(results))
    assert made["responses"].equals(parts.from_rows([row for each in results for row in alone(each)], "responses"))


def test_hosts_are_targets_that_took_our_request() -> None:
    """Of the targets of second SYNs, hosts are those whose visit took our request; a SYN proxy resets it and is none."""
    outcomes = {(1, 104): "silent", (1, 105): "reset", (2, 104): "echoed", (3, 104): "unacknowledged"}
    responses = pa.Table.from_pylist([{"ip": ip, "port": port, "outcome": o} for (ip, port), o in outcomes.items()])
    seen = [
        (1, 104, True, True),
        (1, 105, True, True),
        (2, 104, True, False),
        (3, 104, True, True),
        (4, 104, False, True),
    ]
    columns = ("ip", "port", "answered_first", "answered_second")
    second = pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in seen])
    assert rows.took(second, responses) == (2, 1)
    assert rows.took(second.slice(0, 0), responses) == (0, 0)


@given(st.lists(settled(), min_size=1, max_size=6))
def test_each_reply_is_told_once(results: list[Result]) -> None:
    """Each distinct reply is one row of `banners`; without replies the table has no rows."""
    made = dict(rows.settled(results))
    said = {each.end.banner for each in results} - {b""}
    told = made.get("banners", pa.RecordBatch.from_pylist([], schema=schema.table("banners").arrow)).to_pylist()
    assert {row["bytes"]: row["banner"] for row in told} == {each: banner(each) for each in said}
    assert [row["guess"] for row in told] == [guess(row["bytes"]) for row in told]
