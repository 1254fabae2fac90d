"""The check of the scanner's identity, with a real DNS server and a real web server on loopback."""

import functools
import http.server
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from pipeline.attribution import check, files
from pipeline.config.sections import Config, IdentitySection, SweepSection, TargetsSection
from pipeline.errors import GuardError, InputError
from pipeline.guard import proof, sockets
from pipeline.sweep import freeze
from pipeline.worker.engine_choice import choose
from tests.associate.serving import free_port
from tests.reverse_dns.serving import dnsmasq
from tests.testbed.running import CENSUS, ROOT, environment

SOURCE = "127.0.0.9"
NAME = "census.lab.example"


@dataclass
class Servers:
    """A web server, its folder, and a DNS server."""

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
    """A name server with a confirmed name for 127.0.0.9, an unconfirmed name for 127.0.0.10, and no other records."""
    with dnsmasq(
        "local=/127.in-addr.arpa/",
        f"host-record=localhost,{SOURCE}",
        f"ptr-record=10.0.0.127.in-addr.arpa,{NAME}",
        f"host-record={NAME},127.0.0.11",
    ) as server:
        yield server.port


@pytest.fixture
def servers(tmp_path: Path, dns_port: int) -> Iterator[Servers]:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Servers(server.server_address[1], tmp_path, dns_port)
        server.shutdown()


def test_all_in_place(servers: Servers) -> None:
    """With the files of `census identity` and a confirmed name there is no finding."""
    servers.publish()
    assert list(check.findings(servers.identity(), SOURCE)) == []


def test_what_is_missing_is_named(servers: Servers) -> None:
    """A missing name, page and probing.txt are three findings, each with its place."""
    nowhere = msgspec.structs.replace(servers.identity(), url=f"http://localhost:{servers.web}/nowhere")
    no_name, no_page, no_description = check.findings(nowhere, "127.0.0.77")
    assert no_name.startswith("127.0.0.77 has no name in reverse DNS")
    assert no_page == f"http://localhost:{servers.web}/nowhere cannot be read: the server answers 404"
    assert (
        no_description
        == f"http://localhost:{servers.web}/.well-known/probing.txt cannot be read: the server answers 404"
    )


def test_an_unconfirmed_name(servers: Servers) -> None:
    """A name counts only if it resolves back to the address."""
    servers.publish()
    (finding,) = check.findings(servers.identity(), "127.0.0.10")
    assert finding == f"the reverse DNS of 127.0.0.10 is {NAME}, which does not resolve back to it"


def test_a_page_elsewhere_than_the_name(servers: Servers) -> None:
    """Scanned networks look at the host of the address's name; a page on another host is a finding."""
    servers.publish()
    (finding,) = check.findings(servers.identity("127.0.0.1"), SOURCE)
    assert "but the page is on 127.0.0.1" in finding


def test_an_old_description_and_a_page_without_contact(servers: Servers) -> None:
    """An expired probing.txt, and a page without the contact, are findings."""
    (servers.folder / ".well-known").mkdir()
    (servers.folder / ".well-known" / "probing.txt").write_text("Contact: a\nExpires: 2020-01-01T00:00:00Z\n")
    (servers.folder / "index.html").write_text("hello")
    findings = list(check.findings(servers.identity(), SOURCE))
    assert any("does not show the contact noc@lab.example" in finding for finding in findings)
    assert any("it has expired (2020-01-01T00:00:00Z)" in finding for finding in findings)


def test_a_server_that_is_not_there(servers: Servers) -> None:
    """A server that cannot be reached is a finding, not an error."""
    gone = msgspec.structs.replace(servers.identity(), url=f"http://127.0.0.1:{free_port()}/")
    assert len([finding for finding in check.findings(gone, SOURCE) if "cannot be read" in finding]) == 2


