"""Sweeps of earlier versions add up, or their faults are reported."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from pipeline.config.sections import Config, SweepSection, TargetsSection
from pipeline.enrich import databases
from pipeline.lake import inside, layout, verify
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.plan import freezing
from pipeline.plan.freezing import Provenance
from pipeline.words.plural import plural
from tests.lake import old


@pytest.fixture(scope="module")
def frozen() -> dict[str, object]:
    """A plan of today as JSON."""
    config = Config(
        sweep=SweepSection(name="old", ports=(104, 11112), seed=7, rate=2, shards=2),
        targets=TargetsSection(include=("20.0.0.0/27",)),
    )
    provenance = Provenance(created="2026-11-24T10:00:00Z", code_version="0", requests={})
    plan = freezing.freeze(config, Path(), provenance, databases.load(None, None))
    return msgspec.to_builtins(plan)  # type: ignore[no-any-return]


@pytest.fixture(params=["parts", "sealed"])
def sealed(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "sealed")


def told(paths: SweepPaths) -> list[str]:
    return [f"{fault.where} {fault.what}" for fault in verify.faults(Sweep.open(paths))]


@pytest.mark.parametrize("age", old.AGES)
def test_old_sweeps_add_up(tmp_path: Path, frozen: dict[str, object], age: str, sealed: bool) -> None:
    """A sweep of an earlier version is verified to the row, although its receipts lack counts and it lacks tables of today."""
    paths = old.lake(tmp_path, frozen, old.AGES[age], sealed=sealed)
    assert told(paths) == []


@pytest.mark.parametrize("age", old.AGES)
def test_old_sweeps_are_not_believed(tmp_path: Path, frozen: dict[str, object], age: str) -> None:
    """The faults of a sweep of an earlier version are reported: a missing row, a missing table, a wrong count in a receipt."""
    paths = old.lake(tmp_path, frozen, old.AGES[age], sealed=True)
    path = Path(str(paths.sealed("responses")))
    rows = pq.read_table(path, partitioning=None)
    pq.write_table(rows.slice(1), path)
    assert told(paths) == [
        "sealed sweep has other outcomes in `responses` than in its receipts",
        f"sealed sweep has {len(rows) - 1} rows in `responses`, its receipts say {len(rows)}",
    ]
    path.unlink()
    assert told(paths) == [f"{path} is missing, though the sweep is sealed"]
    key = sorted(path.stem for path in paths.receipts.iterdir())[0]
    receipt = msgspec.json.decode(paths.receipt(key).read_bytes())
    paths.receipt(key).write_bytes(msgspec.json.encode(receipt | {"probes_sent": receipt["probes_sent"] - 1}))
    assert told(paths)[0].startswith(f"receipt {key} sent or suppressed")
    paths.receipt(key).write_bytes(msgspec.json.encode(receipt | {"frames_taken": receipt["probes_sent"] - 1}))
    claim = f"receipt {key} claims {receipt['probes_sent']} of {plural(receipt['probes_sent'] - 1, 'frame')} taken"
    assert told(paths)[0] == claim


class Killed(BaseException):
    """The process ends here."""


def test_a_seal_that_is_killed(tmp_path: Path, frozen: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed at any step, a seal leaves a sweep that can be sealed; a sealed sweep never has its secret."""
    steps, last = 0, False
    while not last:
        steps += 1
        paths = old.lake(tmp_path / str(steps), frozen, list(old.AGES.values())[-1], sealed=False)
        layout.load_secret(paths)
        left = iter(range(steps - 1))
        with monkeypatch.context() as context:
            for name in ("rename_durably", "unlink", "remove_tree"):
                context.setattr(inside, name, _until(left, getattr(inside, name)))
            try:
                verify.seal(Sweep.open(paths), sealed_at=1, code_version="1")
                last = True
            except Killed:
                pass
        assert not (paths.sealed("sweeps").exists() and paths.secret.exists())
        verify.seal(Sweep.open(paths), sealed_at=1, code_version="1")
        assert (told(paths), paths.secret.exists(), (paths.work / "leases").is_dir()) == ([], False, False)
    assert steps > 15


def _until(left: Iterator[int], function: Callable[..., object]) -> Callable[..., object]:
    """A function that ends the process when no step is left."""

    def step(*arguments: object, **options: object) -> object:
        if next(left, None) is None:
            raise Killed
        return function(*arguments, **options)

    return step
