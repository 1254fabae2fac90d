"""The rings of each engine, and the fallback on machines that refuse them."""

import numpy as np
import pytest

from pipeline.engines import Engine
from pipeline.rings.open import open_rings
from pipeline.rings.xdp import Port
from pipeline.testbed.closed import NamespacePair
from pipeline.wire.cookie import Secret, bake
from pipeline.wire.packet import FRAME
from tests.rings import far_end
from tests.rings.test_xdp import TEMPLATE, watching

SECRET = Secret.of(bytes(range(8)))


@pytest.mark.usefixtures("vantage")
@pytest.mark.parametrize("engine", [engine for engine in Engine if engine.raw])
def test_each_engine_has_its_own(engine: Engine, vantage: NamespacePair, capfd: pytest.CaptureFixture[str]) -> None:
    """If the machine can, an engine sends through its own kind of rings, without a warning: probes to the same targets are equal."""
    link, far = far_end.attach(vantage.world, "world0"), watching(vantage)
    rings = open_rings(engine, "vantage0", TEMPLATE, ())
    assert rings.probes.engine is engine
    assert rings.probes.room(100) == 100
    targets = np.arange(5, dtype=np.uint32), np.full(5, 104, np.uint16)
    rings.probes.fill(*targets, SECRET, None)
    assert rings.probes.send(5).tolist() == []
    cookie = bake(SECRET, *targets)
    assert rings.probes.tags.tolist() == cookie.sequence.tolist()
    frames = np.frombuffer(b"".join(far.recv(4096) for _ in range(5)), FRAME)
    assert frames["destination"].tolist() == [0, 1, 2, 3, 4]
    assert frames["sequence"].tolist() == cookie.sequence.tolist()
    assert frames["source_port"].tolist() == cookie.source_port.tolist()
    assert capfd.readouterr().err == ""
    link.close()
    far.close()


@pytest.mark.usefixtures("vantage")
def test_where_xdp_is_refused_one_line_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    """If another process has the interface's only queue, packet rings are used, and a line on standard error gives the reason."""
    taken = Port("vantage0")
    rings = open_rings(Engine.XDP, "vantage0", TEMPLATE, ())
    warning = "warning: no AF_XDP on vantage0: Device or resource busy; frames leave through packet rings\n"
    assert (rings.probes.engine, capfd.readouterr().err) == (Engine.RING, warning)
    assert taken.probes.room(1) == 1
