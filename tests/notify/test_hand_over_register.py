"""The register of hand-overs of a lake: private, chained, anchored, with one key for all experiments."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.notify import hand_over_register as register
from pipeline.notify.address_book import BookEntry, Format
from pipeline.notify.edition import Selection
from pipeline.notify.hand_over_events import Experiment, HandOver
from pipeline.notify.hand_over_register import NewExperiment
from pipeline.notify.prepared import Prepared
from pipeline.optout.register import today
from tests.notify.exposed import edition


def prepared(lake: Path, name: str, days: int | None) -> Prepared:
    begun = NewExperiment("s1", days, "w") if days else None
    on = register.experiments(register.recorded(lake), [name], begun)[name]
    entry = BookEntry(name=name, key="age1x", formats=(Format.N6,), country="GB")
    return Prepared(entry, edition(), Selection((), (), 0, 0), on, "age age1x", {"x.age": b"sealed"})


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    (tmp_path / "lake" / "plans").mkdir(parents=True)
    return tmp_path / "lake"


def test_what_was_handed_over_is_recorded(lake: Path) -> None:
    """Each hand-over is a line of a private file: recipient, sweep, key, and each file's SHA-256; no address is in it."""
    assert register.recorded(lake) == ()
    register.record(lake, [prepared(lake, "cert-gb", None)], "A. Doe")
    (event,) = register.recorded(lake)
    assert isinstance(event, HandOver) and (event.who, event.recipient, event.scope) == ("A. Doe", "cert-gb", "GB")
    assert [(file.name, file.size) for file in event.files] == [("x.age", 6)]
    path = lake / "hand-overs.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and b"20.0.0" not in path.read_bytes()


def test_an_experiment_goes_on_and_shares_its_key(lake: Path) -> None:
    """An experiment that is on is not begun again, and those of other recipients draw by the same key."""
    for name, days in (("cert-gb", 30), ("cert-gb", 60), ("cert-de", 10)):
        register.record(lake, [prepared(lake, name, days)], "w")
    begun = [event for event in register.recorded(lake) if isinstance(event, Experiment)]
    assert [(each.recipient, each.until - today()) for each in begun] == [
        ("cert-gb", timedelta(30)),
        ("cert-de", timedelta(10)),
    ]
    assert begun[0].key == begun[1].key


def test_an_experiment_that_began_meanwhile_is_heeded(lake: Path) -> None:
    """A hand-over that was prepared before somebody else's experiment began is not recorded."""
    late = prepared(lake, "cert-gb", None)
    register.record(lake, [prepared(lake, "cert-gb", 30)], "w")
    with pytest.raises(InputError, match="somebody else began an experiment meanwhile"):
        register.record(lake, [late], "w")


def test_a_register_that_is_gone_or_cut_is_noticed(lake: Path) -> None:
    """Without the register, or with less of it than this machine has seen, nothing is prepared: experiments would be forgotten."""
    register.record(lake, [prepared(lake, "cert-gb", 30)], "w")
    path = lake / "hand-overs.jsonl"
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"\n") + 1])
    with pytest.raises(InputError, match="was shortened"):
        register.recorded(lake)
    path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        register.recorded(lake)
