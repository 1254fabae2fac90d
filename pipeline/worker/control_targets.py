"""The lab's own control targets, checked throughout the sweep: if they are silent, the fault is ours."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

import pyarrow as pa

from pipeline.config.sections import ControlSection
from pipeline.lake import parts
from pipeline.optout import edit
from pipeline.optout.register import Register
from pipeline.probe.liveness import Liveness, LivenessCheck, Target
from pipeline.space.address_list import parse
from pipeline.space.permit import Permit

#: A target that leaves this many SYNs in a row without an answer is silent: one may be lost on the way.
SILENCES = 3


@dataclass(slots=True)
class ControlTargets:
    """Drive it with `tick`; `rows` gives the results since the last time.

    When a target is silent, `doubt` is called with the time of its last answer, in microseconds since the epoch, and the reason:
    what was finished since then cannot be trusted.
    """

    targets: list[Target]
    interval: float
    check: LivenessCheck
    register: Register
    doubt: Callable[[int, str], None]
    _began: int = field(default_factory=lambda: time.time_ns() // 1000)
    _answered_at: dict[Target, int] = field(default_factory=dict)
    _next: float = 0.0
    _missed: Counter[Target] = field(default_factory=Counter)
    _rows: list[dict[str, Any]] = field(default_factory=list)

    def tick(self, permit: Permit) -> None:
        """Check the targets when it is time. If one is silent, stop every sweep that obeys the register."""
        now = time.monotonic()
        for result in self.check.results(now):
            self._keep(result, now)
        if now >= self._next and not permit.pause_reason:
            self._next = now + self.interval
            for target in self.targets:
                self.check.add(target)

    def rows(self) -> pa.RecordBatch | None:
        """Rows of `control_targets`; None if there are none."""
        rows, self._rows = self._rows, []
        return parts.from_rows(rows, "control_targets") if rows else None

    def _keep(self, result: Liveness, now: float) -> None:
        if result.withheld:
            return
        ip, port = result.target
        sent_at = time.time_ns() // 1000 - int((now - result.sent_at) * 1e6)
        self._rows.append({"ip": ip, "port": port, "asked_at": sent_at, "answered": result.first})
        if result.first:
            self._answered_at[result.target] = sent_at
        self._missed[result.target] = 0 if result.first else self._missed[result.target] + 1
        if self._missed[result.target] == SILENCES:
            self._missed.clear()
            reason = f"control target {IPv4Address(ip)}:{port} is silent: {SILENCES} SYNs without an answer"
            edit.stop_itself(self.register, reason)
            self.doubt(self._answered_at.get(result.target, self._began), reason)


def targets(settings: ControlSection) -> list[Target]:
    """The control targets as addresses and ports."""
    return [_parsed(text) for text in settings.targets]


def _parsed(text: str) -> Target:
    address, _, port = text.partition(":")
    return parse(address, "key control.targets")[0], int(port)
