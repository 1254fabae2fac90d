"""Name servers as they are written."""

import pytest

from pipeline.errors import InputError
from pipeline.reverse_dns import server
from pipeline.reverse_dns.server import Server


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.53", Server("192.0.2.53")),
        ("192.0.2.53:5353", Server("192.0.2.53", 5353)),
        ("2001:db8::53", Server("2001:db8::53")),
        ("[2001:db8::53]", Server("2001:db8::53")),
        ("[2001:db8::53]:5353", Server("2001:db8::53", 5353)),
    ],
)
def test_an_address_with_or_without_port(text: str, expected: Server) -> None:
    """Both families are read, port 53 is meant where none is written, and what is shown is read as the same."""
    assert server.parse(text, "x") == expected == server.parse(str(expected), "x")


@pytest.mark.parametrize(
    "text", ["", "ns.example.org", "192.0.2.53:0", "192.0.2.53:65536", "1.2.3:53", "1.2.3.4:x", "[::1", "[::1]x"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """Names, and ports that there are not, are refused, naming where they stood."""
    with pytest.raises(InputError, match="--nameserver"):
        server.parse(text, "--nameserver")


def test_the_systems_own() -> None:
    """The servers of the system are those of its resolv.conf, or an error says that there are none."""
    try:
        found = server.system()
    except InputError as error:
        assert "--nameserver" in str(error)
    else:
        assert found
        assert all(server.parse(str(each), "x") == each for each in found)
