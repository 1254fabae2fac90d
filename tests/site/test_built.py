"""What a site says of an earlier build."""

from pathlib import Path

import pytest

from pipeline.site import built
from pipeline.site.built import BuiltSite
from tests.site.test_atom import sweep


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Sweeps and countries survive a round trip."""
    site = BuiltSite(sweeps=(sweep(1), sweep(2)), countries=("GB", "US"))
    (tmp_path / built.NAME).write_bytes(built.encoded(site))
    assert built.read(tmp_path) == site


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"sweeps": [{"sweep": 1}]}', b"\xff\xfe"])
def test_what_cannot_be_read_counts_as_nothing(tmp_path: Path, content: bytes) -> None:
    """A damaged file makes all pages be made again, and is no error."""
    (tmp_path / built.NAME).write_bytes(content)
    assert built.read(tmp_path) == BuiltSite()
