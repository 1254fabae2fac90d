"""The proof of a sweep: whatever is changed in what is published from it, or taken out, breaks it."""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pipeline import schema
from pipeline.errors import CensusError
from pipeline.lab import key
from pipeline.lake import attestation, layout, manifest, turn
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.lake.store import Location
from pipeline.record.receipt import Part
from pipeline.sweep import enrichment, reparse, run
from pipeline.views import connection, marts

LAKES = Path(__file__).parents[1] / "data" / "lakes"


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake whose sweep is sealed and enriched now."""
    lake = tmp_path_factory.mktemp("signed") / "lake"
    shutil.copytree(LAKES / "swept", lake)
    sweep = layout.open_sweep(lake, None)
    run.seal(sweep)
    enrichment.enrich(sweep)
    return lake


@pytest.fixture
def sweep(signed: Path, tmp_path: Path) -> Sweep:
    """A copy that a test may change."""
    shutil.copytree(signed, tmp_path / "lake")
    return layout.open_sweep(tmp_path / "lake", None)


def file(path: Location) -> Path:
    return Path(str(path))


def rewrite(path: Location, change: Callable[[pa.Table], pa.Table]) -> None:
    table = pq.read_table(file(path), partitioning=None)
    pq.write_table(change(table).cast(table.schema), file(path))


def times_hundred(name: str) -> Callable[[pa.Table], pa.Table]:
    return lambda t: t.set_column(t.schema.get_field_index(name), name, pc.multiply(t[name], 100))


def with_manifest(digest: str | None) -> Callable[[pa.Table], pa.Table]:
    at = schema.table("sweeps").arrow.get_field_index(manifest.COLUMN)
    return lambda t: t.set_column(at, manifest.COLUMN, pa.array([digest], pa.string()))


def replace_text(path: Location, old: bytes, new: bytes) -> None:
    file(path).write_bytes(file(path).read_bytes().replace(old, new))


def add_names(paths: SweepPaths) -> None:
    shutil.copytree(file(paths.sealed("owners")).parent, file(paths.sealed("host_names")).parent)


def mart(paths: SweepPaths, name: str) -> Location:
    return marts.folder(paths) / f"{name}.parquet"


def emptied_manifest(paths: SweepPaths) -> None:
    """Empty the manifest, and name its new digest in the row."""
    digest = manifest.put(paths, list[Part]())
    rewrite(paths.sealed("sweeps"), with_manifest(digest))


def edited_receipt(paths: SweepPaths) -> None:
    path = file(sorted(file(paths.receipts).glob("*.json"))[0])
    data = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode(data | {"resets": data["resets"] + 1}))


def resigned(paths: SweepPaths, monkeypatch: pytest.MonkeyPatch, keys: Path) -> None:
    """Forge a mart and sign everything again by another key."""
    with monkeypatch.context() as context:
        context.setenv(key.KEYS, str(keys))
        for name in ("seal.json", "derived.json"):
            path = paths.plan.with_name(name)
            read = msgspec.json.decode(file(path).read_bytes(), type=attestation.SignedFile)
            by = key.load().sign(name.removesuffix(".json").replace("derived", "derivation"), read.document.encode())
            file(path).write_bytes(msgspec.json.encode(attestation.SignedFile(read.document, by)))


FORGERIES: dict[str, tuple[Callable[[SweepPaths], object], str]] = {
    "a mart": (lambda p: rewrite(mart(p, "countries"), times_hundred("services")), "was changed after it was derived"),
    "a mart of another sweep": (lambda p: shutil.copy(file(mart(p, "totals")), file(mart(p, "funnel"))), "was changed"),
    "a mart less": (lambda p: file(mart(p, "funnel")).unlink(), "is missing, though it was derived"),
    "a mart more": (lambda p: shutil.copy(file(mart(p, "funnel")), file(mart(p, "new"))), "is signed by nobody"),
    "a derived table": (lambda p: rewrite(p.sealed("coverage"), times_hundred("addresses")), "was changed after it was derived"),
    "locations": (lambda p: file(p.sealed("locations")).write_bytes(b"PAR1"), "was changed after it was derived"),
    "a derived table more": (add_names, "is signed by nobody"),
    "a sealed table": (lambda p: rewrite(p.sealed("banners"), lambda t: t.slice(1)), "was changed after the sweep was sealed"),
    "the row": (lambda p: rewrite(p.sealed("sweeps"), times_hundred("addresses")), "was changed after the sweep was sealed"),
    "the manifest's digest": (lambda p: rewrite(p.sealed("sweeps"), with_manifest(None)), "was changed after"),
    "the manifest": (emptied_manifest, "was changed after the sweep was sealed"),
    "a receipt": (edited_receipt, "receipt"),
    "no seal": (lambda p: file(p.plan.with_name("seal.json")).unlink(), "is not the seal that the derived tables"),
    "no derivation": (lambda p: file(p.plan.with_name("derived.json")).unlink(), "is signed by nobody"),
    "the seal's text": (lambda p: replace_text(p.plan.with_name("seal.json"), b"row", b"raw"), "was changed after it was signed"),
    "damage": (lambda p: file(p.plan.with_name("derived.json")).write_bytes(b"{"), "is damaged"),
}  # fmt: skip


@pytest.mark.parametrize("forged", FORGERIES)
def test_every_forgery_is_told(sweep: Sweep, forged: str) -> None:
    """Whatever is changed, `verify` fails, and a report is refused unless nobody wants a proof; then it says so."""
    forge, what = FORGERIES[forged]
    forge(sweep.paths)
    with pytest.raises(CensusError, match=what):
        run.require_verified(sweep)
    with pytest.raises(CensusError, match=f"the proof of .* is broken: .*{what}.*--unverified"):
        run.proven(sweep.paths.lake, sweep.paths)
    assert run.proven(sweep.paths.lake, sweep.paths, unverified=True).startswith("not verified: the proof of")


def test_another_key(sweep: Sweep, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What somebody else has signed again is told by the key, until this machine trusts it."""
    resigned(sweep.paths, monkeypatch, tmp_path / "keys")
    with pytest.raises(CensusError, match="which this machine does not trust"):
        run.require_verified(sweep)
    monkeypatch.setenv(key.KEYS, str(tmp_path / "keys"))
    with pytest.raises(CensusError, match="is not the seal that the derived tables were derived from"):
        run.require_verified(sweep)


