"""The lab's own control targets: asked throughout the sweep, so that a silence of ours is told from a silence of theirs."""

import time
from collections import Counter
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

import pyarrow as pa

from pipeline.config import ControlSection
from pipeline.lake import parts
from pipeline.optout import edit
from pipeline.optout.register import Register
from pipeline.probe.liveness import Liveness, LivenessCheck, Target
from pipeline.space.listing import parse
from pipeline.space.permit import Permit

#: A target that leaves so many SYNs in a row without an answer is silent: one may be lost on the way.
SILENCES = 3


@dataclass(slots=True)
class ControlTargets:
    """Drive it with `tick`; `rows` gives what came of it since the last time."""

    targets: list[Target]
    interval: float
    asking: LivenessCheck
    register: Register
    _next: float = 0.0
    _missed: Counter[Target] = field(default_factory=Counter)
    _rows: list[dict[str, Any]] = field(default_factory=list)

    def tick(self, permit: Permit) -> None:
        """Ask when it is time, and note who has answered; stop all who obey the register if somebody is silent."""
        now = time.monotonic()
        for told in self.asking.told(now):
            self._told(told, now)
        if now >= self._next and not permit.held:
            self._next = now + self.interval
            for target in self.targets:
                self.asking.ask(target)

    def rows(self) -> pa.RecordBatch | None:
        """Rows of `control_targets`; None if there are none."""
        found, self._rows = self._rows, []
        return parts.from_rows(found, "control_targets") if found else None

    def _told(self, told: Liveness, now: float) -> None:
        ip, port = told.target
        asked_at = time.time_ns() // 1000 - int((now - told.asked_at) * 1e6)
        self._rows.append({"ip": ip, "port": port, "asked_at": asked_at, "answered": told.first})
        self._missed[told.target] = 0 if told.first else self._missed[told.target] + 1
        if self._missed[told.target] == SILENCES:
            self._missed.clear()
            edit.stop(
                self.register,
                "census",
                f"control target {IPv4Address(ip)}:{port} is silent: {SILENCES} SYNs without an answer; "
                f"`census go {self.register.where}` lets the sweep go on",
            )


def targets(settings: ControlSection) -> list[Target]:
    """The control targets as addresses and ports."""
    return [_parsed(text) for text in settings.targets]


def _parsed(text: str) -> Target:
    address, _, port = text.partition(":")
    return parse(address, "key control.targets")[0], int(port)
