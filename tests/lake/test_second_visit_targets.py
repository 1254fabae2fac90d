"""The targets of second visits."""

from pathlib import Path

import msgspec
import pyarrow as pa

from pipeline.config.sections import Profile
from pipeline.lake import second_visit_targets
from pipeline.lake.layout import Sweep
from pipeline.sweep import freeze, run

DEMO = Path(__file__).parents[2] / "data" / "testbed" / "demo-sweep.toml"
REASONS = [
    ("tls", "associate"),
    ("reset", "associate"),
    ("reset", "connect"),
    ("closed", "associate"),
    ("silent", "associate"),
    ("not_dicom", "associate"),
    ("accepted", "done"),
]


def responses(port: int) -> pa.Table:
    """One target for each end of a first visit."""
    return pa.table(
        {
            "ip": pa.array(range(len(REASONS)), pa.uint32()),
            "port": pa.array([port] * len(REASONS), pa.uint16()),
            "outcome": [outcome for outcome, _ in REASONS],
            "close_stage": [stage for _, stage in REASONS],
        }
    )


def test_reasons(tmp_path: Path) -> None:
    """A TLS record, or a reset or close after our request, is a reason for a second visit; a TLS port gets none."""
    plan = freeze.freeze(DEMO, tmp_path)
    assert sorted(second_visit_targets.select(responses(104), plan)["ip"].to_pylist()) == [0, 1, 3]
    assert len(second_visit_targets.select(responses(2762), plan)) == 0


def test_a_close_alone_may_be_no_reason(tmp_path: Path) -> None:
    """With `after_close = false`, and in plans of before, only a TLS record or a reset is a reason."""
    plan = freeze.freeze(DEMO, tmp_path)
    before = msgspec.structs.replace(plan, tls=msgspec.structs.replace(plan.tls, after_close=False))
    assert sorted(second_visit_targets.select(responses(104), before)["ip"].to_pylist()) == [0, 1]


def test_other_profiles_have_no_second_round(tmp_path: Path) -> None:
    """Only the profile `tls` declares a second round, and the second round has no targets before the first is done."""
    plan = freeze.freeze(DEMO, tmp_path)
    declared = msgspec.structs.replace(plan, settings=msgspec.structs.replace(plan.settings, profile=Profile.TLS))
    begun = run.begin(plan, tmp_path)
    assert second_visit_targets.of_shard(begun, 0) is None
    assert second_visit_targets.of_shard(Sweep(declared, begun.paths), 0) is None
