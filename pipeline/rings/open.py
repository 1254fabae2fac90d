"""What an engine's frames leave and come through: each engine's module opens the same three rings."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from pipeline.engines import Engine
from pipeline.rings.filter import Step
from pipeline.rings.receive import ReceiveRing
from pipeline.rings.transmit import ProbeRing, SegmentRing


@dataclass(frozen=True, slots=True)
class Rings:
    """What an engine sends probes and segments through, and what it receives from."""

    probes: ProbeRing
    segments: SegmentRing
    receive: ReceiveRing


class OpenRings(Protocol):
    """The function `open_rings` of an engine's module."""

    def __call__(self, interface: str, frame: bytes, program: Sequence[Step]) -> Rings:
        """Open rings at an interface: every probe holds the frame, and a filter program selects what is received."""


def open_rings(engine: Engine, interface: str, frame: bytes, program: Sequence[Step]) -> Rings:
    """Open the rings of an engine at an interface. `rings.probes.engine` says what was opened: an engine may fall back to another."""
    return opener(engine)(interface, frame, program)


def opener(engine: Engine) -> OpenRings:
    """The function that opens an engine's rings. Only its own module is loaded."""
    function: OpenRings = import_module(f"pipeline.rings.{engine.opens}").open_rings
    return function
