"""Where a report goes by default."""

from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.lake import store
from pipeline.publish import folder


def test_a_sweep_has_its_folder_next_to_the_lake(tmp_path: Path) -> None:
    """The report of a sweep goes to reports/SWEEP in the folder that holds the lake, also if the lake's path is relative."""
    assert (
        folder.next_to(tmp_path / "lake", "20261129T080000Z-weekly") == tmp_path / "reports" / "20261129T080000Z-weekly"
    )
    assert folder.next_to(Path("lake"), "s") == Path.cwd() / "reports" / "s"


def test_nothing_is_next_to_a_bucket() -> None:
    """A lake in a bucket has no folder.next_to it: the report needs one by -o."""
    with pytest.raises(InputError, match="name a folder with -o"):
        folder.next_to(store.at("s3://bucket/lake"), "s")


def test_latest_is_the_last_that_was_written(tmp_path: Path) -> None:
    """The link follows each new report, and stays right when the folder of all reports is moved."""
    for sweep in ("first", "second"):
        (tmp_path / "reports" / sweep).mkdir(parents=True)
        folder.point_latest(tmp_path / "reports" / sweep)
    moved = (tmp_path / "reports").rename(tmp_path / "moved")
    assert (moved / "latest").resolve() == moved / "second"
    assert sorted(path.name for path in moved.iterdir()) == ["first", "latest", "second"]


def test_a_folder_named_latest_is_not_replaced(tmp_path: Path) -> None:
    """Something else of that name is left alone, with an error that names it."""
    (tmp_path / "latest" / "mine").mkdir(parents=True)
    (tmp_path / "sweep").mkdir()
    with pytest.raises(InputError, match="latest: cannot be made a link to sweep"):
        folder.point_latest(tmp_path / "sweep")
    assert (tmp_path / "latest" / "mine").is_dir()


def test_a_folder_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """What is for its owner alone is not written to a folder that others may read; the error names the remedy."""
    tmp_path.chmod(0o755)
    with pytest.raises(InputError, match="chmod 700"):
        folder.require_private(tmp_path)
