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
#: The visitor's outcomes for endpoints where only the kernel answers (113 is EHOSTUNREACH).
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
    """A variable in the environment of all processes that this test starts, and of no other process."""
    name = f"CENSUS_TEST_{secrets.token_hex(8)}"
    monkeypatch.setenv(name, "1")
    return name


def namespaces(mark: str) -> set[str]:
    """The network namespaces of processes with this mark."""
    results = set()
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        with suppress(OSError):
            if f"{mark}=".encode() in Path(f"/proc/{pid}/environ").read_bytes():
                results.add(os.readlink(f"/proc/{pid}/ns/net"))
    return results


def visit(spec: Path, endpoints: list[str], *options: str) -> dict[str, tuple[str, tuple[int, ...] | None]]:
    """Visit endpoints inside a testbed; outcome and rejection by endpoint."""
    command = [*MODULE, *options, str(spec), "--", sys.executable, str(ROOT / "tests/testbed/visitor.py")]
    completed = subprocess.run(
        command, cwd=ROOT, input="\n".join(endpoints), capture_output=True, text=True, timeout=120, check=False
    )
    assert completed.returncode == 0, completed.stderr
    rows = [json.loads(line) for line in completed.stdout.splitlines()]
    return {row["endpoint"]: (row["outcome"], row["rj"] and tuple(row["rj"])) for row in rows}


@pytest.mark.timeout(150)
def test_every_endpoint_answers_as_specified(tmp_path: Path) -> None:
    """Each server of the demo answers a real A-ASSOCIATE-RQ at each endpoint as specified."""
    spec, capture = load(DEMO), tmp_path / "world.pcap"
    kinds = {server.name: server.kind for server in spec.server}
    expected = {
        f"{address}:{placement.port}": (
            placement.outcome.value if placement.outcome else KERNEL[kinds[placement.server]],
            placement.rj,
        )
        for placement in spec.placements
        for address in addresses(placement)
    }
    assert visit(DEMO, list(expected), "--capture", str(capture)) == expected
    assert capture.stat().st_size > 100_000


def test_other_endpoints(small: Path) -> None:
    """A simulated address refuses other ports, even the server's real port; every other address is unreachable."""
    results = visit(small, ["81.2.69.3:104", "81.2.69.3:105", "81.2.69.3:20001", "81.2.70.1:104"])
    assert [outcome for outcome, _ in results.values()] == ["not_dicom", "refused", "refused", "unreachable None"]


def test_exit_code_folder_and_environment(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's exit code is returned; the command runs in the same folder, with the manifest and under the guard."""
    monkeypatch.chdir(tmp_path)
    script = 'pwd > where; test "$CENSUS_ONLY_TESTBED$WORD" = 1hello && test -s "$CENSUS_TESTBED" && exit 7'
    assert run(small, ["sh", "-c", script], env={"WORD": "hello"}) == 7
    assert (tmp_path / "where").read_text().strip() == str(tmp_path)


def test_command_is_in_a_closed_testbed(small: Path) -> None:
    """The command finds itself in a closed testbed without configuration."""
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
    """After a run no process and no namespace is left, not even that of the command's background job."""
    assert run(small, ["sh", "-c", "sleep 300 & exit 0"]) == 0
    assert namespaces(mark) == set()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_signal_ends_everything(small: Path, mark: str, number: int, code: int) -> None:
    """A signal reaches the command, and everything is torn down; after SIGKILL the kernel does this."""
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
        assert len(namespaces(mark)) >= 2  # of this test and of the testbed
        process.send_signal(number)
        assert process.wait(20) == code
    deadline = time.monotonic() + 10
    while namespaces(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert namespaces(mark) == set()


def test_without_privilege(small: Path) -> None:
    """Without CAP_SYS_ADMIN the testbed is made in a user namespace and is the same."""
    # user_namespaces(7): mapping uid 0, which this test has and an ordinary user does not have, needs CAP_SETFCAP.
    unprivileged = ["setpriv", "--bounding-set=-all,+setfcap", "--inh-caps=-all", "--no-new-privs"]
    completed = subprocess.run(
        [*unprivileged, *MODULE, str(small), "--", "sh", "-c", "cat /proc/self/uid_map; exit 5"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (completed.returncode, completed.stdout.split()) == (5, ["0", "0", "1"]), completed.stderr


def test_server_that_does_not_start_is_named(tmp_path: Path, small: Path) -> None:
    """A server that ends before it listens is reported with the end of its log."""
    broken = tmp_path / "broken.toml"
    text = SMALL.replace('"http"', '"dcmqrscp"\nae_title = "A B"')
    broken.write_text(text)
    completed = subprocess.run(
        [*MODULE, str(broken), "--", "true"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert completed.returncode == 1
    assert "server web ended with exit code" in completed.stderr


def test_no_command(small: Path) -> None:
    """A missing or unknown command is an input error before anything is made."""
    with pytest.raises(InputError, match="after `--`"):
        run(small, [])
    with pytest.raises(InputError, match="nosuchcommand"):
        run(small, ["nosuchcommand"])