def test_no_request_leaves_the_testbed(monkeypatch: pytest.MonkeyPatch, servers: Servers) -> None:
    """Where only testbeds are allowed, no resolver or page elsewhere is queried."""
    monkeypatch.setenv(sockets.ONLY_TESTBED, "1")
    monkeypatch.delenv(proof.TESTBED, raising=False)
    away = msgspec.structs.replace(servers.identity(), resolver="192.0.2.1")
    with pytest.raises(GuardError, match="a DNS query to 192.0.2.1"):
        list(check.findings(away, SOURCE))
    with pytest.raises(GuardError, match="a request to lab.example"):
        list(check.findings(msgspec.structs.replace(servers.identity(), url="https://lab.example/"), SOURCE))


def test_an_address_is_checked() -> None:
    """A text that is not an IPv4 address is refused."""
    assert check.address("192.0.2.7") == "192.0.2.7"
    with pytest.raises(InputError, match="is not an IPv4 address"):
        check.address("example.org")


def test_a_sweep_warns_or_refuses(servers: Servers, tmp_path: Path) -> None:
    """A sweep runs the same check before it begins: findings are warnings, or with `strict` an error before any packet."""
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
    interface = "lo"
    source = "127.0.0.77"
    gateway_mac = "02:00:00:00:00:01"
    [identity]
    contact = "noc@lab.example"
    url = "http://localhost:{web}/nowhere"
    resolver = "127.0.0.1:{dns}"
    strict = {strict}
    """
    config.write_text(text.format(web=servers.web, dns=servers.dns, strict="false"))
    assert len(list(freeze.warnings(choose(freeze.freeze(config, tmp_path)).plan, print))) == 3
    config.write_text(text.format(web=servers.web, dns=servers.dns, strict="true"))
    with pytest.raises(GuardError, match="nothing is sent, since identity.strict is set: 127.0.0.77 has no name"):
        list(freeze.warnings(choose(freeze.freeze(config, tmp_path)).plan, print))


#: In new namespaces: loopback alone, a system's resolver that queries 127.0.0.1, and nobody who answers there.
SILENT = """
import os, socket, subprocess, sys
folder, *command = sys.argv[1:]
for name in ("resolv.conf", "nsswitch.conf"):
    subprocess.run(["mount", "--bind", f"{folder}/{name}", f"/etc/{name}"], check=True)
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
    server.bind(("127.0.0.1", 53))
    sys.exit(subprocess.run(command).returncode)
"""


@pytest.mark.namespaces
def test_a_resolver_that_does_not_answer(tmp_path: Path) -> None:
    """Where DNS is silent, the command says at once what it waits for, and within the deadline what it did not learn."""
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    (tmp_path / "nsswitch.conf").write_text("hosts: dns\n")
    config = tmp_path / "sweep.toml"
    config.write_text(
        "[sweep]\nname = 'n'\nports = [104]\nseed = 1\nrate = 1\n[targets]\ninclude = ['20.0.0.0/30']\n"
        "[identity]\ncontact = 'noc@lab.example'\nurl = 'http://localhost/'\nauthorised_by = 'the board'\n"
    )
    command = [*CENSUS, "identity", str(config), "--check", "--source", "127.0.0.77"]
    inside = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "--net",
        "--",
        sys.executable,
        "-c",
        SILENT,
        str(tmp_path),
    ]
    process = subprocess.Popen(
        [*inside, *command], cwd=ROOT, env=environment(tmp_path), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    announced = process.stderr.readline()
    begun = time.monotonic()
    output = process.stderr.read()
    print(f"{time.monotonic() - begun:.1f} s after the announcement:\n{output}")
    assert announced.startswith("looking up the reverse DNS of 127.0.0.77 and reading http://localhost/")
    assert time.monotonic() - begun < check.DEADLINE_SECONDS + 5
    assert process.wait(60) == 3 and "Traceback" not in output
    assert "the reverse DNS of 127.0.0.77 is unknown: no valid answer came in time" in output
    assert output.count("cannot be read: no name server, or no server, has answered within 10 s") == 2
