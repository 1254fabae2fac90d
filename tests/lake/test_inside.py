"""Nothing is written, removed, truncated or read outside a lake's folder, whatever links and names the lake holds."""

import ast
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from pipeline import schema
from pipeline.errors import InputError
from pipeline.lake import inside, layout, parts, receipts, store, visit_log
from pipeline.lake.layout import SweepPaths
from pipeline.lake.leases import Leases
from pipeline.record.receipt import Part, Receipt
from pipeline.sweep import enrichment, run
from pipeline.views import connection, marts

ROOT = Path(__file__).parents[2]
SWEEP = "20261124T000000Z-n"
JOURNALS = f"work/sweep={SWEEP}/journal"
#: The program's files that write to a lake, except the one place itself; `cache` and `bucket` write copies of objects elsewhere.
WRITERS = (
    "lake",
    "views",
    "status",
    "worker/coordinator.py",
    "worker/writer.py",
    "sweep/resolve.py",
    "sweep/reparse.py",
)
ELSEWHERE = {"inside.py", "cache.py", "bucket.py"}
#: Methods of paths, and functions of `os` and `shutil`, that write, remove or truncate.
RAW = {
    "unlink", "rmtree", "rmdir", "mkdir", "makedirs", "touch", "write_text", "write_bytes", "symlink_to", "hardlink_to",
    "rename", "renames", "truncate", "ftruncate", "chmod", "remove", "link", "symlink", "mkfifo",
}  # fmt: skip


