"""Host names of a sweep's addresses: which addresses are looked up, which names are kept, and which owners the names change."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import CensusError
from pipeline.lake import parts, read
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.plan.plan import Plan
from pipeline.reverse_dns.server import NameServer
from pipeline.reverse_dns.stub_resolver import StubResolver
from pipeline.sweep import enrichment, freeze, resolve
from pipeline.sweep import run as sweep
from pipeline.views import connection
from tests.associate.serving import free_port
from tests.commands.running import census
from tests.publish import demo, history
from tests.reverse_dns.serving import answering_server, dnsmasq, reply_with

FIRST = int(IPv4Address("20.0.0.1"))
CONFIG = """
[sweep]
name = "x"
ports = [104]
seed = 1
rate = 100
[targets]
include = ["20.0.0.0/24"]
"""


@pytest.fixture
def lake(tmp_path: Path) -> tuple[Plan, SweepPaths]:
    """A sealed sweep in which three addresses spoke DICOM, one of them on two ports, and one was silent."""
    (tmp_path / "config.toml").write_text(CONFIG)
    plan = freeze.freeze(tmp_path / "config.toml", tmp_path / "lake")
    paths = sweep.begin(plan, tmp_path / "lake").paths
    spoke = [(FIRST, 104), (FIRST, 11112), (FIRST + 1, 104), (FIRST + 2, 104)]
    said = [{"ip": ip, "port": port, "outcome": "accepted"} for ip, port in spoke]
    tables: dict[str, list[dict[str, Any]]] = {
        "sweeps": [demo.sweep_row(256, 4)],
        "associations": said,
        "responses": [*said, {"ip": FIRST + 9, "port": 104, "outcome": "silent"}],
    }
    for name, rows in tables.items():
        parts.write(paths.sealed(name), parts.tidy([history.arrow(name, rows)], name), name, paths.id)
    return Sweep(plan, paths)


@pytest.fixture(scope="module")
def server() -> Iterator[NameServer]:
    with dnsmasq(
        "host-record=pacs.trust.nhs.uk,20.0.0.1", "ptr-record=2.0.0.20.in-addr.arpa,fake.trust.nhs.uk",
        "host-record=fake.trust.nhs.uk,20.0.0.77", "address=/nowhere.example/",
        "ptr-record=3.0.0.20.in-addr.arpa,nowhere.example",
    ) as made:  # fmt: skip
        yield made


def run(lake: Sweep, server: NameServer, **set: Any) -> dict[str, Any]:
    return resolve.resolve(lake, StubResolver((server,), rate=1000, seconds=0.3, **set), lambda _: None)


def table(paths: SweepPaths) -> dict[int, Mapping[str, Any]]:
    return {row["ip"] - FIRST: row for row in read.rows(paths, "host_names").to_pylist()}


def test_who_spoke_dicom_is_asked_about(lake: Sweep, server: NameServer) -> None:
    """Each address of an association has one row with its confirmed and unconfirmed names; a silent address has none."""
    told = run(lake, server)
    found = table(lake.paths)
    assert {n: (r["naming"], r["names"], r["unconfirmed"]) for n, r in found.items()} == {
        0: ("confirmed", ["pacs.trust.nhs.uk"], []),
        1: ("unconfirmed", [], ["fake.trust.nhs.uk"]),
        2: ("unconfirmed", [], ["nowhere.example"]),
    }
    assert (told["addresses"], told["to_ask"], told["confirmed"], told["queries_sent"]) == (3, 3, 1, 6)
    assert found[0]["nameserver"] == str(server)


def test_what_is_known_is_not_asked_again(lake: Sweep, server: NameServer) -> None:
    """A second run sends nothing and changes nothing."""
    run(lake, server)
    before = lake.paths.sealed("host_names").read_bytes()
    again = run(lake, server)
    assert (again["queries_sent"], again["known_before"], again["known"]["confirmed"]) == (0, 3, 1)
    assert lake.paths.sealed("host_names").read_bytes() == before


def test_who_was_not_answered_is_asked_again(lake: Sweep, server: NameServer) -> None:
    """A time-out is recorded as a time-out until a later run gets an answer."""
    with answering_server(lambda query, _: None) as (silent, _):
        assert run(lake, silent, tries=1)["timeout"] == 3
    assert {row["naming"] for row in table(lake.paths).values()} == {"timeout"}
    assert run(lake, server)["known"]["timeout"] == 0


def test_an_interrupted_run_loses_nothing(lake: Sweep, server: NameServer) -> None:
    """The rows in a dead program's journal are in the table of the next run, and their addresses are not looked up again."""
    journal = parts.journal(lake.paths.sealed("host_names").with_name("asked.arrows"), "host_names")
    row = {
        "ip": FIRST,
        "naming": "no_name",
        "names": [],
        "unconfirmed": [],
        "pointers": 0,
        "asked_at": 0,
        "nameserver": "x",
    }
    journal.append(parts.from_rows([row], "host_names"))
    journal.commit(force=True)
    assert run(lake, server)["known_before"] == 1
    assert table(lake.paths)[0]["naming"] == "no_name" and len(table(lake.paths)) == 3


