import json
import os
import secrets
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.testbed.run import run
from pipeline.testbed.spec import addresses, load

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "data/testbed/demo.toml"
MODULE = [sys.executable, "-m", "pipeline.testbed.run"]
#: The visitor's words for doors that only the kernel answers at (113 is EHOSTUNREACH).
KERNEL = {"closed": "refused", "unreachable": "unreachable 113"}
SMALL = """
[[server]]
name = "web"
kind = "http"
[[stand]]
server = "web"
port = 104
addresses = ["81.2.69.0-81.2.69.9"]
country = "GB"
outcome = "not_dicom"
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> str:
    """A variable in the environment of every process that the test starts, and of no other test's."""
    name = f"CENSUS_TEST_{secrets.token_hex(8)}"
    monkeypatch.setenv(name, "1")
    return name


def namespaces(mark: str) -> set[str]:
    """Return the network namespaces that processes with this mark live in."""
    found = set()
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        with suppress(OSError):
            if f"{mark}=".encode() in Path(f"/proc/{pid}/environ").read_bytes():
                found.add(os.readlink(f"/proc/{pid}/ns/net"))
    return found


def visit(spec: Path, doors: list[str], *options: str) -> dict[str, tuple[str, tuple[int, ...] | None]]:
    """Visit doors inside a testbed; return outcome and rejection by door."""
    command = [*MODULE, *options, str(spec), "--", sys.executable, str(ROOT / "tests/testbed/visitor.py")]
    done = subprocess.run(
        command, cwd=ROOT, input="\n".join(doors), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {row["door"]: (row["outcome"], row["rj"] and tuple(row["rj"])) for row in rows}


@pytest.mark.timeout(150)
def test_every_door_answers_as_specified(tmp_path: Path) -> None:
    """Each server of the demo answers a real A-ASSOCIATE-RQ at each of its doors as the specification says."""
    spec, capture = load(DEMO), tmp_path / "world.pcap"
    kinds = {server.name: server.kind for server in spec.server}
    expected = {
        f"{address}:{stand.port}": (stand.outcome.value if stand.outcome else KERNEL[kinds[stand.server]], stand.rj)
        for stand in spec.stand
        for address in addresses(stand)
    }
    assert visit(DEMO, list(expected), "--capture", str(capture)) == expected
    assert capture.stat().st_size > 100_000


def test_other_doors(small: Path) -> None:
    """A played address refuses other ports, even the server's own, and an address that is not played is silent."""
    found = visit(small, ["81.2.69.3:104", "81.2.69.3:105", "81.2.69.3:20001", "81.2.70.1:104"])
    assert [outcome for outcome, _ in found.values()] == ["not_dicom", "refused", "refused", "unreachable None"]


def test_exit_code_folder_and_environment(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's exit code is returned; it runs in the same folder, with the manifest and under the guard."""
    monkeypatch.chdir(tmp_path)
    script = 'pwd > where; test "$CENSUS_ONLY_TESTBED$WORD" = 1hello && test -s "$CENSUS_TESTBED" && exit 7'
    assert run(small, ["sh", "-c", script], env={"WORD": "hello"}) == 7
    assert (tmp_path / "where").read_text().strip() == str(tmp_path)


def test_command_is_in_a_closed_testbed(small: Path) -> None:
    """The command finds itself in a closed testbed without any help."""
    assert (
        run(
            small,
            [
                sys.executable,
                "-c",
                (
                    f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
                    "from pipeline.guard.sockets import in_closed_testbed as f; sys.exit(0 if f() else 9)"
                ),
            ],
        )
        == 0
    )


def test_nothing_is_left(small: Path, mark: str) -> None:
    """After a run no process that it started lives and no namespace is left, even of a command's own background job."""
    assert run(small, ["sh", "-c", "sleep 300 & exit 0"]) == 0
    assert namespaces(mark) == set()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_signal_ends_everything(small: Path, mark: str, number: int, code: int) -> None:
    """A signal reaches the command and all is torn down; killed without warning, the kernel tears it down."""
    script = "import time; print('here', flush=True); time.sleep(300)"
    if number == signal.SIGINT:
        script = "import signal; signal.signal(2, signal.SIG_DFL); " + script
    with subprocess.Popen(
        [*MODULE, str(small), "--", sys.executable, "-c", script],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == b"here\n"
        assert len(namespaces(mark)) >= 2  # this test's own, which the program was started in, and the testbed's
        process.send_signal(number)
        assert process.wait(20) == code
    deadline = time.monotonic() + 10
    while namespaces(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert namespaces(mark) == set()


def test_without_privilege(small: Path) -> None:
    """Without CAP_SYS_ADMIN the same testbed is made in a user namespace."""
    # user_namespaces(7): to map uid 0, which this test has and an ordinary user has not, takes CAP_SETFCAP.
    unprivileged = ["setpriv", "--bounding-set=-all,+setfcap", "--inh-caps=-all", "--no-new-privs"]
    done = subprocess.run(
        [*unprivileged, *MODULE, str(small), "--", "sh", "-c", "cat /proc/self/uid_map; exit 5"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.split()) == (5, ["0", "0", "1"]), done.stderr


def test_server_that_does_not_start_is_named(tmp_path: Path, small: Path) -> None:
    """A server that ends before it listens is named with the end of its log."""
    broken = tmp_path / "broken.toml"
    text = SMALL.replace('"http"', '"dcmqrscp"\nae_title = "A B"')
    broken.write_text(text)
    done = subprocess.run(
        [*MODULE, str(broken), "--", "true"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "server web ended with exit code" in done.stderr


def test_no_command(small: Path) -> None:
    """A missing or unknown command is an input error before anything is made."""
    with pytest.raises(InputError, match="after `--`"):
        run(small, [])
    with pytest.raises(InputError, match="nosuchcommand"):
        run(small, ["nosuchcommand"])
