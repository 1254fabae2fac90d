"""What table `sweeps` says of a sweep."""

from pipeline import schema
from pipeline.config.sections import VisibilitySection
from pipeline.lake.sweep_row import sweep_row
from pipeline.plan.plan import Plan
from pipeline.plan.vantage_plans import vantage_plans
from pipeline.record.receipt import Receipt
from tests.plan.frozen import focused, freeze

RECEIPTS = [
    Receipt(started_at=9, finished_at=14, vantage="20.1.0.9", probes_sent=3, responses=1),
    Receipt(started_at=7, finished_at=12, vantage="20.1.0.8", probes_sent=4, responses=2),
]


def row(plan: Plan) -> dict[str, object]:
    return sweep_row(plan, RECEIPTS, 20, "1")


def test_it_adds_up_the_receipts() -> None:
    """Counts are sums over the receipts, times the first and the last, and each column of the table but the checksum has a value."""
    whole = row(freeze())
    assert (whole["probes_sent"], whole["responses"], whole["started_at"], whole["finished_at"]) == (7, 3, 7, 14)
    assert (whole["name"], whole["vantages"]) == ("trial", ["20.1.0.8", "20.1.0.9"])
    assert whole.keys() | {"manifest_sha256"} == {column.name for column in schema.table("sweeps").columns}


def test_a_part_names_what_it_is_part_of() -> None:
    """A focus names its whole sweeps; a visibility sweep its sweep and vantage, and both of them all vantages that should look."""
    assert row(focused())["focus"] == ["a"] and row(freeze())["focus"] is None
    plan = freeze(visibility=VisibilitySection(vantages=("one", "two"), sample=0.1))
    columns = ("name", "visibility_of", "vantage_name", "visibility_vantages")
    assert [row(plan)[column] for column in columns] == ["trial", None, None, ["one", "two"]]
    _, two = vantage_plans(plan)
    assert [row(two)[column] for column in columns] == ["trial.two", plan.sweep, "two", ["one", "two"]]
    assert [row(freeze())[column] for column in columns[1:]] == [None, None, None]