@pytest.fixture(params=[True, False], ids=["openat2", "without"], autouse=True)
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel with openat2, and one without."""
    if not request.param:
        monkeypatch.setattr(inside, "_has_openat2", lambda: False)


@pytest.fixture
def paths(tmp_path: Path) -> SweepPaths:
    return SweepPaths(tmp_path / "lake", SWEEP)


@pytest.fixture
def precious(tmp_path: Path) -> Iterator[Path]:
    """A folder outside the lake that must be as it was when the test ends."""
    folder = tmp_path / "precious"
    folder.mkdir()
    for name in ("a.parquet", ".lock", "notes"):
        (folder / name).write_bytes(b"precious")
    yield folder
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "a.parquet", "notes"]
    assert {path.read_bytes() for path in folder.iterdir()} == {b"precious"}


def linked(path: Path, target: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


WRITES: dict[str, tuple[str, str, Callable[[SweepPaths], object]]] = {
    "a linked folder of marts": (f"marts/sweep={SWEEP}", ".", lambda p: store.remove(_home(p) / "a.parquet")),
    "a linked set of marts": (f"marts/sweep={SWEEP}/old", ".", lambda p: store.remove(_home(p) / "old")),
    "a linked folder of all marts": ("marts", ".", lambda p: store.remove(_home(p))),
    "linked parts at the seal": (f"work/sweep={SWEEP}/tls", ".", lambda p: store.unlink(p.work / "tls" / "a.parquet")),
    "a linked lock": (f"work/sweep={SWEEP}/leases/.lock", ".lock", lambda p: store.swap(p.lease("1"), b"", after=None)),
    "a linked lake's table": ("responses", ".", lambda p: parts.write(p.sealed("responses"), EMPTY, "responses", p.id)),
    "a linked sweep": (f"work/sweep={SWEEP}", ".", lambda p: store.write(p.work / "notes", b"new")),
    "a linked journal": (f"{JOURNALS}/k.1.tls.arrows", "notes", lambda p: parts.journal(p.journal("k", 1, "tls"), "tls")),
    "a linked visit log": (f"{JOURNALS}/000-000000.1.begun.x", "notes", lambda p: visit_log.VisitLog(p, "x").open(0, 0, 1)),
    "a linked receipt": (f"work/sweep={SWEEP}/receipts/k.json", "notes", lambda p: receipts.read_receipt(p, "k")),
    "a linked table": (f"responses/sweep={SWEEP}/part-0.parquet", "a.parquet", lambda p: store.files([p.sealed("responses")])),
    "a linked plan": (f"plans/sweep={SWEEP}/plan.json", "notes", lambda p: store.read(p.plan)),
}  # fmt: skip
EMPTY = schema.table("responses").arrow.empty_table()


def _home(paths: SweepPaths) -> store.Location:
    return marts.folder(paths).parent


@pytest.mark.parametrize("case", WRITES)
def test_a_link_in_a_lake_is_refused(paths: SweepPaths, precious: Path, case: str) -> None:
    """What a link in a lake leads to is neither changed nor removed nor read, and one error names the path."""
    link, target, act = WRITES[case]
    linked(Path(str(paths.lake)) / link, precious / target)
    with pytest.raises(InputError, match="is a link, leads through one, or is not an ordinary file"):
        act(paths)


@pytest.mark.parametrize("state", ["sealed", "swept"])
def test_no_command_follows_a_link(tmp_path: Path, precious: Path, state: str) -> None:
    """`enrich` does not empty what a linked folder of marts leads to, nor the seal what a linked folder of parts leads to."""
    shutil.copytree(ROOT / "tests" / "data" / "lakes" / state, tmp_path / "lake")
    sweep = layout.open_sweep(tmp_path / "lake", None)
    linked(
        {"sealed": Path(str(_home(sweep.paths))).parent, "swept": Path(str(sweep.paths.work)) / "tls"}[state], precious
    )
    with pytest.raises(InputError, match="is a link, leads through one, or is not an ordinary file"):
        enrichment.enrich(sweep) if state == "sealed" else run.seal(sweep)


def test_no_lease_is_taken_through_a_link(paths: SweepPaths, precious: Path) -> None:
    """A worker that takes a lease does not empty what a linked lock leads to."""
    linked(Path(str(paths.work)) / "leases" / ".lock", precious / ".lock")
    with pytest.raises(InputError, match="is a link"):
        Leases(paths).take("000-000000")


def test_a_plan_that_leads_out_begins_nothing(tmp_path: Path) -> None:
    """A plan whose own id leads out of the lake is refused before anything is written, beside the lake or in it."""
    plan = layout.read_plan(next((ROOT / "tests" / "data" / "lakes" / "swept" / "plans").iterdir()) / "plan.json")
    before = sorted(tmp_path.rglob("*"))
    for name in ("../../beside", "../beside", "a/../../../beside"):
        with pytest.raises(InputError, match="an id has letters, digits"):
            run.begin(msgspec.structs.replace(plan, sweep=name), tmp_path / "lake")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_hard_link_is_not_written_through(paths: SweepPaths, precious: Path) -> None:
    """A file with a second name elsewhere is not appended to."""
    log = Path(str(paths.work)) / "journal" / "000-000000.1.begun.x"
    log.parent.mkdir(parents=True)
    os.link(precious / "notes", log)
    with pytest.raises(InputError, match="is not an ordinary file"):
        visit_log.VisitLog(paths, "x").open(0, 0, 1)


def test_a_pipe_and_a_device_are_not_read(paths: SweepPaths) -> None:
    """A pipe that nobody writes to does not hang a reader."""
    pipe = Path(str(paths.receipt("k")))
    pipe.parent.mkdir(parents=True)
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="is not an ordinary file"):
        receipts.read_receipts(paths)


def test_a_link_in_a_folder_that_is_removed_stays_what_it_is(paths: SweepPaths, precious: Path) -> None:
    """A link below a folder that is removed is removed itself, not what it leads to."""
    linked(Path(str(paths.work)) / "leases" / "inner", precious)
    store.remove(paths.work / "leases")
    assert not (paths.work / "leases").is_dir()


@pytest.mark.parametrize("name", ["../x", "..", "a/b", "", ".hidden", "a*", "a[b]", "x\n", "a b", "ü", "a" * 121])
def test_an_odd_id_is_refused(tmp_path: Path, name: str) -> None:
    """No sweep has an id that leads out of its folder, is hidden, or is a pattern: nothing is written beside the lake."""
    with pytest.raises(InputError, match="an id has letters, digits"):
        SweepPaths(tmp_path / "lake", name)


@pytest.mark.parametrize(("table", "file"), [("tls", "../../../x"), ("../tls", "x"), ("plans", "x"), ("tls", "*")])
def test_an_odd_part_is_refused(paths: SweepPaths, table: str, file: str) -> None:
    """A receipt that names a part elsewhere is refused, by whoever reads it."""
    receipts.put_receipt(paths, "000-000000", Receipt(parts=(Part(table, file, 1, ""),)))
    store.write(paths.plan, b"{}")
    with pytest.raises(InputError, match="a receipt names a part"):
        receipts.parts(paths, table)
    if table in schema.JOURNALED:
        with pytest.raises(InputError, match="a receipt names a part"):
            connection.connect(paths.lake)


def test_the_way_to_a_lake_may_be_a_link(tmp_path: Path) -> None:
    """A lake that is itself reached by a link is a lake as any other."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "lake").symlink_to(tmp_path / "disk")
    paths = SweepPaths(tmp_path / "lake", SWEEP)
    store.write(paths.plan, b"{}")
    assert (tmp_path / "disk" / "plans" / f"sweep={SWEEP}" / "plan.json").read_bytes() == b"{}"
    assert store.read(paths.plan)


