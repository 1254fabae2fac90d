"""One command at a time derives from a sweep, in a folder and in a bucket."""

import threading
from pathlib import Path

import pytest

from pipeline.lake import store, turn
from pipeline.lake.layout import SweepPaths
from pipeline.lake.store import Location


def test_one_at_a_time(lake: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second says that it waits, and works when the first has ended."""
    monkeypatch.setattr(turn, "LOOK_SECONDS", 0.05)
    paths, order, said = SweepPaths(lake, "trial"), list[str](), threading.Event()

    def second() -> None:
        with turn.of(paths, lambda text: said.set() if "waits" in text else None):
            order.append("second")

    thread = threading.Thread(target=second)
    with turn.of(paths):
        thread.start()
        assert said.wait(60)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_an_error_ends_the_turn(lake: Location) -> None:
    """Whoever fails gives the turn back; its error is its own."""
    with pytest.raises(OSError, match="its own"), turn.of(SweepPaths(lake, "trial")):
        raise OSError("its own")
    with turn.of(SweepPaths(lake, "trial"), lambda text: pytest.fail(text)):
        pass


def test_a_lake_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lake that can only be read needs no turn."""

    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    store.write(SweepPaths(tmp_path, "trial").plan, b"{}")
    monkeypatch.setattr(turn.inside, "open_file", refuse)
    with turn.of(SweepPaths(tmp_path, "trial")):
        pass
