"""Lists of addresses as people write them: one entry a line, `#` begins a comment, which is the entry's reason.

An entry is a CIDR block, a dashed range, an address, `country:GB` or `asn:786`. Reading fails closed: a line that cannot be
read stops everything, with its file, its number and the reason.
"""

import ipaddress
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from pipeline import checkout
from pipeline.errors import InputError
from pipeline.space.ranges import Ranges

REFERENCE = checkout.REFERENCE
SPECIAL_PURPOSE = REFERENCE / "special-purpose.toml"
NEVER_TOUCH = REFERENCE / "never-touch.txt"

#: The sets that have names, and are looked up.
KINDS = ("country", "asn")
#: The ordinary entry, an address or a block of IPv4 as RFC 4632 writes it, read without the library's detours.
_BLOCK = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:/(\d{1,2}))?", re.ASCII)


class Named(Protocol):
    """Finds the addresses of a named set. Raises InputError naming `where`."""

    def __call__(self, kind: str, value: str, where: str) -> Ranges:
        """Find them."""
        ...


class Entry(NamedTuple):
    """One entry: as written, where it stands, why it is there, and the (first, last) pairs of its addresses."""

    text: str
    where: str
    reason: str
    pairs: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """A list with its name, and its entries in their order."""

    name: str
    entries: tuple[Entry, ...]

    @property
    def ranges(self) -> Ranges:
        """The union of all entries."""
        return Ranges.of(pair for entry in self.entries for pair in entry.pairs)


def parse(text: str, where: str) -> tuple[int, int]:
    """Read a CIDR block, a dashed range or an address. Raises InputError naming `where` and the reason."""
    try:
        return _ordinary(text) or _general(text)
    except ValueError as error:
        raise InputError(where, f"{text!r} is not a CIDR block, a range or an address: {error}") from None


def read(name: str, lines: Iterable[str], where: str, named: Named | None = None, *, reasons: bool = False) -> Listing:
    """Read a list; with `reasons`, each entry must have one. Raises InputError naming the line."""
    entries = []
    for number, line in enumerate(lines, 1):
        text, _, reason = (part.strip() for part in line.partition("#"))
        if not text:
            continue
        place = f"{where}, line {number}"
        if reasons and not reason:
            raise InputError(place, f"{text!r} has no reason; write it behind a #")
        entries.append(Entry(text, place, reason, _resolve(text, place, named)))
    return Listing(name, tuple(entries))


def read_file(
    path: Path, named: Named | None = None, *, name: str = "", key: str = "", reasons: bool = False
) -> Listing:
    """Read a list from a file; `key` is the configuration's that names it. Raises InputError."""
    where = f"key {key}, {path}" if key else str(path)
    return read(name or path.name, _text(path, where).splitlines(), where, named, reasons=reasons)


def read_key(
    blocks: Sequence[str], files: Sequence[str], key: str, base: Path, named: Named | None = None
) -> list[Listing]:
    """The lists of one key of `[targets]`: its blocks, then each of its files, which are relative to `base`."""
    entries = tuple(
        Entry(text, f"key targets.{key}[{number}]", "", _resolve(text.strip(), f"key targets.{key}[{number}]", named))
        for number, text in enumerate(blocks)
    )
    inline = [Listing(f"targets.{key}", entries)] if blocks else []
    return inline + [read_file(base / name, named, key=f"targets.{key}_files") for name in files]


def special_purpose(path: Path = SPECIAL_PURPOSE) -> Listing:
    """The blocks of IANA's registry that are never probed. Raises InputError if the file is broken."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        entries = tuple(
            Entry(
                block["cidr"],
                f"{path.name}, {block['cidr']}",
                block["reason"],
                _resolve(block["cidr"], path.name, None),
            )
            for block in data["block"]
        )
        return Listing(f"special-purpose addresses ({data['source']}, {data['date']})", entries)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise InputError(path.name, f"cannot be read: {error}") from None


def never_touch(path: Path = NEVER_TOUCH) -> Listing:
    """Our own list of addresses that are never probed: one line, one reason. Raises InputError if it is broken."""
    return read_file(path, name="never-touch list", reasons=True)


def refuse_overlap(listings: Iterable[Listing]) -> None:
    """Raise InputError naming both places if two entries share an address: such a list is not what its writer thinks."""
    entries = [entry for listing in listings for entry in listing.entries]
    owner = np.repeat(np.arange(len(entries)), [len(entry.pairs) for entry in entries])
    table = np.array([pair for entry in entries for pair in entry.pairs], dtype=np.int64).reshape(-1, 2)
    order = np.argsort(table[:, 0], kind="stable")
    first, last = table[order].T
    shared = np.flatnonzero(first[1:] <= np.maximum.accumulate(last)[:-1])
    if len(shared):
        place = int(shared[0])
        before = int(np.argmax(last[: place + 1]))  # the range that reaches furthest is one that is shared with
        one, other = (entries[number] for number in sorted((int(owner[order[before]]), int(owner[order[place + 1]]))))
        raise InputError(other.where, f"{other.text} overlaps {one.text} ({one.where}); name each address once")


def _text(path: Path, where: str) -> str:
    """What a file holds. Raises InputError naming the line that is not text."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(where, f"cannot be read: {error.strerror}") from None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{where}, line {line}", f"is not UTF-8 text (byte 0x{data[error.start]:02x})") from None


def _resolve(text: str, where: str, named: Named | None) -> Sequence[tuple[int, int]]:
    kind, colon, value = text.partition(":")
    if not colon or kind not in KINDS:
        return (parse(text, where),)
    if named is None:
        raise InputError(where, f"{text!r}: only addresses can stand in this list")
    return named(kind, value.strip(), where).pairs()


def _ordinary(text: str) -> tuple[int, int] | None:
    """An address or block whose numbers are in range and whose host bits are zero; None for anything else."""
    found = _BLOCK.fullmatch(text)
    if not found:
        return None
    a, b, c, d, bits = found.groups()
    if any(len(part) > 1 and part[0] == "0" for part in (a, b, c, d)):
        return None
    octets = int(a), int(b), int(c), int(d)
    length = 32 if bits is None else int(bits)
    if max(octets) > 255 or length > 32:
        return None
    first = octets[0] << 24 | octets[1] << 16 | octets[2] << 8 | octets[3]
    mask = (1 << (32 - length)) - 1
    return None if first & mask else (first, first | mask)


def _general(text: str) -> tuple[int, int]:
    """Any form, by the library's rules. Raises ValueError."""
    if "-" in text:
        first, last = (int(ipaddress.IPv4Address(end.strip())) for end in text.split("-", 1))
        if first > last:
            raise ValueError("ends before it begins")
        return first, last
    block = ipaddress.IPv4Network(text.strip())
    return int(block.network_address), int(block.broadcast_address)