def test_what_is_intact(sweep: Sweep) -> None:
    """A sweep as it was signed stands on its key; re-parsed and enriched again it still does."""
    assert run.proven(sweep.paths.lake, sweep.paths).startswith("signed by the key ")
    run.require_verified(sweep)
    reparse.reparse(sweep.paths)
    enrichment.enrich(sweep)
    run.require_verified(sweep)


def test_marts_that_are_not_in_use(sweep: Sweep) -> None:
    """Marts of other SQL or tables are not read, whatever is in them; the proof says that it is about the marts in use."""
    query = "SELECT country, services FROM countries ORDER BY ALL"
    with connection.connect(sweep.paths.lake) as con:
        before = con.execute(query).fetchall()
    rewrite(mart(sweep.paths, "countries"), times_hundred("services"))
    used = file(marts.folder(sweep.paths))
    used.rename(used.with_name("0123456789abcdef"))
    with connection.connect(sweep.paths.lake) as con:
        assert con.execute(query).fetchall() == before
    assert "derived tables and the marts in use are as they were signed" in run.proven(sweep.paths.lake, sweep.paths)


def test_what_is_derived_from(sweep: Sweep) -> None:
    """Nothing is derived and signed anew from facts that were changed."""
    rewrite(sweep.paths.sealed("banners"), lambda t: t.slice(1))
    for derive in (lambda: enrichment.enrich(sweep), lambda: reparse.reparse(sweep.paths)):
        with pytest.raises(CensusError, match="is broken"):
            derive()


def test_a_sweep_that_was_sealed_before(tmp_path: Path) -> None:
    """A lake of an earlier version is read, enriched, and said to be unsigned."""
    shutil.copytree(LAKES / "sealed", tmp_path / "lake")
    sweep = layout.open_sweep(tmp_path / "lake", None)
    enrichment.enrich(sweep)
    run.require_verified(sweep)
    assert run.proven(tmp_path / "lake", sweep.paths).startswith("unsigned: the sweep was sealed by a version")
    rewrite(mart(sweep.paths, "countries"), times_hundred("services"))
    with pytest.raises(CensusError, match="was changed after it was derived"):
        run.require_verified(sweep)


def test_two_at_once(sweep: Sweep) -> None:
    """Of two enrichments at once one waits and says so; both end, and every mart is there."""
    said: list[str] = []
    with turn.of(sweep.paths):
        thread = threading.Thread(target=enrichment.enrich, args=(sweep,), kwargs={"message": said.append})
        thread.start()
        until = time.monotonic() + 60
        while not said and time.monotonic() < until:
            time.sleep(0.05)
        assert thread.is_alive()
    other = threading.Thread(target=enrichment.enrich, args=(sweep,))
    other.start()
    thread.join()
    other.join()
    assert "this one waits until it has ended" in said[0]
    assert sorted(path.stem for path in file(marts.folder(sweep.paths)).iterdir()) == sorted(marts.BUILT)
    run.require_verified(sweep)
