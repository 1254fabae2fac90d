"""Who writes into a register is told how many workers have read it."""

import threading
import time
from pathlib import Path

import msgspec
import pytest

from pipeline import host
from pipeline.lake import store
from pipeline.lake.layout import Sweep
from pipeline.lake.leases import Leases
from pipeline.optout import edit, obeyed, register
from pipeline.optout.chained import digest
from pipeline.sweep import acknowledged, freeze, run
from tests.commands.running import write_config

LAKE = "lake"


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    return run.begin(freeze.freeze(Path(write_config(tmp_path)), tmp_path / LAKE), tmp_path / LAKE)


def worker(sweep: Sweep, name: str, *registers: str) -> None:
    """The progress file of a worker of this process, whose processes obey these registers."""
    holder = Leases(sweep.paths).holder()
    shown = {"updated": time.time(), "clock": host.clock(), "running": True, "holder": holder, "registers": registers}
    store.write(sweep.paths.progress / f"{name}.json", msgspec.json.encode(shown))


def test_nobody_runs(sweep: Sweep) -> None:
    """Without a worker nobody is waited for."""
    assert (
        acknowledged.report(obeyed.find(str(sweep.paths.lake)))
        == "no worker runs now; each reads the register before it sends"
    )


def test_all_have_read_it(sweep: Sweep) -> None:
    """A worker has read it when each of its processes has, also if another line has come since."""
    named = obeyed.find(str(sweep.paths.lake))
    edit.add(named.register, ["192.0.2.0/24"], edit.Evidence("NOC"))
    before = digest(named.register.read())
    worker(sweep, "one", before)

    def later() -> None:
        time.sleep(0.5)
        edit.stop(named.register, "me", "a call")
        worker(sweep, "one", before, digest(named.register.read()))

    other = threading.Thread(target=later)
    other.start()
    assert acknowledged.report(named) == "acknowledged by 1 of 1 workers"
    other.join()
    assert acknowledged.report(obeyed.find(str(sweep.paths.lake))) != "acknowledged by 1 of 1 workers"


def test_one_is_silent(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that still obeys what was before is named, and so is one that has read none."""
    monkeypatch.setattr(acknowledged, "WAIT_SECONDS", 0.0)
    named = obeyed.find(str(sweep.paths.lake))
    worker(sweep, "behind", digest(b""))
    worker(sweep, "new")
    edit.add(named.register, ["192.0.2.0/24"], edit.Evidence("NOC"))
    worker(sweep, "there", digest(named.register.read()))
    assert "acknowledged by 1 of 3 workers" in acknowledged.report(named)
    assert "a worker that cannot read the register sends nothing" in acknowledged.report(named)


def test_a_register_without_its_lake(tmp_path: Path) -> None:
    """Of a register that is named alone nobody knows the workers."""
    edit.add(register.at(str(tmp_path / "r.jsonl")), ["192.0.2.0/24"], edit.Evidence("NOC"))
    assert "name the lake" in acknowledged.report(obeyed.find(str(tmp_path / "r.jsonl")))
