"""Settings of every test, and a lake in a folder and in a bucket of a real S3 server: tests of a lake run with both."""

import fcntl
import gc
import os
import shutil
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path, PurePath
from tempfile import gettempdir, mkdtemp

import msgspec
import pytest
from hypothesis import settings
from xdist.remote import Producer

from pipeline.bpf import kernel
from pipeline.guard.proof import TESTBED
from pipeline.guard.sockets import ONLY_TESTBED, VANTAGE
from pipeline.lab.key import KEYS
from pipeline.lake import bucket as remote
from pipeline.lake import store
from pipeline.lake.store import Location
from pipeline.testbed.closed import NamespacePair, closed_pair
from tests.lake import bucket
from tests.scheduling import SERVED, Scheduling

# However the tests are run, no packet of a test leaves a testbed or loopback.
os.environ[ONLY_TESTBED] = "1"
# A busy machine is slow now and then: the time of an example proves nothing.
settings.register_profile("census", deadline=None)
settings.load_profile("census")

#: Files whose tests run whole sweeps and mostly wait, those that take longest first.
LONG = (
    "flows/test_[!p]*.py",
    "chaos/test_*.py",
    "end_to_end/test_alarm.py",
    "end_to_end/test_links.py",
    "benchmarks/*.py",
    "sweep/test_run.py",
    "end_to_end/*.py",
    "sweep/*.py",
    "doctor/test_examine.py",
    "worker/test_remote_associator.py",
    "testbed/*.py",
)


#: What tests need besides Python, by marker: its meaning, and the files. `pytest -m "not namespaces"` leaves them out.
NEEDS = {
    "namespaces": (
        "needs network namespaces (root, or `tools/namespaces`) and nftables",
        (
            "chaos/*.py",
            "end_to_end/*.py",
            "flows/test_embedded.py",
            "flows/test_fleet.py",
            "flows/test_outages.py",
            "guard/*.py",
            "probe/test_fin_wait.py",
            "probe/test_greeting.py",
            "probe/test_listener.py",
            "probe/test_outage.py",
            "probe/test_rst_filter.py",
            "rings/test_live_frames.py",
            "rings/test_open.py",
            "rings/test_packet_ring.py",
            "rings/test_xdp.py",
            "space/test_outside.py",
            "sweep/test_calibrate.py",
            "sweep/test_deadline.py",
            "sweep/test_own_audit.py",
            "sweep/test_run.py",
            "testbed/test_hostile.py",
            "testbed/test_run.py",
            "tools/test_packages.py",
            "worker/*.py",
            "benchmarks/test_benchmarks.py",
        ),
    ),
    "bpf": (
        "needs bpf(2): root itself, for whom a user namespace is not enough",
        (
            "bpf/test_constant.py",
            "bpf/test_halfsiphash.py",
            "bpf/test_kernel.py",
            "rings/test_live_frames.py",
            "rings/test_live_program.py",
            "rings/test_open.py",
        ),
    ),
    "servers": (
        "needs DCMTK, Orthanc and OpenSSL",
        (
            "associate/test_servers.py",
            "associate/test_tls_servers.py",
            "end_to_end/test_capabilities.py",
            "sweep/test_own_audit.py",
            "sweep/test_run.py",
            "testbed/test_run.py",
            "testbed/test_server_kinds.py",
        ),
    ),
    "dnsmasq": ("needs dnsmasq", ("attribution/test_check.py", "sweep/test_resolve.py", "reverse_dns/test_lookup.py")),
    "chromium": ("needs Chromium", ("publish/test_chromium.py", "site/test_site_in_chromium.py")),
    "postgresql": (
        "needs PostgreSQL",
        (
            "flows/test_automations.py",
            "flows/test_cancellation.py",
            "flows/test_deployments.py",
            "flows/test_fleet.py",
            "flows/test_outages.py",
        ),
    ),
    "scanners": ("needs ZMap, masscan and nmap", ("space/test_outside.py", "benchmarks/test_benchmarks.py")),
}


def pytest_configure(config: pytest.Config) -> None:
    for name, (meaning, _) in NEEDS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    if KEYS not in os.environ:  # the workers of pytest-xdist inherit both
        state = mkdtemp(prefix="census-tests-")
        os.environ |= {KEYS: f"{state}/keys", "XDG_STATE_HOME": state}
        config.add_cleanup(lambda: shutil.rmtree(state))
    config.addinivalue_line(
        "markers", "alone: holds of a machine that does nothing else, so no other test runs meanwhile"
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while modules are imported and tests are made: nearly all of it stays, and is never looked through."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def _may_load_programs() -> bool:
    """Whether this process may use bpf(2)."""
    try:
        kernel.create_map(kernel.MapType.ARRAY, value=4)
    except OSError:
        return False
    return True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the needs of each test; run the long tests first, and the tests that need the machine alone last."""
    for item in items:
        for name in _needs(item.path):
            item.add_marker(name)
    if not _may_load_programs():
        for item in items:
            if item.get_closest_marker("bpf"):
                item.add_marker(pytest.mark.skip(reason=NEEDS["bpf"][0]))
    last = {item.path for item in items if item.get_closest_marker("alone")}
    items.sort(key=lambda item: (item.path in last, _rank(item.path)))


@cache
def _needs(path: PurePath) -> tuple[str, ...]:
    """The names of what a file's tests need."""
    return tuple(name for name, (_, patterns) in NEEDS.items() if any(path.match(pattern) for pattern in patterns))


@cache
def _rank(path: PurePath) -> int:
    """The place of a file among the long ones; the same for all others, after them."""
    return next((rank for rank, pattern in enumerate(LONG) if path.match(pattern)), len(LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Share the tests out as `tests/scheduling.py` says, whatever `--dist` is."""
    scheduling = Scheduling(config, log)
    scheduling.is_long = lambda scope: scope == SERVED or _rank(PurePath(scope.partition("::")[0])) < len(LONG)
    return scheduling


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let a test marked `alone` wait until no other test of this run is at work, and let none begin before it ends."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    with (Path(gettempdir()) / f"census-tests-{run}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH)
        return (yield)


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    with bucket.serving() as url:
        yield url


@pytest.fixture
def environment(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Set the variables by which programs find the server; return its URL."""
    for name, value in bucket.KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    remote._store.cache_clear()
    return endpoint


@pytest.fixture(params=["folder", "bucket"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    if request.param == "folder":
        return tmp_path / "lake"
    return store.at(bucket.make(request.getfixturevalue("environment")) + "/some/lake")


@pytest.fixture
def vantage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NamespacePair]:
    """A closed pair, from whose vantage this process sends."""
    with closed_pair() as pair:
        manifest = tmp_path / "manifest.json"
        manifest.write_bytes(msgspec.json.encode(pair.manifest))
        for name, value in {TESTBED: str(manifest), ONLY_TESTBED: "1", VANTAGE: str(pair.vantage)}.items():
            monkeypatch.setenv(name, value)
        yield pair
