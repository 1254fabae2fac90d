"""The rings of each engine, and the fallback on machines that refuse them."""

import pytest

from pipeline.engines import Engine
from pipeline.rings.open import open_rings
from pipeline.rings.xdp import Port
from tests.rings.test_xdp import TEMPLATE


@pytest.mark.usefixtures("vantage")
@pytest.mark.parametrize("engine", [engine for engine in Engine if engine.raw])
def test_each_engine_has_its_own(engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    """If the machine can, an engine sends through its own kind of rings, without a warning."""
    rings = open_rings(engine, "vantage0", TEMPLATE, ())
    assert rings.probes.engine is engine
    assert rings.probes.room(100) == 100
    assert rings.probes.frames(1).tobytes() == TEMPLATE
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("vantage")
def test_where_xdp_is_refused_one_line_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    """If another process has the interface's only queue, packet rings are used, and a line on standard error gives the reason."""
    taken = Port("vantage0")
    rings = open_rings(Engine.XDP, "vantage0", TEMPLATE, ())
    warning = "warning: no AF_XDP on vantage0: Device or resource busy; frames leave through packet rings\n"
    assert (rings.probes.engine, capfd.readouterr().err) == (Engine.RING, warning)
    assert taken.probes.room(1) == 1
