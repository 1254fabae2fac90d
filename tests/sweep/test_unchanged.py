"""A sweep is resumed only while its configuration says the same."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import GuardError
from pipeline.lake import store
from pipeline.optout import edit, register
from pipeline.sweep import run
from pipeline.sweep.freeze import freeze
from tests.commands.running import write_config


def replaced(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with an exclusion list, whose sweep has begun in `lake`."""
    (tmp_path / "exclude.txt").write_text("198.51.99.0/28\n")
    path = Path(write_config(tmp_path))
    path.write_text(path.read_text().replace("[identity]", 'exclude_files = ["exclude.txt"]\n[identity]'))
    run.begin(freeze(path, tmp_path / "lake"), tmp_path / "lake")
    return path


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (replaced("rate = 100", "rate = 50"), "settings.rate"),
        (replaced("[104]", "[104, 2762]"), "settings.ports"),
        (replaced("a@example.org", "b@example.org"), "identity.contact"),
        (replaced("198.51.99.0/24", "198.51.99.0/25"), "included"),
        (lambda text: text + "[loss]\nsample = 0.5\n", "loss.sample"),
        (lambda text: text + '[visibility]\nvantages = ["one", "two"]\nsample = 0.5\n', "visibility"),
        (lambda text: text + '[optout]\nregister = "other.jsonl"\n', "register"),
    ],
)
def test_a_changed_configuration_is_not_resumed(config: Path, change: Callable[[str], str], field: str) -> None:
    """The field that differs is named, with the command that runs the old plan."""
    config.write_text(change(config.read_text()))
    (config.parent / "other.jsonl").touch()
    with pytest.raises(GuardError, match=rf"\(field {field}\), and resuming would .*`census sweep .*plan\.json --lake"):
        run.prepare(str(config), config.parent / "lake", run.unfinished)


def test_an_address_that_is_excluded_since_is_not_probed(config: Path) -> None:
    """A line that was added to an exclusion list is seen, whatever the configuration itself says."""
    (config.parent / "exclude.txt").write_text("198.51.99.0/28\n198.51.99.16\n")
    with pytest.raises(GuardError, match=r"\(field excluded\)"):
        run.prepare(str(config), config.parent / "lake", run.unfinished)


def test_an_unchanged_configuration_is_resumed(config: Path) -> None:
    """The plan of the unfinished sweep is taken again, with the same options, and after opt-outs too."""
    lake = config.parent / "lake"
    plan, _ = run.prepare(str(config), lake, run.unfinished)
    edit.add(register.of("", store.at(str(lake))), ["198.51.99.128/25"], edit.Evidence("NOC"))
    assert run.prepare(str(config), lake, run.unfinished)[0] == plan
    with pytest.raises(GuardError, match=r"\(field settings.rate\)"):
        run.prepare(str(config), lake, run.unfinished, {"sweep": {"rate": 5}})
