"""Companion SYNs: when they leave and when not, what an answer becomes, and what is left after an end in the middle."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config.sections import COMPANIONS_LATE, CompanionsSection
from pipeline.lake import parts, visit_log
from pipeline.lake.layout import SweepPaths
from pipeline.lake.visit_log import VisitLog
from pipeline.probe.liveness import LivenessCheck
from pipeline.record.rounds import Round
from pipeline.space.permit import Permit
from pipeline.space.ranges import Ranges
from pipeline.transport import messages
from pipeline.transport.channel import Sender
from pipeline.wire.cookie import Secret, bake, tags
from pipeline.wire.packet import ACK, RST, SYN, Answers
from pipeline.worker.companions import CompanionSyns
from pipeline.worker.fanout import Fanout

HOST = 11 << 24
KEY = "000-000004"
NOBODY = Ranges.of(())
FREE, PAUSED = Permit("", NOBODY), Permit("a test", NOBODY)
SETTINGS = CompanionsSection(ports=(80, 2575), delay=60.0)
SECRET = Secret.of(bytes(16))


class Writer:
    """Keeps what is sent to the writer."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.ends: list[messages.Cooled] = []

    def send(self, message: messages.Message, rows: pa.RecordBatch | None = None) -> None:
        if isinstance(message, messages.Cooled):
            self.ends.append(message)
        elif rows is not None:
            self.rows += rows.to_pylist()


class Round4:
    """A round of companion SYNs whose clock the test moves, and whose engine is the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, *, ago: float) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        self.writer, self.paths = Writer(), SweepPaths(folder, "next")
        self.check = LivenessCheck(SECRET, 2.0, retransmits=False, takes_resets=True)
        fanout = Fanout(cast(Sender, self.writer), [])
        self.round = CompanionSyns(fanout, VisitLog(self.paths, "engine0"), self.check, SETTINGS, "198.18.0.1")
        self.visited_at = datetime.now(UTC) - timedelta(seconds=ago)

    def begin(self, attempt: int = 1) -> None:
        rows = [
            {"ip": HOST, "port": port, "number": n, "visited_at": self.visited_at}
            for n, port in enumerate(SETTINGS.ports)
        ]
        kinds = [
            ("ip", pa.uint32()),
            ("port", pa.uint16()),
            ("number", pa.uint8()),
            ("visited_at", pa.timestamp("us", tz="UTC")),
        ]
        message = messages.Rows(shard=0, number=4, attempt=attempt, table="companions", round=Round.COMPANIONS)
        self.round.begin(message, pa.RecordBatch.from_pylist(rows, pa.schema(kinds)))

    def syns(self, after: float, permit: Permit = FREE) -> list[int]:
        """The ports that get a SYN in the next seconds."""
        ports: list[int] = []
        for _ in range(int(after)):
            self.now += 1
            self.round.tick(permit, "digest")
            for probes in self.check.due(self.now, lambda wanted: wanted, permit.withheld):
                ports += probes.ports.tolist()
        return ports

    def answer(self, port: int, flags: int) -> None:
        address, number = np.array([HOST], dtype=np.uint32), np.array([port], dtype=np.uint16)
        cookie = bake(SECRET, address, number)
        none, ttl = np.zeros(1, dtype=np.uint8), np.full(1, 57, dtype=np.uint8)
        flag = np.full(1, flags, dtype=np.uint8)
        packets = Answers(
            address, number, cookie.source_port, cookie.sequence, none, flag, ttl, none, none, none, none, none
        )
        mine = self.check.answers(packets, tags(SECRET, packets.address, packets.port))
        self.check.receive(packets.take(mine))

    @property
    def found(self) -> dict[int, tuple[str | None, int | None]]:
        return {row["port"]: (row["answer"], row["ttl"]) for row in self.writer.rows}


def test_syns_leave_after_the_delay_one_after_another(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A minute after the visit the first port gets its SYN, half a minute later the second; each gets one, whatever comes back."""
    round4 = Round4(monkeypatch, tmp_path, ago=20)
    round4.begin()
    assert round4.syns(39) == []
    assert round4.syns(2) == [80]
    round4.answer(80, SYN | ACK)
    assert round4.syns(28) == []
    assert round4.syns(2) == [2575]
    assert round4.syns(10) == []
    assert round4.found == {80: ("open", 57), 2575: ("silent", None)}
    (end,) = round4.writer.ends
    assert end.complete and end.counts is not None
    assert (end.counts.companion_probes, end.counts.round, end.counts.register_digest) == (
        2,
        Round.COMPANIONS,
        "digest",
    )


def test_a_reset_is_closed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A port that resets is closed, and its answer ends the waiting."""
    round4 = Round4(monkeypatch, tmp_path, ago=100)
    round4.begin()
    assert round4.syns(1) == [80]
    round4.answer(80, RST | ACK)
    assert round4.syns(1) == [] and round4.found == {80: ("closed", 57)}


def test_late_ports_keep_their_distance(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """If all are late, the first port gets its SYN at once and the second half a minute later all the same."""
    round4 = Round4(monkeypatch, tmp_path, ago=400)
    round4.begin()
    assert (round4.syns(2), round4.syns(27), round4.syns(3)) == ([80], [], [2575])


def test_nothing_leaves_too_late(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """After a long pause nothing leaves any more: the rows have no answer, and the range is complete without a SYN."""
    round4 = Round4(monkeypatch, tmp_path, ago=0)
    round4.begin()
    assert round4.syns(2 * SETTINGS.delay + COMPANIONS_LATE, PAUSED) == []
    assert round4.syns(2) == [] and round4.found == {80: (None, None), 2575: (None, None)}
    (end,) = round4.writer.ends
    assert end.complete and end.counts is not None and end.counts.companion_probes == 0


def test_nothing_goes_to_who_opted_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An address that the register withholds by then gets no SYN, and its rows have no answer."""
    round4 = Round4(monkeypatch, tmp_path, ago=100)
    round4.begin()
    assert round4.syns(40, Permit("", Ranges.of([(HOST, HOST)]))) == []
    assert round4.found == {80: (None, None), 2575: (None, None)}


def test_a_later_attempt_sends_the_rest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What an attempt finished before its end is not sent again; a SYN in flight is, and the log counts it."""
    round4 = Round4(monkeypatch, tmp_path, ago=100)
    round4.begin()
    assert round4.syns(1) == [80]
    round4.answer(80, SYN | ACK)
    assert round4.syns(30) == [2575]
    round4.round.end("digest")
    (end,) = round4.writer.ends
    assert not end.complete and end.counts is not None and end.counts.companion_probes == 2
    journal = parts.journal(round4.paths.journal(KEY, 1, "companions"), "companions")
    journal.append(parts.from_rows(round4.writer.rows, "companions"))
    journal.close()
    again = Round4(monkeypatch, tmp_path, ago=140)
    again.begin(attempt=2)
    assert (again.syns(35), again.found) == ([2575], {2575: ("silent", None)})
    assert visit_log.repeated(again.paths, KEY) == 1
