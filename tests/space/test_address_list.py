"""Lists of addresses."""

from ipaddress import IPv4Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.space import address_list
from pipeline.space.ranges import Ranges


def named(kind: str, value: str, where: str) -> Ranges:
    """A database of one country and one network."""
    known = {("country", "GB"): [(10, 19), (30, 39)], ("asn", "786"): [(15, 15)]}
    if (kind, value) not in known:
        raise InputError(where, f"{kind}:{value} is unknown")
    return Ranges.of(known[kind, value])


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("0.0.0.0/0", (0, 2**32 - 1)),
        ("0.0.1.0/24", (256, 511)),
        ("0.0.0.7", (7, 7)),
        ("0.0.0.7 - 0.0.0.9", (7, 9)),
        ("255.255.255.255", (2**32 - 1, 2**32 - 1)),
    ],
)
def test_parse(text: str, pair: tuple[int, int]) -> None:
    """Blocks, ranges and addresses are read with both ends."""
    assert address_list.parse(text, "here") == pair


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_blocks_are_the_library_s(address: int, length: int) -> None:
    """Our quick reading of a block gives the result of Python's ipaddress, and refuses what ipaddress refuses."""
    block = IPv4Network((address, length), strict=False)
    text = str(block)
    assert address_list.parse(text, "here") == (int(block[0]), int(block[-1]))
    if address != int(block[0]):
        with pytest.raises(InputError, match="host bits"):
            address_list.parse(f"{IPv4Network(address)[0]}/{length}", "here")


@pytest.mark.parametrize(
    "text",
    [
        "1.2.3.4/24",
        "1.2.3.0/33",
        "1.2.3",
        "1.2.3.9-1.2.3.4",
        "-",
        ":1",
        "example.org",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3.٤",
    ],
)
def test_errors_name_the_line(text: str) -> None:
    """A text that is not an entry is refused with its list, its line and its text."""
    with pytest.raises(InputError) as caught:
        address_list.read("list", ["# a comment", "", "0.0.0.1  # one", text], "list.txt", named)
    assert caught.value.where == "list.txt, line 4"
    assert repr(text) in caught.value.reason


