"""The table of formats."""

from pipeline.notify import formats
from pipeline.notify.address_book import Format
from tests.notify.exposed import edition


def test_every_format_is_written_under_a_name_of_its_own() -> None:
    """Each format has a writer, and all files of a hand-over differ in name; a format named twice comes once."""
    files = list(formats.files(edition(), [*Format, Format.N6]))
    assert set(formats.WRITERS) == set(Format) and len(files) == len({name for name, _ in files}) == len(Format) + 1
    assert all(name.startswith("2026-06-20-scan_dicom-cert-gb-gb.") for name, _ in files)
    assert all(data for _, data in files)
