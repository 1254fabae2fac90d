"""What the tests of publications look for is found, however it is written and whatever is around it."""

import pytest

from tests.publish import hidden
from tests.publish.history import ip

HOST = ip("198.18.0.33")
WRITTEN = (
    "198.18.0.33", "198.018.000.033", "0306.022.0.041", "33.0.18.198.in-addr.arpa", "ip-198-18-0-33", "3323068449", "0xC6120021",
    "c6120021", "21:00:12:c6", "::ffff:c612:21", "030604400041", "11000110000100100000000000100001", "0xc6.0x12.0x0.0x21",
    "STMARY3323068449", "pacs.stmary.example", "O=St Mary Hospital",
)  # fmt: skip


@pytest.mark.parametrize("text", [*WRITTEN, *sorted(hidden.fingerprints(HOST))])
def test_each_notation_is_found(text: str) -> None:
    """A notation is found before a port, between quotes and in a path, and is not found of another host."""
    for around in ("at {}:104.", '"{}"', "/{}/", "x={},", "<b>{}</b>"):
        assert hidden.found({"x": around.format(text)}, [HOST]), around
    assert "stmary" in text.lower() or "Mary" in text or not hidden.found({"x": text}, [HOST + 1])
