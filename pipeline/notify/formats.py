"""The formats of a hand-over: for each, how its file's name ends and the function that writes the file, in memory.

Names begin like Shadowserver's, `2026-11-30-scan_dicom-RECIPIENT-SCOPE`, so that receivers which go by the name find date and type.
"""

from collections.abc import Callable, Iterable, Iterator

from pipeline.notify import intelmq, letter, n6, openkat, shadowserver, stix
from pipeline.notify.address_book import Format
from pipeline.notify.edition import Edition

#: The type of the report, in the names of files: Shadowserver has none for DICOM.
REPORT = "scan_dicom"
WRITERS: dict[Format, tuple[str, Callable[[Edition], bytes]]] = {
    Format.SHADOWSERVER: (".csv", shadowserver.write),
    Format.INTELMQ: (".intelmq.jsonl", intelmq.write),
    Format.N6: (".n6.csv", n6.write),
    Format.STIX: (".stix.json", stix.write),
    Format.OPENKAT: (".openkat.jsonl", openkat.write),
}
#: Every hand-over has a letter: what it is, and what is not in it.
LETTER = ".letter.txt"


def files(edition: Edition, formats: Iterable[Format]) -> Iterator[tuple[str, bytes]]:
    """Yield each file of an edition, in clear: its name and content."""
    stem = f"{edition.day:%Y-%m-%d}-{REPORT}-{edition.recipient}-{edition.scope}"
    yield f"{stem}{LETTER}", letter.write(edition)
    for each in dict.fromkeys(formats):
        ending, write = WRITERS[each]
        yield f"{stem}{ending}", write(edition)
