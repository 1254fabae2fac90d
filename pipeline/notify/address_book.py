"""The address book: whom the lab hands its findings to, of which country or signed constituency, encrypted to which key.

It is data that the lab supplies, a TOML file (docs/notify.md). Keys are files in its folder, or an age recipient as text.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from pipeline.config import toml_file
from pipeline.config.sections import OwnSection
from pipeline.config.validate import KeyFault
from pipeline.config.values import Line, Name, Section
from pipeline.enrich.country_code import MISTAKEN
from pipeline.errors import InputError
from pipeline.notify import recipient_key
from pipeline.notify.recipient_key import RecipientKey
from pipeline.publish.countries import countries
from pipeline.untrusted import bounded


class Format(StrEnum):
    """In which shape services are handed over."""

    SHADOWSERVER = "shadowserver"
    INTELMQ = "intelmq"
    N6 = "n6"
    STIX = "stix"
    OPENKAT = "openkat"


Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}$", description='an ISO 3166-1 alpha-2 code, e.g. "GB"')]
Formats = Annotated[tuple[Format, ...], Meta(min_length=1, max_length=len(Format))]
#: The largest key that is read, in bytes; those of teams with many members and signatures have some hundred KiB.
KEY_LIMIT = 4 << 20
#: How the name of a key's file does not begin.
AGE = "age1"


class BookEntry(Section, frozen=True):
    """A `[[recipient]]`: its name, what it is responsible for (one of `country` and `constituency`), its key, and the formats."""

    name: Name
    key: Line
    formats: Formats
    country: Country | None = None
    constituency: OwnSection | None = None

    @property
    def scope(self) -> str:
        """What it is responsible for, as names of files say it."""
        return self.country.lower() if self.country else "constituency"


class AddressBook(Section, frozen=True):
    """The whole file: who hands over and how to reach them, and the recipients."""

    lab: Line
    contact: Line
    recipient: Annotated[tuple[BookEntry, ...], Meta(min_length=1, max_length=1000)]


@dataclass(frozen=True, slots=True)
class Recipient:
    """An entry with its key."""

    entry: BookEntry
    key: RecipientKey


def load(path: Path) -> AddressBook:
    """Read an address book. Raises InputError naming file, key and reason of each fault."""
    book = toml_file.read(path, AddressBook)
    toml_file.refuse(path, [fault for number, entry in enumerate(book.recipient) for fault in _faults(number, entry)])
    names = [entry.name for entry in book.recipient]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"{path}, key recipient", f"has two of the name {twice[0]}; name each otherwise")
    return book


def open_recipients(path: Path, entries: tuple[BookEntry, ...]) -> list[Recipient]:
    """Read the keys of these entries of a book. Raises InputError naming the recipient and its key."""
    return [Recipient(entry, recipient_key.read(_key(path, entry), _where(path, entry))) for entry in entries]


def _faults(number: int, entry: BookEntry) -> list[KeyFault]:
    key = f"recipient[{number}]"
    if (entry.country is None) == (entry.constituency is None):
        return [KeyFault(key, "needs one of `country` and `constituency`, and not both")]
    if entry.country is not None and entry.country not in countries():
        known = MISTAKEN.get(entry.country, "GB")
        return [KeyFault(f"{key}.country", f"{entry.country} is not a country (ISO 3166-1); write e.g. {known}")]
    return []


def _key(path: Path, entry: BookEntry) -> bytes:
    if entry.key.startswith(AGE):
        return entry.key.encode()
    return bounded.read(path.parent / entry.key, KEY_LIMIT, f"{_where(path, entry)}, {entry.key}")


def _where(path: Path, entry: BookEntry) -> str:
    return f"{path}, key of recipient {entry.name}"
