"""Proxy variables, as Prefect's own client reads them."""

import httpx
import pytest

from flows import proxies
from pipeline.errors import CensusError

SOCKS = {"ALL_PROXY": "socks5://192.0.2.1:1080", "http_proxy": "socks5h://192.0.2.1:1080"}


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Variables of a machine behind a proxy, with exceptions in both spellings."""
    for name in (*proxies.NO_PROXY, *proxies.PROXIES, *map(str.upper, proxies.PROXIES)):
        monkeypatch.delenv(name, raising=False)
    return {
        "HTTP_PROXY": "http://192.0.2.1:3128",
        "NO_PROXY": "lab.example, .test, [2001:db8::1]:80",
        "no_proxy": "lab.example",
    }


def test_loopback_has_no_proxy(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests to loopback go to no proxy, by whatever name; exceptions that were there stay, and other hosts keep theirs.

    An exception in brackets, at which the client would end, is written without.
    """
    proxies.exempt_loopback(environ)
    assert environ["no_proxy"] == environ["NO_PROXY"] == "lab.example,.test,2001:db8::1,127.0.0.1,localhost,::1"
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with httpx.Client() as client:
        direct = client._transport_for_url(httpx.URL("http://lab.example/"))
        for host in ("127.0.0.1", "localhost", "[::1]", "[2001:db8::1]"):
            assert client._transport_for_url(httpx.URL(f"http://{host}:4200/api")) is direct
        assert client._transport_for_url(httpx.URL("http://example.org/")) is not direct


def test_a_proxy_that_the_client_cannot_use(environ: dict[str, str]) -> None:
    """SOCKS proxies, at which the client would end, are left out where the server is on this machine; others stay."""
    environ |= SOCKS
    proxies.drop_unusable(environ, "http://127.0.0.1:4200/api")
    assert not environ.keys() & SOCKS.keys() and environ["HTTP_PROXY"] == "http://192.0.2.1:3128"


def test_a_server_behind_such_a_proxy_is_refused(environ: dict[str, str]) -> None:
    """Where the server is on another machine, the error names the variable and the package that is missing."""
    with pytest.raises(
        CensusError, match="ALL_PROXY names a SOCKS proxy, which .*: install the package socksio, or unset"
    ):
        proxies.drop_unusable(environ | {"ALL_PROXY": "socks5://192.0.2.1:1080"}, "http://10.0.0.1:4200/api")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:4200/api", True),
        ("http://127.8.0.1/api", True),
        ("http://[::1]:4200/api", True),
        ("http://localhost:4200/api", True),
        ("http://10.0.0.1:4200/api", False),
        ("https://prefect.lab.example/api", False),
    ],
)
def test_is_loopback(url: str, expected: bool) -> None:
    """Loopback is 127.0.0.0/8, ::1 and localhost."""
    assert proxies.is_loopback(url) is expected
