"""A site over the first two weeks of the made-up history, by both vantages."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.config.sections import IdentitySection
from pipeline.lake.layout import SweepPaths
from pipeline.publish.data import Facts
from pipeline.publish.publisher import Publisher, Wishes, publisher
from pipeline.publish.scope import Scope
from pipeline.site import read_lake, write_site
from pipeline.sweep import run
from tests.made_once import made_once
from tests.publish import history

#: The weeks of the history that the lake holds at first; the method does not change in them.
WEEKS = 2


def sweeps(weeks: int) -> list[history.Sweep]:
    """The sweeps of these first weeks."""
    return [sweep for sweep in history.history() if sweep.week < weeks]


def example_lab() -> Publisher:
    """A publisher with everything that can be given."""
    wishes = Wishes(
        "Example <Lab>",
        "https://census.example.org/dicom",
        "census@example.org",
        "https://example.org/out",
        "CC-BY-4.0",
    )
    return publisher(wishes, IdentitySection())


def write(lake: Path, folder: Path, *, min_cell: int = 5) -> list[str]:
    """Write or renew a site, and return its messages."""
    order = write_site.Order(lake, folder, example_lab(), Scope(min_cell=min_cell), "weekly")
    return list(write_site.write(order, lambda ids: run.proofs(lake, ids)))


def read(history: read_lake.PastSweeps, chosen: Sequence[SweepPaths]) -> Facts:
    """What is published of the last of these sweeps, which are read together."""
    *_, last = read_lake.facts(history, chosen, Scope(), {paths.id: "" for paths in chosen})
    return last


@pytest.fixture(scope="session")
def site_lake(request: pytest.FixtureRequest) -> Path:
    return made_once(request, "site-lake", lambda folder: history.write(folder / "lake", sweeps(WEEKS))) / "lake"


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest, site_lake: Path) -> Path:
    """The folder of the site."""
    return made_once(request, "site", lambda folder: write(site_lake, folder / "public")) / "public"
