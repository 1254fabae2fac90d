"""Registers in files, and watching them without waiting for them."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.host import clock
from pipeline.optout import events, register
from pipeline.optout.events import AnyEvent, Go, OptOut, Stop
from pipeline.optout.register import UNFINISHED_SECONDS, RegisterFile
from pipeline.optout.watch import STALE_SECONDS, Watch
from pipeline.space.address_list import parse
from pipeline.space.ranges import Ranges
from pipeline.sweep import freeze
from tests.lake import bucket

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
SPACE = Ranges.of([parse("192.0.2.0/24", "test")])
STOP = Stop(at=AT, who="a", reason="a call")
GO = Go(at=AT, who="a")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    RegisterFile(tmp_path / "register").create()
    return tmp_path / "register"


def add(path: Path, *events: AnyEvent) -> None:
    register.record(RegisterFile(path), lambda _: events)


def opt_out(block: str) -> OptOut:
    return OptOut(at=AT, who="a", block=block)


def soon(holds: Callable[[], bool]) -> None:
    """Wait until something holds, at most as long as the register promises."""
    until = time.monotonic() + STALE_SECONDS
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_many_writers(path: Path) -> None:
    """Lines that many write at once all arrive, each chained to the one before it."""
    blocks = [f"192.0.2.{n}/32" for n in range(24)]
    writers = [threading.Thread(target=add, args=(path, opt_out(block))) for block in blocks]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert set(register.state(RegisterFile(path)).opt_outs) == set(blocks)


def test_a_register_in_a_bucket(environment: str) -> None:
    """In a bucket too many writers' lines all arrive, a watch hears of them, and what is no register any more is refused."""
    kept = register.at(bucket.make(environment) + "/optout.jsonl")
    with pytest.raises(InputError, match="cannot be read: there is no such object"):
        register.load(kept)
    assert kept.create()
    blocks = [f"192.0.2.{n}/32" for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda block: register.record(kept, lambda _: [opt_out(block)]), blocks))
    assert set(register.state(kept).opt_outs) == set(blocks)
    assert not kept.append(b"x\n", after=b"")
    with Watch(kept, SPACE) as watch:
        soon(lambda: watch.permit().withheld.count == 6)
        register.record(kept, lambda _: [STOP])
        soon(lambda: watch.permit().pause_reason == "a call (a)")


def test_a_register_that_grew_meanwhile_is_not_written(path: Path) -> None:
    """Lines that follow another state than the register's are not added."""
    add(path, GO)
    before = path.read_bytes()
    assert not RegisterFile(path).append(b"x\n", after=b"")
    assert path.read_bytes() == before


def test_a_line_that_is_being_written_is_awaited(path: Path) -> None:
    """A reader waits for the end of a last line."""
    add(path, opt_out("192.0.2.0/24"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])

    def finish() -> None:
        with path.open("ab") as file:
            file.write(whole[-20:])

    threading.Timer(0.2, finish).start()
    assert list(register.state(RegisterFile(path)).opt_outs) == ["192.0.2.0/24"]


def test_a_line_that_never_ends_is_an_error(path: Path) -> None:
    """A last line that has no end after a second is refused."""
    path.write_bytes(b'{"event":"go"')
    began = time.monotonic()
    with pytest.raises(InputError, match="the last line has no end"):
        register.load(RegisterFile(path))
    assert time.monotonic() - began >= UNFINISHED_SECONDS


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_an_unreadable_register_is_named(tmp_path: Path, kind: str) -> None:
    """A register that is missing, or no file, is refused with its path."""
    place = tmp_path / "missing" if kind == "missing" else tmp_path
    with pytest.raises(InputError, match=str(place)):
        register.load(RegisterFile(place))


def test_a_register_elsewhere_is_refused() -> None:
    """What this version cannot keep a register in is refused, not taken for a path."""
    with pytest.raises(InputError, match="https://"):
        register.at(register.resolve("https://example.org/optout.jsonl", Path()))


def test_a_lake_has_a_register_of_its_own(tmp_path: Path) -> None:
    """A new lake gets an empty register; once sweeps were made there, a missing one is an error and not made anew."""
    lake = tmp_path / "lake"
    register.begin("", lake)
    assert (lake / register.DEFAULT_NAME).read_bytes() == b""
    (lake / "plans").mkdir()
    register.begin("", lake)
    (lake / register.DEFAULT_NAME).unlink()
    with pytest.raises(InputError, match="is missing"):
        register.begin("", lake)


