"""Lists of addresses: one entry a line; a comment after `#` is the entry's reason. Allowlists and blocklists are written this way.

An entry is a CIDR block, a dashed range, an address, `country:GB` or `asn:786`. Reading fails closed: a line that cannot be
read is an error that names its file, its number and the reason.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from pipeline.errors import InputError
from pipeline.space.ranges import Ranges

#: The kinds of named sets, which are looked up.
KINDS = ("country", "asn")
#: The usual entry, an IPv4 address or block as RFC 4632 writes it: read here, as `ipaddress` is slow.
_BLOCK = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:/(\d{1,2}))?", re.ASCII)


class NamedSets(Protocol):
    """A lookup of named sets, such as countries. Raises InputError naming `where`."""

    def __call__(self, kind: str, value: str, where: str) -> Ranges:
        """Return the addresses of the set."""
        ...


class Entry(NamedTuple):
    """One entry: its text, file and line, reason, and the (first, last) pairs of its addresses."""

    text: str
    where: str
    reason: str
    pairs: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class AddressList:
    """A list with its name, and its entries in order."""

    name: str
    entries: tuple[Entry, ...]

    @property
    def ranges(self) -> Ranges:
        """The union of all entries."""
        return Ranges.of(pair for entry in self.entries for pair in entry.pairs)


def parse(text: str, where: str) -> tuple[int, int]:
    """Read a CIDR block, a dashed range or an address. Raises InputError naming `where` and the reason."""
    try:
        return _parse_quickly(text) or _parse_any(text)
    except ValueError as error:
        raise InputError(where, f"{text!r} is not a CIDR block, a range or an address: {error}") from None


def read(
    name: str, lines: Iterable[str], where: str, named: NamedSets | None = None, *, reasons: bool = False
) -> AddressList:
    """Read a list; with `reasons`, each entry needs one. Raises InputError naming the line."""
    entries = []
    for number, line in enumerate(lines, 1):
        text, _, reason = (part.strip() for part in line.partition("#"))
        if not text:
            continue
        line_name = f"{where}, line {number}"
        if reasons and not reason:
            raise InputError(line_name, f"{text!r} has no reason; write one after a #")
        entries.append(Entry(text, line_name, reason, _resolve(text, line_name, named)))
    return AddressList(name, tuple(entries))


def read_file(
    path: Path, named: NamedSets | None = None, *, name: str = "", key: str = "", reasons: bool = False
) -> AddressList:
    """Read a list from a file, which `key` of the configuration names. Raises InputError."""
    where = f"key {key}, {path}" if key else str(path)
    return read(name or path.name, _text(path, where).splitlines(), where, named, reasons=reasons)


def read_key(
    blocks: Sequence[str], files: Sequence[str], key: str, base: Path, named: NamedSets | None = None
) -> list[AddressList]:
    """The lists of one key of `[targets]`: its blocks, then each of its files, which are relative to `base`."""
    entries = tuple(
        Entry(text, f"key targets.{key}[{number}]", "", _resolve(text.strip(), f"key targets.{key}[{number}]", named))
        for number, text in enumerate(blocks)
    )
    inline = [AddressList(f"targets.{key}", entries)] if blocks else []
    return inline + [read_file(base / name, named, key=f"targets.{key}_files") for name in files]


def refuse_overlap(listings: Iterable[AddressList]) -> None:
    """Raise InputError naming both entries if two share an address: such a list is not what its author meant."""
    entries = [entry for listing in listings for entry in listing.entries]
    owner = np.repeat(np.arange(len(entries)), [len(entry.pairs) for entry in entries])
    table = np.array([pair for entry in entries for pair in entry.pairs], dtype=np.int64).reshape(-1, 2)
    order = np.argsort(table[:, 0], kind="stable")
    first, last = table[order].T
    shared = np.flatnonzero(first[1:] <= np.maximum.accumulate(last)[:-1])
    if len(shared):
        position = int(shared[0])
        before = int(np.argmax(last[: position + 1]))  # the range that ends last overlaps for certain
        pair = sorted((int(owner[order[before]]), int(owner[order[position + 1]])))
        earlier, later = (entries[number] for number in pair)
        raise InputError(later.where, f"{later.text} overlaps {earlier.text} ({earlier.where}); name each address once")


def _text(path: Path, where: str) -> str:
    """Read a text file. Raises InputError naming the line that is not text."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(where, f"cannot be read: {error.strerror}") from None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{where}, line {line}", f"is not UTF-8 text (byte 0x{data[error.start]:02x})") from None


def _resolve(text: str, where: str, named: NamedSets | None) -> Sequence[tuple[int, int]]:
    kind, colon, value = text.partition(":")
    if not colon or kind not in KINDS:
        return (parse(text, where),)
    if named is None:
        raise InputError(where, f"{text!r}: this list takes only addresses, neither countries nor networks")
    return named(kind, value.strip(), where).pairs()


def _parse_quickly(text: str) -> tuple[int, int] | None:
    """Parse an address or block whose numbers are in range and whose host bits are zero; None for anything else."""
    match = _BLOCK.fullmatch(text)
    if not match:
        return None
    a, b, c, d, bits = match.groups()
    if any(len(part) > 1 and part[0] == "0" for part in (a, b, c, d)):
        return None
    octets = int(a), int(b), int(c), int(d)
    length = 32 if bits is None else int(bits)
    if max(octets) > 255 or length > 32:
        return None
    first = octets[0] << 24 | octets[1] << 16 | octets[2] << 8 | octets[3]
    mask = (1 << (32 - length)) - 1
    return None if first & mask else (first, first | mask)


def _parse_any(text: str) -> tuple[int, int]:
    """Parse any form with `ipaddress`. Raises ValueError."""
    if "-" in text:
        first, last = (int(ipaddress.IPv4Address(end.strip())) for end in text.split("-", 1))
        if first > last:
            raise ValueError("ends before it begins")
        return first, last
    block = ipaddress.IPv4Network(text.strip())
    return int(block.network_address), int(block.broadcast_address)