def test_a_way_up_is_refused(tmp_path: Path) -> None:
    """A path with `..` below its lake is refused even if nothing is there."""
    with pytest.raises(InputError, match="leads through one"):
        store.write(tmp_path / "lake" / "work" / "sweep=a" / ".." / ".." / "x", b"")


def modes(folder: Path) -> set[str]:
    return {oct(path.stat().st_mode & 0o7777) for path in folder.rglob("*")}


@pytest.fixture
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.parametrize("umask", [0o022], indirect=True)
@pytest.mark.usefixtures("umask")
def test_a_new_lake_is_for_its_user_and_group(paths: SweepPaths) -> None:
    """A lake that the program makes lets others in nowhere, whatever the modes of its files."""
    store.write(paths.plan, b"{}")
    assert stat.S_IMODE(Path(str(paths.lake)).stat().st_mode) == 0o750


@pytest.mark.parametrize("umask", [0o022, 0o077], indirect=True)
@pytest.mark.usefixtures("umask")
def test_a_shared_lake(paths: SweepPaths) -> None:
    """In a lake that its group shares, the group may write everything but the secret; a umask that hides is obeyed."""
    hides = os.umask(0o022)
    os.umask(hides)
    Path(str(paths.lake)).mkdir()
    Path(str(paths.lake)).chmod(0o2770)
    store.write(paths.plan, b"{}")
    store.swap(paths.lease("1"), b"1", after=None)
    parts.journal(paths.journal("k", 1, "tls"), "tls").close()
    expected = {"0o2700", "0o600"} if hides == 0o077 else {"0o2775", "0o664"}
    assert modes(Path(str(paths.lake))) == expected
    store.write(paths.secret, b"secret", new=True, private=True)
    assert stat.S_IMODE(Path(str(paths.secret)).stat().st_mode) == 0o600


def files() -> Iterator[Path]:
    for name in WRITERS:
        path = ROOT / "pipeline" / name
        yield from [path] if path.is_file() else sorted(path.glob("*.py"))


def raw_calls(path: Path) -> Iterator[str]:
    """Yield the calls in a file that write, remove or truncate by a path, past the one place."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        function = ast.unparse(node.func)
        owner, _, name = function.rpartition(".")
        modes = [a.value for a in (*node.args, *(k.value for k in node.keywords)) if isinstance(a, ast.Constant)]
        opened = name == "open" and any(isinstance(mode, str) and set(mode) & set("wax+") for mode in modes)
        if opened or function == "os.open" or (name in RAW and owner not in ("store", "inside", "self._active")):
            yield f"{path.name}: {function}"


def test_no_writer_goes_past_the_one_place() -> None:
    """No file that writes to a lake opens, removes or renames by itself."""
    written = [call for path in files() if path.name not in ELSEWHERE for call in raw_calls(path)]
    objects_and_folders_of_its_own = [
        "store.py: path.unlink",  # objects of a bucket
        "store.py: path.unlink",
        "store.py: temporary.open",  # a file that the one place has just made
        "catalogue.py: path.parent.mkdir",  # of this user's cache
        "catalogue.py: _path().unlink",
        "database.py: new.unlink",  # of the name itself: a link is removed, and not followed
        "database.py: new.unlink",
        "marts.py: made.mkdir",  # in a temporary folder
    ]
    assert written == objects_and_folders_of_its_own
