"""The rings of each engine, and what is used where a machine refuses them."""

import pytest

from pipeline.rings.open import RINGS
from pipeline.rings.xdp import Port
from tests.rings.test_xdp import TEMPLATE


@pytest.mark.usefixtures("vantage")
@pytest.mark.parametrize("name", RINGS)
def test_each_engine_has_its_own(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Where the machine can, an engine's frames leave through rings of its own, and nothing is said."""
    rings = RINGS[name]("vantage0", TEMPLATE, ())
    assert rings.probes.name == name
    assert rings.probes.room(100) == 100
    assert rings.probes.frames(1).tobytes() == TEMPLATE
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("vantage")
def test_where_xdp_is_refused_one_line_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    """Where another process has the interface's only queue, packet rings do it, and one line on standard error says why."""
    taken = Port("vantage0")
    rings = RINGS["xdp"]("vantage0", TEMPLATE, ())
    said = "warning: no AF_XDP on vantage0: Device or resource busy; frames leave through packet rings\n"
    assert (rings.probes.name, capfd.readouterr().err) == ("ring", said)
    assert taken.probes.room(1) == 1