def test_a_server_that_never_answers_ends_it(lake: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a number of addresses without an answer the command fails with the server's name, and keeps its results."""
    monkeypatch.setattr(resolve, "SILENT", 2)
    with pytest.raises(CensusError, match="no answer for 2 addresses in a row"):
        run(lake, NameServer("127.0.0.1", free_port()))
    assert len(table(lake.paths)) >= 2


def test_who_opted_out_is_left_alone(lake: Sweep, server: NameServer) -> None:
    """An address that has opted out since the sweep is not looked up."""
    assert census("optout", str(lake.paths.lake / "optout.jsonl"), "add", "20.0.0.1", "--who", "noc").returncode == 0
    with answering_server(lambda query, _: reply_with(query, "PTR")) as (other, asked):
        assert run(lake, other)["opted_out"] == 1
    assert "1.0.0.20.in-addr.arpa." not in {name for _, name in asked} and len(asked) == 2


def test_names_change_owners(lake: Sweep, server: NameServer) -> None:
    """After another enrichment, a confirmed name decides the owner by a rule of the file; an unconfirmed name does not."""

    def owners() -> list[tuple[Any, ...]]:
        enrichment.enrich(lake)
        with connection.connect(lake.paths.lake) as con:
            return con.execute("SELECT ip - ?, sector, rule, field FROM owners ORDER BY ip", [FIRST]).fetchall()

    assert owners() == [(n, "unknown", None, None) for n in range(3)]
    run(lake, server)
    assert owners() == [
        (0, "healthcare", "uk-nhs-name", "host"),
        (1, "unknown", None, None),
        (2, "unknown", None, None),
    ]


def test_the_command(lake: Sweep, server: NameServer) -> None:
    """The command prints its counts as JSON on standard output, and its progress on standard error."""
    done: subprocess.CompletedProcess[str] = census(
        "resolve", str(lake.paths.lake), "--nameserver", str(server), "--rate", "500", "--json"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["known"]["confirmed"] == 1 and "asked 3" in done.stderr


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ((), 2, "--nameserver IP[:PORT] or by --system"),
        (("--nameserver", "127.0.0.1", "--system"), 2, "not by both"),
        (("--nameserver", "ns.example.org"), 2, "'ns.example.org' is not the address"),
        (("--nameserver", "192.0.2.53"), 3, "a DNS query to 192.0.2.53 is refused"),
    ],
)
def test_no_server_is_assumed(lake: Sweep, options: tuple[str, ...], code: int, said: str) -> None:
    """Without a server named by the user nothing is looked up; under CENSUS_ONLY_TESTBED no server outside is used."""
    refused = census("resolve", str(lake.paths.lake), *options)
    assert refused.returncode == code and said in refused.stderr, refused.stderr
