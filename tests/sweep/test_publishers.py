"""Where databases come from when they are refreshed."""

from datetime import date

import pytest

from pipeline.enrich.database_kind import DatabaseKind
from pipeline.errors import GuardError
from pipeline.sweep import publishers
from pipeline.sweep.publishers import Source


@pytest.mark.parametrize("kind", DatabaseKind)
def test_each_kind_has_a_publisher(kind: DatabaseKind, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each kind has a secure address, of this month where publishers name months, and a licence; a test never reaches it."""
    source = publishers.published(kind, date(2026, 11, 29))
    assert source.place.startswith("https://") and "{" not in source.place and source.licence != Source("").licence
    assert ("2026-11" in source.place) == (kind is not DatabaseKind.ANNOUNCED)
    with pytest.raises(GuardError, match="a download to"):
        list(publishers.refresh([(kind, source)], tmp_path_factory.mktemp("reference")))