def test_every_line_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A list with several faults is refused with all of them, the first twenty of many; so is a key of the configuration."""
    with pytest.raises(InputError) as caught:
        address_list.read("list", ["0.0.0.1", "nobody", "1.2.3.4/24", "2.2.2.2"], "list.txt")
    assert str(caught.value).split("\n")[0] == "list.txt: has 2 faults:"
    assert [line.split(":")[0] for line in str(caught.value).split("\n")[1:]] == ["  line 2", "  line 3"]
    with pytest.raises(InputError) as caught:
        address_list.read("list", ["nobody"] * 1000, "list.txt")
    assert str(caught.value).startswith("list.txt: has 1,000 faults:") and str(caught.value).count("\n") == 21
    with pytest.raises(InputError, match=r"key targets\.include: has 2 faults:\n  \[0\]: 'x' is .*\n  \[2\]: 'y' is"):
        address_list.read_key(("x", "0.0.0.1", "y"), (), "include", tmp_path)


def test_comments_are_reasons() -> None:
    """Comments and blank lines add nothing to a list; the comment after an entry is its reason."""
    entries = address_list.read("list", ["# a comment", "", "  ", "0.0.0.1  # one", "0.0.0.2"], "list.txt")
    assert entries.ranges.pairs() == [(1, 2)]
    assert [(entry.text, entry.where, entry.reason) for entry in entries.entries] == [
        ("0.0.0.1", "list.txt, line 4", "one"),
        ("0.0.0.2", "list.txt, line 5", ""),
    ]


def test_named_sets() -> None:
    """Lists may contain countries and networks; an unknown name is refused with its line."""
    entries = address_list.read("list", ["country:GB", "asn: 786 # Janet", "0.0.0.1"], "list.txt", named)
    assert entries.ranges.pairs() == [(1, 1), (10, 19), (30, 39)]
    with pytest.raises(InputError, match=r"list\.txt, line 1: country:XX is unknown"):
        address_list.read("list", ["country:XX"], "list.txt", named)
    with pytest.raises(InputError, match="only addresses"):
        address_list.read("list", ["country:GB"], "list.txt")


def test_reasons_can_be_required() -> None:
    """Where each entry needs a reason, an entry without one is refused with its line."""
    with pytest.raises(InputError, match=r"line 2: '0\.0\.0\.2' has no reason"):
        address_list.read("list", ["0.0.0.1 # why", "0.0.0.2 #"], "list.txt", reasons=True)


@pytest.mark.parametrize("end", ["\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"])
def test_only_a_line_feed_ends_a_line(end: str) -> None:
    """What follows such a character in a comment is comment, as an editor or `grep` shows it, and no target."""
    text = f"25.0.0.0/28 # x{end}25.0.1.0/28\n25.0.2.0/28\r\n\r\n25.0.3.0/28"
    entries = address_list.read("list", address_list.lines(text), "list.txt").entries
    assert [(entry.text, entry.where) for entry in entries] == [
        ("25.0.0.0/28", "list.txt, line 1"),
        ("25.0.2.0/28", "list.txt, line 2"),
        ("25.0.3.0/28", "list.txt, line 4"),
    ]


def test_lists_of_other_scanners() -> None:
    """masscan's comments, Windows' ends of lines, a byte order mark and IPv6 entries are read; the last are counted."""
    text = "\ufeff; masscan\r\n// its other comment\r\n0.0.0.1 ; one\r\n0.0.0.2\t// two\r\n::1\r\n2001:db8::/32 # x\r\n"
    text += "[2001:db8::1]\r\n2001:db8::1-2001:db8::9\r\n0.0.0.1\r\n"
    read = address_list.read("list", address_list.lines(text), "list.txt")
    assert [(entry.text, entry.reason) for entry in read.entries] == [
        ("0.0.0.1", "one"),
        ("0.0.0.2", "two"),
        ("0.0.0.1", ""),
    ]
    assert (read.ranges.count, read.entry_addresses, read.ipv6) == (2, 3, 4)


@pytest.mark.parametrize("text", ["1.2.3.0//24", "1.2.3.4;1.2.3.5", "1.2.3.4//"])
def test_a_mistake_is_not_a_comment(text: str) -> None:
    """`;` and `//` within a word begin no comment: a mistyped block never shrinks to an address."""
    with pytest.raises(InputError, match="is not a CIDR block"):
        address_list.read("list", [text], "list.txt")


def test_files(tmp_path: Path) -> None:
    """Lists are read from files next to the configuration; errors name a wrong line, a missing file and a file that is not text."""
    (tmp_path / "good.txt").write_text("20.0.0.0/30\n# none\n")
    (tmp_path / "bad.txt").write_text("20.0.0.0/30\n20.0.0.1/30\n")
    (tmp_path / "latin.txt").write_bytes(b"20.0.0.0/30\n20.0.0.8/30 # caf\xe9\n")
    (tmp_path / "wide.txt").write_bytes("20.0.0.0/30\n".encode("utf-16"))
    inline, from_file = address_list.read_key(("20.0.1.0/30",), ("good.txt",), "include", tmp_path)
    assert (inline.name, inline.ranges.count) == ("targets.include", 4)
    assert (from_file.name, from_file.ranges.count) == ("good.txt", 4)
    wrong = {
        "bad.txt": "line 2: '20",
        "absent.txt": "cannot be read: No such file or directory$",
        "latin.txt": "line 2: is not UTF-8 text \\(byte 0xe9",
        "wide.txt": "is UTF-16 text; save it as UTF-8",
        ".": "cannot be read: Is a directory$",
    }
    for name, reason in wrong.items():
        with pytest.raises(InputError, match=rf"targets\.include_files.*{name}.*{reason}"):
            address_list.read_key((), (name,), "include", tmp_path)
    with pytest.raises(InputError, match=r"targets\.exclude\[0\]: '::1' is IPv6; only IPv4 is swept"):
        address_list.read_key(("::1",), (), "exclude", tmp_path)


@pytest.mark.parametrize(
    "text", ["# mine\r1.0.0.0/8\r", "1.0.0.0/8\r2.0.0.0/8", "#\r\r1.0.0.0/8", "owner: x\r1.0.0.0/8"]
)
def test_a_carriage_return_hides_no_exclusion(text: str) -> None:
    """A list whose lines end at carriage returns alone is refused with what to do, also where a comment would hide an entry."""
    with pytest.raises(InputError, match=r"^list\.txt, line 2: has a carriage return within.* tr '\\r' '\\n'"):
        address_list.read("list", address_list.lines(f"9.9.9.9\n{text}\n"), "list.txt")


def test_carriage_returns_before_a_line_feed_are_its_own() -> None:
    """Lines that end in one carriage return or several and a line feed, as some converters leave them, are read."""
    entries = address_list.read("list", address_list.lines("0.0.0.1 # x\r\r\n\r\n0.0.0.2\r"), "list.txt")
    assert entries.ranges.pairs() == [(1, 2)]
