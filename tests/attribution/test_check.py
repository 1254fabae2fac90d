"""The check of one's own identity, on a real DNS server and a real web server on loopback."""

import functools
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from pipeline.attribution import check, files
from pipeline.config import Config, IdentitySection, SweepSection, TargetsSection
from pipeline.errors import GuardError, InputError
from pipeline.guard import proof, sockets
from pipeline.sweep import freeze
from tests.associate.serving import free_port
from tests.reverse_dns.serving import dnsmasq

SOURCE = "127.0.0.9"
NAME = "census.lab.example"


@dataclass
class Place:
    """A web server, the folder that it shows, and a DNS server."""

    web: int
    folder: Path
    dns: int

    def identity(self, host: str = "localhost") -> IdentitySection:
        return IdentitySection(
            contact="noc@lab.example", url=f"http://{host}:{self.web}/", authorised_by="the board",
            resolver=f"127.0.0.1:{self.dns}",
        )  # fmt: skip

    def publish(self) -> None:
        section = SweepSection(name="n", ports=(104,), seed=1, rate=1)
        files.write(Config(sweep=section, targets=TargetsSection(), identity=self.identity()), self.folder)


@pytest.fixture(scope="module")
def dns_port() -> Iterator[int]:
    """A name server that knows 127.0.0.9 both ways, 127.0.0.10 one way only, and nothing else."""
    with dnsmasq(
        f"host-record=localhost,{SOURCE}",
        f"ptr-record=10.0.0.127.in-addr.arpa,{NAME}",
        f"host-record={NAME},127.0.0.11",
    ) as server:
        yield server.port


@pytest.fixture
def place(tmp_path: Path, dns_port: int) -> Iterator[Place]:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Place(server.server_address[1], tmp_path, dns_port)
        server.shutdown()


def test_all_in_place(place: Place) -> None:
    """Files as `census identity` writes them, and a name that leads back, leave nothing to find."""
    place.publish()
    assert list(check.findings(place.identity(), SOURCE)) == []


def test_what_is_missing_is_named(place: Place) -> None:
    """No name, no page and no description are three findings, each with what to look at."""
    nowhere = msgspec.structs.replace(place.identity(), url=f"http://localhost:{place.web}/nowhere")
    no_name, no_page, no_description = check.findings(nowhere, "127.0.0.77")
    assert no_name.startswith("127.0.0.77 has no name in reverse DNS")
    assert no_page == f"http://localhost:{place.web}/nowhere cannot be read: it answers 404"
    assert no_description == f"http://localhost:{place.web}/.well-known/probing.txt cannot be read: it answers 404"


def test_a_name_that_leads_elsewhere(place: Place) -> None:
    """A name counts only if it leads back to the address."""
    place.publish()
    (found,) = check.findings(place.identity(), "127.0.0.10")
    assert found == f"the reverse DNS of 127.0.0.10 is {NAME}, which does not lead back to it"


def test_a_page_elsewhere_than_the_name(place: Place) -> None:
    """The measured look at the name of the address; a page on another host is told."""
    place.publish()
    (found,) = check.findings(place.identity("127.0.0.1"), SOURCE)
    assert "but the page is on 127.0.0.1" in found


def test_an_old_description_and_a_page_without_contact(place: Place) -> None:
    """A description that expired, and a page that does not tell whom to write to, are told."""
    (place.folder / ".well-known").mkdir()
    (place.folder / ".well-known" / "probing.txt").write_text("Contact: a\nExpires: 2020-01-01T00:00:00Z\n")
    (place.folder / "index.html").write_text("hello")
    found = list(check.findings(place.identity(), SOURCE))
    assert any("does not show the contact noc@lab.example" in said for said in found)
    assert any("it expired (2020-01-01T00:00:00Z)" in said for said in found)


def test_a_server_that_is_not_there(place: Place) -> None:
    """What cannot be reached is one finding, not a failure."""
    gone = msgspec.structs.replace(place.identity(), url=f"http://127.0.0.1:{free_port()}/")
    assert len([said for said in check.findings(gone, SOURCE) if "cannot be read" in said]) == 2


def test_nothing_is_asked_outside(monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
    """Where only testbeds are allowed, neither a resolver nor a page elsewhere is asked."""
    monkeypatch.setenv(sockets.ONLY_TESTBED, "1")
    monkeypatch.delenv(proof.TESTBED, raising=False)
    away = msgspec.structs.replace(place.identity(), resolver="192.0.2.1")
    with pytest.raises(GuardError, match="a DNS query to 192.0.2.1"):
        list(check.findings(away, SOURCE))
    with pytest.raises(GuardError, match="a request to lab.example"):
        list(check.findings(msgspec.structs.replace(place.identity(), url="https://lab.example/"), SOURCE))


def test_an_address_is_checked() -> None:
    """What is not an IPv4 address is refused."""
    assert check.address("192.0.2.7") == "192.0.2.7"
    with pytest.raises(InputError, match="not an IPv4 address"):
        check.address("example.org")


def test_a_sweep_warns_or_refuses(place: Place, tmp_path: Path) -> None:
    """Before a sweep the same is looked at: told, or with `strict` the end before anything is sent."""
    config = tmp_path / "sweep.toml"
    text = """
    [sweep]
    name = "n"
    ports = [104]
    seed = 1
    rate = 1
    [targets]
    include = ["20.0.0.0/30"]
    [probe]
    source = "127.0.0.77"
    [identity]
    contact = "noc@lab.example"
    url = "http://localhost:{web}/nowhere"
    resolver = "127.0.0.1:{dns}"
    strict = {strict}
    """
    config.write_text(text.format(web=place.web, dns=place.dns, strict="false"))
    assert len(list(freeze.findable(freeze.freeze(config, tmp_path)))) == 3
    config.write_text(text.format(web=place.web, dns=place.dns, strict="true"))
    with pytest.raises(GuardError, match="nothing is sent, since identity.strict is set: 127.0.0.77 has no name"):
        list(freeze.findable(freeze.freeze(config, tmp_path)))
