"""What a timer runs: an interrupted sweep is finished, and no sweep that cannot be finished keeps others from beginning."""

from pathlib import Path

import msgspec
import pytest

from pipeline.errors import GuardError
from pipeline.lake import store
from pipeline.lake.layout import SweepPaths
from pipeline.plan import plan as planning
from pipeline.plan.plan import Plan
from pipeline.sweep import run
from pipeline.sweep.freeze import freeze
from pipeline.sweep.unattended import prepare_unattended
from tests.commands.running import write_config


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration without any sweep."""
    return Path(write_config(tmp_path))


@pytest.fixture
def begun(config: Path) -> Plan:
    """The plan of a sweep of this configuration that has begun."""
    return run.begin(freeze(config, config.parent / "lake"), config.parent / "lake").plan


def prepared(config: Path) -> Plan:
    return prepare_unattended(str(config), config.parent / "lake")[0]


def test_the_first_sweep_begins(config: Path) -> None:
    """Where there is no lake yet, a new sweep is planned."""
    assert prepared(config).targets


def test_an_interrupted_sweep_is_finished(config: Path, begun: Plan) -> None:
    """The plan of the unfinished sweep is taken again."""
    assert prepared(config) == begun


def test_a_changed_configuration_begins_a_sweep(config: Path, begun: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    """A sweep whose configuration has changed since is left unfinished, and what differs is said; the new one has the new settings."""
    config.write_text(config.read_text().replace("rate = 100", "rate = 50"))
    assert prepared(config).settings.rate == 50
    warned = capsys.readouterr().err
    assert "left as it is, and a new one begins" in warned and "(field settings.rate)" in warned


def test_an_upgrade_begins_a_sweep(config: Path, begun: Plan) -> None:
    """A sweep that another version planned is left unfinished, since this one may not run it."""
    other = msgspec.structs.replace(begun, code_version="0.0.9+0123456789ab")
    other = msgspec.structs.replace(other, digest=planning.digest(other))
    store.write(SweepPaths(config.parent / "lake", begun.sweep).plan, planning.encode(other))
    assert prepared(config).code_version == begun.code_version


def test_what_no_sweep_may_do_is_refused(config: Path, begun: Plan) -> None:
    """A configuration that may not be swept at all is refused as ever, whatever is unfinished."""
    config.write_text(
        config.read_text().replace('profile = "echo"', "").replace("[sweep]", '[sweep]\nprofile = "capabilities"')
    )
    with pytest.raises(GuardError, match="capabilities"):
        prepared(config)
