"""A sealed sweep is what was sealed, or the file that is not is named."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.lake import manifest, parts, store
from pipeline.lake.layout import SweepPaths
from pipeline.lake.store import Location

BANNERS = [{"banner": 1, "bytes": b"SSH-2.0", "guess": "ssh"}]


@pytest.fixture
def place(lake: Location) -> SweepPaths:
    """A sweep of which a table, the manifest and the row are written."""
    place = SweepPaths(lake, "trial")
    rows = pa.Table.from_batches([parts.from_rows(BANNERS, "banners")])
    part = parts.write(place.sealed("banners"), rows, "banners", place.id)
    promise(place, manifest.put(place, [part]))
    return place


def promise(place: SweepPaths, digest: str | None) -> None:
    """Write the row that names the manifest."""
    row = pa.table({manifest.COLUMN: pa.array([digest], pa.string())})
    with store.replacing(place.sealed("sweeps")) as file:
        pq.write_table(row, file)


def told(place: SweepPaths) -> list[str]:
    return [f"{where} {what}" for where, what in manifest.faults(place)]


def test_unchanged(place: SweepPaths) -> None:
    """What was not touched has no fault."""
    assert told(place) == []


def test_changed_table(place: SweepPaths) -> None:
    """A table of which one byte differs is named; so is one that is gone."""
    path = place.sealed("banners")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    store.write(path, bytes(data))
    assert told(place) == [f"{path} was changed after the sweep was sealed"]
    path.unlink()
    assert told(place) == [f"{path} is missing, though the manifest names it"]


def test_changed_manifest(place: SweepPaths) -> None:
    """A manifest that was changed together with the table is named: the sweep's row has its hash."""
    path = place.plan.with_name("manifest.json")
    store.write(path, path.read_bytes().replace(b"banners", b"bannerz"))
    assert told(place) == [f"{path} was changed after the sweep was sealed"]
    path.unlink()
    assert told(place) == [f"{path} is missing"]


def test_sealed_before_manifests(place: SweepPaths) -> None:
    """A sweep that an older version sealed promises no manifest, and has no fault."""
    promise(place, None)
    assert told(place) == []
