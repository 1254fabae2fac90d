"""Registers in files, and watches that do not wait for them."""

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
from pipeline.optout import chained, register
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


def soon(holds: Callable[[], bool], seconds: float = STALE_SECONDS) -> None:
    """Wait until a condition holds, at most as long as the register promises."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_many_writers(path: Path) -> None:
    """Lines that many threads write at once all arrive, each chained to the line before it."""
    blocks = [f"192.0.2.{n}/32" for n in range(24)]
    writers = [threading.Thread(target=add, args=(path, opt_out(block))) for block in blocks]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert set(register.state(RegisterFile(path)).opt_outs) == set(blocks)


def test_a_register_of_58_megabytes(path: Path) -> None:
    """Nothing is sent before a very large register has been read; then it is obeyed, and a line that is added to it is heard."""
    long = [OptOut(at=AT, who="x" * 4000, block=f"10.{n >> 8}.{n & 255}.0/24") for n in range(14_500)]
    add(path, *long, opt_out("192.0.2.0/25"))
    assert path.stat().st_size > 58_000_000
    with Watch(RegisterFile(path), SPACE) as watch:
        soon(lambda: not watch.permit().pause_reason, 60)
        assert watch.permit().withheld.pairs() == [(0xC0000200, 0xC000027F)]
        add(path, STOP)
        soon(lambda: watch.permit().pause_reason == "a call (a)", 60)


def test_a_register_in_a_bucket(environment: str) -> None:
    """In a bucket too all lines of many writers arrive and a watch reads them; an append to an outdated state is refused."""
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
    """Lines for an outdated state of the register are not added."""
    add(path, GO)
    before = path.read_bytes()
    assert not RegisterFile(path).append(b"x\n", after=b"")
    assert path.read_bytes() == before


def test_a_line_that_is_being_written_is_awaited(path: Path) -> None:
    """A reader waits until the last line has its end."""
    add(path, opt_out("192.0.2.0/24"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])

    def finish() -> None:
        with path.open("ab") as file:
            file.write(whole[-20:])

    threading.Timer(0.2, finish).start()
    assert list(register.state(RegisterFile(path)).opt_outs) == ["192.0.2.0/24"]


def test_a_line_that_never_ends_is_an_error(path: Path) -> None:
    """A last line without an end is refused after a second."""
    path.write_bytes(b'{"event":"go"')
    began = time.monotonic()
    with pytest.raises(InputError, match="the last line has no end"):
        register.load(RegisterFile(path))
    assert time.monotonic() - began >= UNFINISHED_SECONDS


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_an_unreadable_register_is_named(tmp_path: Path, kind: str) -> None:
    """A missing register, and a folder, are refused with their path."""
    unreadable = tmp_path / "missing" if kind == "missing" else tmp_path
    with pytest.raises(InputError, match=str(unreadable)):
        register.load(RegisterFile(unreadable))


def test_a_register_elsewhere_is_refused() -> None:
    """A location that this version does not support is refused, and is not taken for a path."""
    with pytest.raises(InputError, match="https://"):
        register.at(register.resolve("https://example.org/optout.jsonl", Path()))


def test_a_lake_has_a_register_of_its_own(tmp_path: Path) -> None:
    """A new lake gets an empty register; in a lake with sweeps a missing register is an error, and is not created again."""
    lake = tmp_path / "lake"
    register.begin("", lake)
    assert (lake / register.DEFAULT_NAME).read_bytes() == b""
    (lake / "plans").mkdir()
    register.begin("", lake)
    (lake / register.DEFAULT_NAME).unlink()
    with pytest.raises(InputError, match="is missing"):
        register.begin("", lake)


def test_a_named_register_is_never_made(tmp_path: Path) -> None:
    """A register that the plan names must exist: an empty register instead would forget the opt-outs."""
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
    """Opt-outs in force when a plan is frozen are an exclusion with its own name; the plan names its register."""
    (path.parent / "config.toml").write_text(CONFIG, "utf-8")
    add(path, opt_out("198.51.99.128/25"))
    plan = freeze.freeze(path.parent / "config.toml")
    assert plan.register == str(path)
    assert plan.addresses == 128
    assert {part.name: part.addresses for part in plan.excluded}["opt-out register"] == 128


def test_a_plan_needs_its_register(path: Path) -> None:
    """A configuration whose register is missing or broken is refused, and the register is named."""
    (path.parent / "config.toml").write_text(CONFIG, "utf-8")
    path.write_bytes(b"garbage\n")
    with pytest.raises(InputError, match=f"{path}, line 1"):
        freeze.freeze(path.parent / "config.toml")
    path.unlink()
    with pytest.raises(InputError, match=str(path)):
        freeze.freeze(path.parent / "config.toml")


def test_a_watch_hears_of_a_new_line(path: Path) -> None:
    """Added opt-outs and stops are soon in the permit; opt-outs outside the target space do not change it."""
    with Watch(RegisterFile(path), SPACE) as watch:
        assert (watch.permit().pause_reason, watch.permit().withheld.count) == ("", 0)
        add(path, opt_out("198.51.100.0/24"), opt_out("192.0.2.128/25"))
        soon(lambda: watch.permit().withheld.count == 128)
        add(path, STOP)
        soon(lambda: watch.permit().pause_reason == "a call (a)")
        add(path, GO)
        soon(lambda: not watch.permit().pause_reason)


def test_a_watch_tells_the_digest(path: Path) -> None:
    """The digest is that of the file as last read."""
    add(path, GO)
    with Watch(RegisterFile(path), SPACE) as watch:
        assert watch.digest == chained.digest(path.read_bytes())


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda path: path.unlink(), "no such file"),
        (lambda path: path.write_bytes(b"garbage\n"), "no longer begins"),
        (lambda path: path.write_bytes(b""), "no longer begins"),
        (lambda path: path.open("ab").write(b"garbage\n"), "line 2"),
        (lambda path: path.open("ab").write(b"{"), "the last line has no end"),
    ],
)
def test_a_register_that_fails_ages(path: Path, harm: Callable[[Path], object], reason: str) -> None:
    """After a failed reading the last good one is in force until it is too old; then sending stops, with the reason."""
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
    """A read that does not return does not block the watch, and the last reading ages all the same."""
    with Watch(RegisterFile(path), SPACE) as watch:
        assert not watch.permit().pause_reason
        path.unlink()
        os.mkfifo(path)  # opening a pipe hangs until it has a writer
        time.sleep(1)
        asked = time.monotonic()
        assert "it does not answer" in watch.permit(clock() + STALE_SECONDS).pause_reason
        assert time.monotonic() - asked < 1
    os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))


def test_a_register_that_was_never_read_permits_nothing(tmp_path: Path) -> None:
    """Before the first good reading nothing may be sent."""
    with Watch(RegisterFile(tmp_path / "missing"), SPACE) as watch:
        assert "no such file" in watch.permit().pause_reason
        assert watch.digest == ""


def test_a_linked_register_of_a_lake(tmp_path: Path) -> None:
    """A lake's own register that is a link, hard or symbolic, is neither read nor written nor made; another's may be a link."""
    elsewhere, lake = tmp_path / "elsewhere", tmp_path / "lake"
    elsewhere.write_bytes(b"")
    (lake / "plans").mkdir(parents=True)
    own = register.at(str(lake / register.DEFAULT_NAME))
    (lake / register.DEFAULT_NAME).symlink_to(elsewhere)
    with pytest.raises(InputError, match="is a link, leads through one"):
        own.read()
    with pytest.raises(InputError, match="is a link, leads through one"):
        own.append(b"a\n", after=b"")
    (lake / "plans").rename(lake / "later")
    with pytest.raises(InputError, match="is a link, leads through one"):
        register.of("", lake).read()
    (lake / "later").rename(lake / "plans")
    (lake / register.DEFAULT_NAME).unlink()
    (lake / register.DEFAULT_NAME).hardlink_to(elsewhere)
    with pytest.raises(InputError, match="is a link, leads through one"):
        own.append(b"a\n", after=b"")
    (lake / register.DEFAULT_NAME).unlink()
    assert own.create() and not own.create()
    (tmp_path / "named.jsonl").symlink_to(elsewhere)
    assert register.RegisterFile(tmp_path / "named.jsonl").append(b"a\n", after=b"")
    assert elsewhere.read_bytes() == b"a\n"
