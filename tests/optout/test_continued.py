"""A sweep is held if its register does not continue the one that its receipts, or those of the sweep before, say was obeyed."""

from pathlib import Path

import msgspec
import pytest

from pipeline.errors import GuardError
from pipeline.lake import parts, receipts, schema_versions, store
from pipeline.lake.layout import Sweep
from pipeline.optout import chained, continued, edit, register
from pipeline.record.receipt import Receipt
from pipeline.record.rounds import Round
from pipeline.sweep import freeze, run
from pipeline.worker.shards import ShardRunner
from tests.commands.running import write_config
from tests.publish import history

NOC = edit.Evidence("NOC")


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """A sweep with one receipt, whose register opts two blocks out."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "of-one-vantage"))
    begun = run.begin(freeze.freeze(Path(write_config(tmp_path)), tmp_path / "lake"), tmp_path / "lake")
    obeyed = register.of("", begun.paths.lake)
    for block in ("198.51.99.0/28", "198.51.99.16/28"):
        edit.add(obeyed, [block], NOC)
    done = Receipt(register_digest=chained.digest(obeyed.read()), shard=0, range=0)
    receipts.put_receipt(begun.paths, "000-000000", done)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "of-another"))  # a vantage that has never seen the register
    return begun


def shorten(sweep: Sweep) -> None:
    path = Path(register.of("", sweep.paths.lake).where)
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])


def test_a_register_that_grew(sweep: Sweep) -> None:
    """Further lines are what a register is for."""
    edit.add(register.of("", sweep.paths.lake), ["198.51.99.32/28"], NOC)
    continued.require(sweep)


def test_a_shortened_register_is_told_by_receipts(sweep: Sweep) -> None:
    """A vantage that has never seen the register refuses one that is shorter than a receipt's, before anything is sent."""
    shorten(sweep)
    with (
        ShardRunner(sweep) as runner,
        pytest.raises(GuardError, match="receipts of sweep .* that this one does not continue"),
    ):
        runner.run(Round.PROBES, 0)


def test_receipts_of_the_sealed_sweep_before(sweep: Sweep, tmp_path: Path) -> None:
    """A new sweep is refused as well, by the sealed receipts of the one before."""
    row = {"register_digest": chained.digest(register.of("", sweep.paths.lake).read())}
    table = parts.tidy([history.arrow("receipts", [row])], "receipts")
    parts.write(sweep.paths.sealed("receipts"), table, "receipts", sweep.paths.id)
    store.write(sweep.paths.sealed("sweeps"), b"")
    plan = msgspec.structs.replace(sweep.plan, sweep="20991231T000000Z-x")
    later = run.begin(freeze.sign_plan(plan), sweep.paths.lake)
    continued.require(later)
    shorten(sweep)
    with pytest.raises(GuardError, match=sweep.paths.id):
        continued.require(later)


def test_receipts_without_a_digest(sweep: Sweep) -> None:
    """Receipts of versions that kept no digest say nothing."""
    old = schema_versions.receipt({"shard": 0, "range": 1})
    receipts.put_receipt(sweep.paths, "000-000001", msgspec.convert(old, Receipt))
    continued.require(sweep)
