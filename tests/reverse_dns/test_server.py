"""Name servers as text."""

import pytest

from pipeline.errors import InputError
from pipeline.reverse_dns import server
from pipeline.reverse_dns.server import NameServer


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.53", NameServer("192.0.2.53")),
        ("192.0.2.53:5353", NameServer("192.0.2.53", 5353)),
        ("2001:db8::53", NameServer("2001:db8::53")),
        ("[2001:db8::53]", NameServer("2001:db8::53")),
        ("[2001:db8::53]:5353", NameServer("2001:db8::53", 5353)),
    ],
)
def test_an_address_with_or_without_port(text: str, expected: NameServer) -> None:
    """Both address families are read, port 53 is the default, and the text form is read back unchanged."""
    assert server.parse(text, "x") == expected == server.parse(str(expected), "x")


@pytest.mark.parametrize(
    "text", ["", "ns.example.org", "192.0.2.53:0", "192.0.2.53:65536", "1.2.3:53", "1.2.3.4:x", "[::1", "[::1]x"]
)
def test_other_texts_are_refused(text: str) -> None:
    """Host names and invalid ports are refused, and the message says where they were set."""
    with pytest.raises(InputError, match="--nameserver"):
        server.parse(text, "--nameserver")


def test_the_systems_servers() -> None:
    """The system's servers are those of its resolv.conf, or an error says that there are none."""
    try:
        servers = server.system_servers()
    except InputError as error:
        assert "--nameserver" in str(error)
    else:
        assert servers
        assert all(server.parse(str(each), "x") == each for each in servers)
