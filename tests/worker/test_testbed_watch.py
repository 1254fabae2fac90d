"""A testbed that opens while rings send ends the worker."""

import pytest

from pipeline.errors import GuardError
from pipeline.guard import proof
from pipeline.testbed.closed import NamespacePair, configure
from pipeline.worker import testbed_watch
from pipeline.worker.testbed_watch import TestbedWatch


def test_a_testbed_that_opens(vantage: NamespacePair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said while it is closed; once a link leads out, the next proof raises, with the link's name."""
    watch = TestbedWatch()
    monkeypatch.setattr(testbed_watch, "PROOF_SECONDS", 0.0)
    monkeypatch.setattr(proof, "PROOF_LASTS", 0.0)
    watch.check()
    configure(vantage.world, "link add uplink0 type vxlan id 5 remote 10.0.0.2 dstport 4789\n")
    with pytest.raises(GuardError, match="no longer closed .*uplink0.*sending has stopped"):
        watch.check()


def test_outside_of_a_testbed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there was no testbed at the beginning there is nothing to prove."""
    watch = TestbedWatch()
    monkeypatch.setattr(testbed_watch, "PROOF_SECONDS", 0.0)
    watch.check()
