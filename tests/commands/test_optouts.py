"""The verbs that write into a register, on the command line."""

import json
from pathlib import Path

import pytest

from pipeline.lake import layout, parts, store
from pipeline.optout import obeyed
from pipeline.sweep import freeze, run
from tests.commands.running import Census, write_config
from tests.publish import history

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


def test_a_configuration_names_its_lake(tmp_path: Path, census: Census) -> None:
    """Commands that take a lake take the configuration too, those of an emergency as well."""
    config = Path(write_config(tmp_path))
    config.write_text(f'{config.read_text()}\n[lake]\nurl = "{tmp_path}/lake"\n')
    run.begin(freeze.freeze(config), tmp_path / "lake")
    assert census("status", config, "--json").stdout == census("status", tmp_path / "lake", "--json").stdout
    assert census("stop", config, "--reason", "a call", "--who", "me").returncode == 0
    assert "stopped by me: a call" in census("optout", tmp_path / "lake", "list").stderr


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


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A lake with a sweep that was begun and obeys the lake's own register."""
    run.begin(freeze.freeze(Path(write_config(tmp_path))), tmp_path / "lake")
    return tmp_path / "lake"


def elsewhere(folder: Path, lake: Path, name: str = "elsewhere.jsonl") -> Path:
    """Begin another sweep in a lake, which obeys a register outside of it; return the register."""
    config = Path(write_config(folder, name="other"))
    (folder / name).touch()
    config.write_text(config.read_text() + f'[optout]\nregister = "{name}"\n')
    run.begin(freeze.freeze(config, lake), lake)
    return folder / name


@pytest.mark.parametrize("name", ["lake", "lake/optout.jsonl"])
def test_a_lake_names_its_register(lake: Path, census: Census, name: str) -> None:
    """The lake, and the register in it, are the register that its sweeps obey; the message names the file."""
    stopped = census("stop", lake.parent / name, "--reason", "a call", "--who", "me")
    assert (stopped.returncode, stopped.stderr) == (
        0,
        f"stopped, in {lake}/optout.jsonl; `census go {lake}/optout.jsonl` resumes\n"
        "no worker runs now; each reads the register before it sends\n",
    )
    assert b"a call" in (lake / "optout.jsonl").read_bytes()
    assert census("go", lake.parent / name).returncode == 0


def test_nobody_stops_into_a_file_that_no_sweep_obeys(tmp_path: Path, census: Census) -> None:
    """A lake whose sweeps obey a register elsewhere leads there; its own file is refused with the path of that one."""
    other = elsewhere(tmp_path, tmp_path / "lake")
    refused = census("stop", tmp_path / "lake/optout.jsonl", "--reason", "a call")
    assert refused.returncode == 2 and f"they obey {other}; name that one, or the lake" in refused.stderr
    assert not (tmp_path / "lake/optout.jsonl").exists()
    assert census("stop", tmp_path / "lake", "--reason", "a call").returncode == 0
    assert census("optout", tmp_path / "lake", "add", "192.0.2.0/24", *WHO).returncode == 0
    assert b"a call" in other.read_bytes() and b"192.0.2.0/24" in other.read_bytes()


def test_several_registers_are_named(lake: Path, census: Census) -> None:
    """If the sweeps at work obey several registers, the lake alone is refused with all of them. `stop` goes into each."""
    other = elsewhere(lake.parent, lake)
    refused = census("rate", lake, "5")
    assert refused.returncode == 2 and f"{other}, {lake}/optout.jsonl; name one" in refused.stderr
    assert census("rate", lake / "optout.jsonl", "5").returncode == census("rate", other, "5").returncode == 0
    assert census("stop", lake, "--reason", "a call").returncode == 0  # an emergency leaves no time to choose
    assert all(b"a call" in obeyed.read_bytes() for obeyed in (other, lake / "optout.jsonl"))
    other.unlink()
    broken = census("stop", lake, "--reason", "another call")
    assert broken.returncode == 2 and "no such file" in broken.stderr
    assert b"another call" in (lake / "optout.jsonl").read_bytes()


def test_a_folder_is_not_a_register(tmp_path: Path, census: Census) -> None:
    """A folder that is not a lake is refused as such."""
    refused = census("go", tmp_path)
    assert refused.returncode == 2 and "is neither a lake" in refused.stderr


def test_a_mistyped_lake_makes_no_register(tmp_path: Path, census: Census) -> None:
    """A name that is neither there nor a register's is refused; a register is made in a folder that will be a lake."""
    refused = census("optout", tmp_path / "lakee", "add", "192.0.2.0/24", *WHO)
    assert refused.returncode == 2 and "there is no such lake or register" in refused.stderr
    assert not (tmp_path / "lakee").exists()
    assert census("optout", tmp_path / "optout.jsonl", "add", "192.0.2.0/24", *WHO).returncode == 0
    assert census("stop", tmp_path, "--reason", "a call").returncode == 0


def test_what_is_opted_out_already(path: Path, census: Census) -> None:
    """A block that is opted out, alone or as part of a wider one, is called so with day and person; its evidence is kept too."""
    first = census("optout", path, "add", "192.0.2.0/24", *WHO)
    assert first.stderr.startswith("opted out: 192.0.2.0/24\n")
    again = census("optout", path, "add", "192.0.2.0/24", "192.0.2.7", "198.51.99.0/24", *WHO, "--proof", "ticket 9")
    new, same, part, where, heard = again.stderr.splitlines()
    assert heard == "name the lake instead of the register to see which workers have read it"
    assert new == "opted out: 198.51.99.0/24"
    assert same.startswith("opted out already: 192.0.2.0/24, on 20") and same.endswith(
        " by NOC; the new line is kept too"
    )
    assert part.startswith("opted out already: 192.0.2.7/32, as part of 192.0.2.0/24, on 20")
    assert where == f'obeyed by sweeps whose configuration names it: [optout] register = "{path}"'
    assert [row.get("proof") for row in listed(census, path, "--all")] == ["", "ticket 9", "ticket 9", "ticket 9"]


def test_a_limit_above_the_plan_changes_nothing(lake: Path, census: Census) -> None:
    """`census rate` names the sweeps whose own rate is lower, and no others."""
    high = census("rate", lake, "9999999").stderr
    assert "a plan's own rate applies if it is lower" in high and "is not slowed down: its plan's rate is 100" in high
    assert "not slowed down" not in census("rate", lake, "99").stderr


def test_who_answered_in_the_last_sweep(lake: Path, census: Census) -> None:
    """With a lake, an opt-out says how many addresses of the block answered in the latest sealed sweep."""
    assert "answered" not in census("optout", lake, "add", "192.0.2.0/24", *WHO).stderr
    paths = layout.find(lake, None)
    ips = [(198 << 24) + (51 << 16) + (99 << 8) + last for last in (7, 9, 200)]
    rows = [{"ip": ip, "port": 104, "outcome": "accepted"} for ip in ips]
    table = parts.tidy([history.arrow("responses", rows)], "responses")
    parts.write(paths.sealed("responses"), table, "responses", paths.id)
    store.write(paths.sealed("sweeps"), b"")
    added = census("optout", lake, "add", "198.51.99.0/25", *WHO).stderr
    assert f"198.51.99.0/25: 2 addresses of it answered in sweep {paths.id}" in added
    assert obeyed.answered(lake, "198.51.99.0/24") == (paths.id, 3)
