"""A sealed sweep is unchanged, or its changed file is named."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.lake import manifest, parts, store
from pipeline.lake.layout import SweepPaths
from pipeline.lake.store import Location

BANNERS = [{"banner": 1, "bytes": b"SSH-2.0", "guess": "ssh"}]


@pytest.fixture
def paths(lake: Location) -> SweepPaths:
    """A sweep with a table, the manifest and the sweep's row."""
    paths = SweepPaths(lake, "trial")
    rows = pa.Table.from_batches([parts.from_rows(BANNERS, "banners")])
    part = parts.write(paths.sealed("banners"), rows, "banners", paths.id)
    promise(paths, manifest.put(paths, [part]))
    return paths


def promise(paths: SweepPaths, digest: str | None) -> None:
    """Write the row that names the manifest."""
    row = pa.table({manifest.COLUMN: pa.array([digest], pa.string())})
    with store.replacing(paths.sealed("sweeps")) as file:
        pq.write_table(row, file)


def told(paths: SweepPaths) -> list[str]:
    return [f"{where} {what}" for where, what in manifest.faults(paths)]


def test_unchanged(paths: SweepPaths) -> None:
    """An unchanged sweep has no fault."""
    assert told(paths) == []


def test_changed_table(paths: SweepPaths) -> None:
    """A table with one changed byte is named; a missing table is named too."""
    path = paths.sealed("banners")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    store.write(path, bytes(data))
    assert told(paths) == [f"{path} was changed after the sweep was sealed"]
    path.unlink()
    assert told(paths) == [f"{path} is missing, though the manifest names it"]


def test_changed_manifest(paths: SweepPaths) -> None:
    """A changed manifest is named, since the sweep's row has its hash; a missing manifest is named too."""
    path = paths.plan.with_name("manifest.json")
    store.write(path, path.read_bytes().replace(b"banners", b"bannerz"))
    assert told(paths) == [f"{path} was changed after the sweep was sealed"]
    path.unlink()
    assert told(paths) == [f"{path} is missing"]


def test_sealed_before_manifests(paths: SweepPaths) -> None:
    """A sweep sealed by an older version promises no manifest, and has no fault."""
    promise(paths, None)
    assert told(paths) == []