def test_a_named_register_is_never_made(tmp_path: Path) -> None:
    """A register that the plan names must be there: an empty one in its place would forget who opted out."""
    with pytest.raises(InputError, match="cannot be read"):
        register.begin(str(tmp_path / "register"), tmp_path / "lake")


CONFIG = """
[sweep]
name = "x"
ports = [104]
seed = 1
rate = 100
[targets]
include = ["198.51.99.0/24"]
[optout]
register = "register"
"""


def test_a_plan_excludes_who_opted_out_before(path: Path) -> None:
    """What is opted out when a plan is frozen is an exclusion of its own name; the plan says which register is obeyed."""
    (path.parent / "config.toml").write_text(CONFIG, "utf-8")
    add(path, opt_out("198.51.99.128/25"))
    plan = freeze.freeze(path.parent / "config.toml")
    assert plan.register == str(path)
    assert plan.addresses == 128
    assert {part.name: part.addresses for part in plan.excluded}["opt-out register"] == 128


def test_a_plan_needs_its_register(path: Path) -> None:
    """A configuration whose register is missing or broken is refused, naming the register."""
    (path.parent / "config.toml").write_text(CONFIG, "utf-8")
    path.write_bytes(b"garbage\n")
    with pytest.raises(InputError, match=f"{path}, line 1"):
        freeze.freeze(path.parent / "config.toml")
    path.unlink()
    with pytest.raises(InputError, match=str(path)):
        freeze.freeze(path.parent / "config.toml")


def test_a_watch_hears_of_a_new_line(path: Path) -> None:
    """Opt-outs and stops that are added are in the permit soon, those outside the target space cost nothing."""
    with Watch(RegisterFile(path), SPACE) as watch:
        assert (watch.permit().pause_reason, watch.permit().withheld.count) == ("", 0)
        add(path, opt_out("198.51.100.0/24"), opt_out("192.0.2.128/25"))
        soon(lambda: watch.permit().withheld.count == 128)
        add(path, STOP)
        soon(lambda: watch.permit().pause_reason == "a call (a)")
        add(path, GO)
        soon(lambda: not watch.permit().pause_reason)


def test_a_watch_tells_the_digest(path: Path) -> None:
    """The digest is that of the file that was read last."""
    add(path, GO)
    with Watch(RegisterFile(path), SPACE) as watch:
        assert watch.digest == events.digest(path.read_bytes())


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda path: path.unlink(), "No such file"),
        (lambda path: path.write_bytes(b"garbage\n"), "no longer begins"),
        (lambda path: path.write_bytes(b""), "no longer begins"),
        (lambda path: path.open("ab").write(b"garbage\n"), "line 2"),
        (lambda path: path.open("ab").write(b"{"), "the last line has no end"),
    ],
)
def test_a_register_that_fails_ages(path: Path, harm: Callable[[Path], object], reason: str) -> None:
    """What cannot be read leaves the last reading in force until it is too old; then all is held back, with the reason."""
    add(path, opt_out("192.0.2.0/25"))
    whole = path.read_bytes()
    with Watch(RegisterFile(path), SPACE) as watch:
        harm(path)
        failed = clock()
        soon(lambda: reason in watch.permit(clock() + STALE_SECONDS).pause_reason)
        assert watch.permit(failed).pause_reason == ""
        assert watch.permit(failed + STALE_SECONDS).pause_reason
        assert watch.permit(failed + STALE_SECONDS).withheld.count == 128
        path.write_bytes(whole)
        soon(lambda: not watch.permit(clock() + STALE_SECONDS - 1).pause_reason)


def test_a_file_system_that_hangs_stops_sending(path: Path) -> None:
    """A read that does not return keeps nobody waiting: the last reading ages all the same."""
    with Watch(RegisterFile(path), SPACE) as watch:
        assert not watch.permit().pause_reason
        path.unlink()
        os.mkfifo(path)  # opening it hangs until somebody writes
        time.sleep(1)
        asked = time.monotonic()
        assert "it does not answer" in watch.permit(clock() + STALE_SECONDS).pause_reason
        assert time.monotonic() - asked < 1
    os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))


def test_a_register_that_was_never_read_permits_nothing(tmp_path: Path) -> None:
    """Before the first good reading nothing may be sent."""
    with Watch(RegisterFile(tmp_path / "missing"), SPACE) as watch:
        assert "No such file" in watch.permit().pause_reason
        assert watch.digest == ""
