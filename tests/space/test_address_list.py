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
        "::1",
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


@pytest.mark.parametrize("lines", [["0.0.0.0/24", "0.0.0.7"], ["0.0.0.7", "0.0.0.0/24"], ["0.0.0.1", "0.0.0.1"]])
def test_overlaps_are_refused(lines: list[str]) -> None:
    """Two entries that share an address are refused: the error gives the later entry's line and names the earlier entry."""
    with pytest.raises(InputError) as caught:
        address_list.refuse_overlap([address_list.read("list", lines, "list.txt")])
    assert caught.value.where == "list.txt, line 2"
    assert "list.txt, line 1" in caught.value.reason


def test_overlaps_between_lists_are_refused() -> None:
    """Entries of two lists that share addresses are refused with both places."""
    one = address_list.read("one", ["0.0.0.12"], "one.txt")
    other = address_list.read("other", ["0.0.0.1", "country:GB"], "other.txt", named)
    with pytest.raises(InputError, match=r"other\.txt, line 2: country:GB overlaps 0\.0\.0\.12 \(one\.txt, line 1\)"):
        address_list.refuse_overlap([one, other])


@given(st.lists(st.integers(0, 60), min_size=2, max_size=12, unique=True).map(sorted))
def test_neighbours_do_not_overlap(edges: list[int]) -> None:
    """Adjacent entries do not overlap, in any order."""
    pairs = list(zip(edges[:-1], [edge - 1 for edge in edges[1:]], strict=True))
    lines = [f"0.0.0.{first}-0.0.0.{last}" for first, last in reversed(pairs)]
    address_list.refuse_overlap([address_list.read("list", lines, "list.txt")])


def test_files(tmp_path: Path) -> None:
    """Lists are read from files next to the configuration; errors name a wrong line, a missing file and a file that is not text."""
    (tmp_path / "good.txt").write_text("20.0.0.0/30\n# none\n")
    (tmp_path / "bad.txt").write_text("20.0.0.0/30\n20.0.0.1/30\n")
    (tmp_path / "latin.txt").write_bytes(b"20.0.0.0/30\n20.0.0.8/30 # caf\xe9\n")
    inline, from_file = address_list.read_key(("20.0.1.0/30",), ("good.txt",), "include", tmp_path)
    assert (inline.name, inline.ranges.count) == ("targets.include", 4)
    assert (from_file.name, from_file.ranges.count) == ("good.txt", 4)
    wrong = {
        "bad.txt": "line 2: '20",
        "absent.txt": "cannot be read: No such file or directory$",
        "latin.txt": "line 2: is not UTF-8 text \\(byte 0xe9",
        ".": "cannot be read: Is a directory$",
    }
    for name, reason in wrong.items():
        with pytest.raises(InputError, match=rf"targets\.include_files.*{name}.*{reason}"):
            address_list.read_key((), (name,), "include", tmp_path)
