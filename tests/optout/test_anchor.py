"""A register that lacks what this machine has seen of it is not obeyed and not written to."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.host import clock
from pipeline.optout import anchor, chained, edit, events, register
from pipeline.optout.register import RegisterFile
from pipeline.optout.watch import Watch
from pipeline.space.ranges import Ranges

NOC = edit.Evidence("NOC")
SPACE = Ranges.of([(0xC0000200, 0xC00002FF)])


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A register with three lines, the last of which stops sending, that this machine has obeyed."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "optout.jsonl"
    edit.add(RegisterFile(path), ["192.0.2.0/25", "192.0.2.128/25"], NOC)
    edit.stop(RegisterFile(path), "me", "a call")
    with Watch(RegisterFile(path), SPACE) as watch:
        assert watch.permit().pause_reason == "a call (me)"
    return path


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def forked(path: Path) -> None:
    """The register of an old backup, to which somebody has added until it was longer than this one."""
    path.write_bytes(lines(path)[0])
    data, history = register.load(RegisterFile(path))
    more = [events.Go(at=edit.now(), who="x" * 500)] * 3
    path.write_bytes(data + chained.chain(more, history.last))


def unchained(path: Path) -> None:
    """Lines without a chain, which anybody can write."""
    path.write_bytes(b'{"event":"go","at":"2026-11-29T08:00:00Z","who":"' + b"x" * 2000 + b'"}\n')


#: What makes a register forget, and what is said of it.
HARMS: dict[str, tuple[Callable[[Path], object], str]] = {
    "emptied": (lambda path: path.write_bytes(b""), "was shortened, or an old copy was restored: it has 0 lines"),
    "an old backup": (lambda path: path.write_bytes(b"".join(lines(path)[:1])), "it has 1 lines, and this machine has seen 3"),
    "the last line cut off": (lambda path: path.write_bytes(b"".join(lines(path)[:-1])), "was shortened"),
    "forked": (forked, "was continued another way"),
    "without its chain": (unchained, "was continued another way"),
}  # fmt: skip


@pytest.mark.parametrize(("harm", "reason"), HARMS.values(), ids=HARMS)
def test_a_register_that_forgets_holds_the_sweep(
    path: Path, harm: Callable[[Path], object], reason: str, tmp_path: Path
) -> None:
    """After a restart nothing is sent, no sweep begins, and nothing is written into it; each says why and what to do."""
    whole = path.read_bytes()
    harm(path)
    with Watch(RegisterFile(path), SPACE) as watch:
        assert reason in watch.permit(clock()).pause_reason
        assert "restore the later one" in watch.permit(clock()).pause_reason
    harmed = path.read_bytes()
    for step in (
        lambda: register.begin(str(path), tmp_path),
        lambda: register.opted_out(str(path), tmp_path),
        lambda: edit.go(RegisterFile(path), "me"),
        lambda: edit.add(RegisterFile(path), ["192.0.2.7"], NOC),
    ):
        with pytest.raises(InputError, match=reason):
            step()
    assert path.read_bytes() == harmed
    path.write_bytes(whole)
    edit.go(RegisterFile(path), "me")
    with Watch(RegisterFile(path), SPACE) as watch:
        assert watch.permit().pause_reason == ""


def test_another_path_to_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link and a relative path lead to the same register, so they hide nothing."""
    path.write_bytes(b"")
    path.with_name("link").symlink_to(path)
    monkeypatch.chdir(path.parent)
    for name in (path.with_name("link"), Path("optout.jsonl"), Path("./state/../optout.jsonl")):
        with pytest.raises(InputError, match="was shortened"):
            anchor.require(str(name), name.read_bytes(), anchor.last(str(name)))


def test_begun_anew_on_purpose(path: Path) -> None:
    """The error names the file whose removal lets a register begin anew; a machine that never saw it has nothing to say."""
    path.write_bytes(b"")
    with pytest.raises(InputError) as refused:
        anchor.require(str(path), b"", anchor.last(str(path)))
    named = next(word for word in str(refused.value).split() if word.endswith(".json"))
    Path(named).unlink()
    anchor.require(str(path), b"", anchor.last(str(path)))


def test_heads_only_grow(path: Path) -> None:
    """A process that is behind does not take back what another has seen."""
    data = path.read_bytes()
    anchor.keep(str(path), lines(path)[0], chained.digest(lines(path)[0]))
    with pytest.raises(InputError):
        anchor.require(str(path), lines(path)[0], anchor.last(str(path)))
    anchor.require(str(path), data, anchor.last(str(path)))


def test_a_state_folder_that_cannot_be_written_sends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no head can be kept a worker does not send, and says what to set; who only writes a line is not kept from it."""
    (tmp_path / "state").write_text("a file")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "optout.jsonl"
    RegisterFile(path).create()
    with Watch(RegisterFile(path), SPACE) as watch:
        assert "XDG_STATE_HOME" in watch.permit().pause_reason


def test_a_device_is_no_register() -> None:
    """/dev/null reads as if nobody had opted out, and is refused."""
    with pytest.raises(InputError, match="is a device"):
        RegisterFile(Path("/dev/null")).read()
