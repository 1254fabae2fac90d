"""The verbs that write into a register, on the command line."""

import json
from pathlib import Path

import pytest

from tests.commands.running import Census

WHO = ("--who", "NOC")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "optout.jsonl"


def listed(census: Census, path: Path, *options: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in census("optout", path, "list", "--json", *options).stdout.splitlines()]


def test_add_list_expire(path: Path, census: Census) -> None:
    """Blocks that were added are listed until they are expired; the history stays."""
    assert census("optout", path, "add", "192.0.2.0/24", "192.0.2.7", *WHO, "--proof", "ticket 7").returncode == 0
    assert [(row["block"], row["proof"]) for row in listed(census, path)] == [
        ("192.0.2.0/24", "ticket 7"),
        ("192.0.2.7/32", "ticket 7"),
    ]
    assert census("optout", path, "expire", "192.0.2.7", *WHO, "--note", "back").returncode == 0
    assert [row["block"] for row in listed(census, path)] == ["192.0.2.0/24"]
    assert [row["event"] for row in listed(census, path, "--all")] == ["opt_out", "opt_out", "expire"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("add", "192.0.2.1/24", *WHO), "host bits"),
        (("add", "192.0.2.0/24"), "--who"),
        (("add", *WHO), "at least one block"),
        (("add", "192.0.2.0/24", *WHO, "--until", "tomorrow"), "--until"),
        (("add", "192.0.2.0/24", *WHO, "--until", "2020-01-01"), "is in the past"),
        (("expire", "192.0.2.0/24", "192.0.2.0/25", *WHO), "192.0.2.0/25"),
    ],
)
def test_bad_input_writes_nothing(path: Path, census: Census, arguments: tuple[str, ...], reason: str) -> None:
    """Bad input is refused with the reason and exit code 2, and the register stays as it was."""
    census("optout", path, "add", "192.0.2.0/24", *WHO)
    before = path.read_bytes()
    refused = census("optout", path, *arguments)
    assert refused.returncode == 2
    assert reason in refused.stderr
    assert path.read_bytes() == before


def test_stop_and_go(path: Path, census: Census) -> None:
    """A register is stopped with a reason until `census go`; a missing register, and a second `go`, give exit code 2."""
    assert census("stop", path, "--reason", "a call").returncode == 2  # a mistyped path must not seem to stop a sweep
    assert not path.exists()
    census("optout", path, "add", "192.0.2.0/24", *WHO)
    assert census("stop", path, "--reason", "a call", "--who", "me").returncode == 0
    assert "stopped by me: a call" in census("optout", path, "list").stderr
    assert census("go", path).returncode == 0
    assert census("go", path).returncode == 2


def test_a_rate_is_limited_until_it_is_not(path: Path, census: Census) -> None:
    """A limit is shown until it is removed; only an existing limit can be removed, and a limit is a whole number from 1 on."""
    census("optout", path, "add", "192.0.2.0/24", *WHO)
    assert census("rate", path).returncode == 2
    assert census("rate", path, "0").returncode == 2
    assert census("rate", path, "500", "--who", "me").returncode == 0
    assert "limited to 500 probes a second by me" in census("optout", path, "list").stderr
    assert census("rate", path, "--who", "me").returncode == 0
    assert "limited" not in census("optout", path, "list").stderr


def test_what_was_asked_is_shown_harmless(path: Path, census: Census) -> None:
    """Control characters in a text of the register do not reach the terminal."""
    census("optout", path, "add", "192.0.2.0/24", "--who", "me\x1b[31m\u202e")
    shown = census("optout", path, "list").stdout
    assert "me\\x1b[31m\\u202e" in shown
    assert "\x1b" not in shown


def test_a_broken_register_is_named(path: Path, census: Census) -> None:
    """A register with a changed line is refused with file and line, exit code 2."""
    census("optout", path, "add", "192.0.2.0/24", "192.0.2.7", *WHO)
    path.write_bytes(path.read_bytes().replace(b"192.0.2.0/24", b"192.0.3.0/24"))
    refused = census("optout", path, "list")
    assert refused.returncode == 2
    assert f"{path}, line 2" in refused.stderr
