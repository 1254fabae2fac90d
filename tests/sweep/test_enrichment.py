"""What enriching derives from a sweep's plan and receipts."""

from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

from pipeline.engines import Engine
from pipeline.lake import parts
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.record.receipt import Receipt
from pipeline.sweep import enrichment
from pipeline.sweep.freeze import freeze
from tests.commands.running import write_config


@pytest.mark.parametrize(
    ("planned", "ran", "kind"),
    [
        ("auto", ["xdp", "ring", None], "ring"),
        ("auto", ["connect"], "connect"),
        ("auto", ["xdp", "connect"], "connect+ring"),
        ("ring", ["xdp"], "ring"),
        ("connect", ["connect"], "connect"),
    ],
)
def test_the_kind_of_engine(planned: str, ran: list[str | None], kind: str, tmp_path: Path) -> None:
    """A plan that names an engine has its kind; of one with `auto` the receipts say which kinds did it, all of them."""
    plan = freeze(Path(write_config(tmp_path)), tmp_path / "lake")
    plan = msgspec.structs.replace(plan, probe=msgspec.structs.replace(plan.probe, engine=Engine(planned)))
    paths = SweepPaths(tmp_path / "lake", plan.sweep)
    rows = [msgspec.to_builtins(Receipt(engine=engine, range=number)) for number, engine in enumerate(ran)]
    table = pa.Table.from_batches([parts.from_rows(rows, "receipts")])
    parts.write(paths.sealed("receipts"), table, "receipts", paths.id)
    assert enrichment._kinds(Sweep(plan, paths)) == kind
