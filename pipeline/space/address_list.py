"""Lists of addresses: one entry a line; a comment after `#` is the entry's reason. Allowlists and blocklists are written this way.

An entry is a CIDR block, a dashed range, an address, `country:GB`, `asn:786`, `announced` or `unannounced`. Reading fails closed:
a line that cannot be read is an error that names its file, its number and the reason. Lists of other scanners are read as they
are: masscan's comments (`;` and `//`, src/massip-parse.c), a byte order mark, Windows' ends of lines. IPv6 entries are skipped
and counted.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from pipeline.errors import InputError
from pipeline.space.ranges import Ranges
from pipeline.untrusted import bounded

#: The kinds of named sets, which are looked up.
KINDS = ("country", "asn")
#: The number of faults of a list that an error names.
NAMED = 20
#: Named sets without a value: the addresses of all prefixes that are announced in BGP, and all others.
WITHOUT_VALUE = ("announced", "unannounced")
#: The usual entry, an IPv4 address or block as RFC 4632 writes it: read here, as `ipaddress` is slow.
_BLOCK = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:/(\d{1,2}))?", re.ASCII)
#: Where a comment begins: `#` anywhere, `;` and `//` at the start of a line or after a blank; in `1.2.3.0//24` they begin none.
_COMMENT = re.compile(r"#|(?:^|(?<=\s))(?:;|//)")
#: A line ends as the operating systems end it. `str.splitlines` also ends one at a form feed or U+2028, which a comment may hold.
_LINE_END = re.compile(r"\r?\n")
BYTE_ORDER_MARK = "\ufeff"
#: UTF-16, as some editors on Windows save text, begins with one of these.
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class NamedSets(Protocol):
    """A lookup of named sets, such as countries. Raises InputError naming `where`."""

    def __call__(self, kind: str, value: str, where: str) -> Ranges:
        """Return the addresses of the set."""
        ...


#: The lines of a signed list that say what its owner agreed to (`terms`); where a list is read for its addresses they are passed over.
TERMS = ("owner", "auditor", "profile", "from", "until")
TERM = re.compile(rf"\s*({'|'.join(TERMS)})\s*:\s*(.*?)\s*")


class Entry(NamedTuple):
    """One entry: its text, file and line, reason, and the (first, last) pairs of its addresses."""

    text: str
    where: str
    reason: str
    pairs: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class AddressList:
    """A list with its name, its entries in order, and how many IPv6 entries were skipped."""

    name: str
    entries: tuple[Entry, ...]
    ipv6: int = 0

    @property
    def ranges(self) -> Ranges:
        """The union of all entries."""
        return Ranges.of(pair for entry in self.entries for pair in entry.pairs)

    @property
    def entry_addresses(self) -> int:
        """The addresses of all entries; one that several entries name counts several times."""
        return sum(last - first + 1 for entry in self.entries for first, last in entry.pairs)


def parse(text: str, where: str) -> tuple[int, int]:
    """Read a CIDR block, a dashed range or an address. Raises InputError naming `where` and the reason."""
    try:
        return _parse_quickly(text) or _parse_any(text)
    except ValueError as error:
        if is_ipv6(text):
            raise InputError(where, f"{text!r} is IPv6; only IPv4 is swept, so leave it out") from None
        raise InputError(where, f"{text!r} is not a CIDR block, a range or an address: {error}") from None


def lines(text: str) -> list[str]:
    """Split a text into its lines, without a byte order mark; they end at a line feed, with or without a carriage return."""
    return _LINE_END.split(text.removeprefix(BYTE_ORDER_MARK))


def partition(line: str) -> tuple[str, str]:
    """Split a line into its entry and its comment, either of which may be empty."""
    comment = _COMMENT.search(line)
    if comment is None:
        return line.strip(), ""
    return line[: comment.start()].strip(), line[comment.end() :].strip()


def is_ipv6(text: str) -> bool:
    """Whether a text is an IPv6 address, block or range, also in brackets."""
    try:
        for end in re.sub(r"[\[\]]", "", text).split("-", 1):
            ipaddress.IPv6Network(end.strip(), strict=False)
    except ValueError:
        return False
    return True


def read(
    name: str, rows: Iterable[str], where: str, named: NamedSets | None = None, *, reasons: bool = False
) -> AddressList:
    """Read the lines of a list; with `reasons`, each entry needs one. Raises InputError naming every line that cannot be read."""
    entries, ipv6, faults = [], 0, []
    for number, line in enumerate(rows, 1):
        text, reason = partition(line)
        line_name = f"{where}, line {number}"
        try:
            _require_one_line(line, line_name)
            if not text or TERM.fullmatch(line):
                continue
            if ":" in text and is_ipv6(text):
                ipv6 += 1
                continue
            if reasons and not reason:
                raise InputError(line_name, f"{text!r} has no reason; write one after a #")
            entries.append(Entry(text, line_name, reason, _resolve(text, line_name, named)))
        except InputError as error:
            faults.append(error)
    _refuse(where, faults)
    return AddressList(name, tuple(entries), ipv6)


def _require_one_line(line: str, where: str) -> None:
    """Raise InputError if a line has a carriage return within: in a comment it would hide all that follows, exclusions too."""
    if "\r" in line.rstrip("\r"):
        raise InputError(
            where,
            "has a carriage return within, as if lines ended there, but a line ends at a line feed; "
            "convert the list: tr '\\r' '\\n' < OLD > NEW",
        )


def _refuse(where: str, faults: Sequence[InputError]) -> None:
    """Raise the one fault, or an InputError that names the first of several, a line each; nothing without any."""
    if len(faults) == 1:
        raise faults[0]
    if faults:
        listed = "".join(
            f"\n  {fault.where.removeprefix(where).lstrip(', ')}: {fault.reason}" for fault in faults[:NAMED]
        )
        more = "\n  …" if len(faults) > NAMED else ""
        raise InputError(where, f"has {len(faults):,} faults:{listed}{more}")


def read_file(
    path: Path, named: NamedSets | None = None, *, name: str = "", key: str = "", reasons: bool = False
) -> AddressList:
    """Read a list from a file, which `key` of the configuration names. Raises InputError."""
    where = f"key {key}, {path}" if key else str(path)
    return read(name or path.name, lines(_text(path, where)), where, named, reasons=reasons)


def read_key(
    blocks: Sequence[str], files: Sequence[str], key: str, base: Path, named: NamedSets | None = None
) -> list[AddressList]:
    """The lists of one key of `[targets]`: its blocks, then each of its files, which are relative to `base`."""
    entries, faults = [], []
    for number, text in enumerate(blocks):
        where = f"key targets.{key}[{number}]"
        try:
            entries.append(Entry(text, where, "", _resolve(text.strip(), where, named)))
        except InputError as error:
            faults.append(error)
    _refuse(f"key targets.{key}", faults)
    inline = [AddressList(f"targets.{key}", tuple(entries))] if blocks else []
    return inline + [read_file(base / name, named, key=f"targets.{key}_files") for name in files]


def _text(path: Path, where: str) -> str:
    """Read a text file. Raises InputError naming the line that is not text."""
    data = bounded.read(path, bounded.ADDRESS_LIST, where)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if data.startswith(_UTF16):
            raise InputError(where, "is UTF-16 text; save it as UTF-8") from None
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{where}, line {line}", f"is not UTF-8 text (byte 0x{data[error.start]:02x})") from None


def _resolve(text: str, where: str, named: NamedSets | None) -> Sequence[tuple[int, int]]:
    kind, colon, value = text.partition(":")
    if kind not in KINDS if colon else kind not in WITHOUT_VALUE:
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
