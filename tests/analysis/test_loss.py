"""What a sweep misses, estimated where some networks answer everything: simulated worlds with a known truth."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from pipeline.publish import estimates
from tests.analysis.lake import connect

Rows = list[dict[str, Any]]
#: Where everything answers, and where there are hosts: addresses of two networks.
PROXIES, HOSTS = 10 << 24, 20 << 24
ANSWERING, SERVICES, OTHERS = 2048, 400, 800
#: Share of SYNs to the hosts that are lost, and share of targets that get a second SYN.
LOST, SAMPLE = 0.3, 0.25
WORLDS = 15


@dataclass
class World:
    """The rows of a sweep."""

    draw: np.random.Generator
    responses: Rows = field(default_factory=list)
    second_syns: Rows = field(default_factory=list)

    def probe(self, first_ip: int, outcomes: list[str], *, step: int, lost: float) -> None:
        """Probe hosts at every `step`th address, with these outcomes; each SYN is lost on its own."""
        seen = self.draw.random((2, len(outcomes))) >= lost
        sampled = self.draw.random(len(outcomes)) < SAMPLE
        for number, outcome in enumerate(outcomes):
            target = {"ip": first_ip + step * number, "port": 104}
            first, second = seen[:, number].tolist()
            if first:
                self.responses.append(target | {"outcome": outcome})
            if sampled[number] and (first or second):
                self.second_syns.append(target | {"answered_first": first, "answered_second": second})

    def tables(self) -> dict[str, Rows]:
        """The tables of the lake."""
        answers = [(row["answered_first"], row["answered_second"]) for row in self.second_syns]
        counts = {
            "seen_twice": answers.count((True, True)),
            "first_only": answers.count((True, False)),
            "second_only": answers.count((False, True)),
        }
        return {
            "responses": self.responses,
            "second_syns": self.second_syns,
            "second_looks": [{"vantage": "v"} | counts],
            "sweeps": [{"name": "n", "addresses": 1 << 20, "sampled_addresses": 1 << 20}],
        }


def world(seed: int, proxies: str) -> World:
    """One network in which every address answers, without loss; another with services and other hosts, with loss."""
    made = World(np.random.default_rng(seed))
    made.probe(PROXIES, [proxies] * ANSWERING, step=1, lost=0.0)
    made.probe(HOSTS, (["echoed"] + ["not_dicom"] * (OTHERS // SERVICES)) * SERVICES, step=20, lost=LOST)
    return made


def loss(made: World) -> dict[str, Any]:
    """The row of `loss` for the sweep."""
    con = connect(**made.tables())
    (row,) = con.execute("FROM loss").to_arrow_table().to_pylist()
    return dict(row)


@pytest.mark.parametrize("proxies", ["silent", "unacknowledged"])
def test_networks_that_answer_everything_hide_no_loss(proxies: str) -> None:
    """Whatever a network does that answers every SYN, the interval covers the true number of services as often as it claims."""
    covered = 0
    for seed in range(WORLDS):
        made = world(seed, proxies)
        row = loss(made)
        look = estimates.second_look(row["sweep"], [row], [])
        seen = sum(response["outcome"] == "echoed" for response in made.responses)
        (reachable,) = estimates.estimates([seen], 1.0, [look])
        covered += reachable.low <= SERVICES <= reachable.high
        assert row["took"] < row["seen_second"]
    assert covered >= 0.9 * WORLDS - 1


def test_only_hosts_that_took_our_request_count() -> None:
    """Hosts that never acknowledge the request count as little as hosts that answered only the second SYN."""
    made = World(np.random.default_rng(0))
    pairs = (("echoed", True), ("silent", False), ("unacknowledged", True), ("closed", True))
    for number, (outcome, again) in enumerate(pairs):
        target = {"ip": number << 8, "port": 104}
        made.responses.append(target | {"outcome": outcome})
        made.second_syns.append(target | {"answered_first": True, "answered_second": again})
    made.second_syns.append({"ip": 9 << 8, "port": 104, "answered_first": False, "answered_second": True})
    row = loss(made)
    assert (row["took"], row["took_twice"], row["detection"]) == (2, 1, 0.5)
    assert (row["seen_twice"], row["seen_second"]) == (3, 4)


def test_prefixes_that_answer_on_the_control_port_do_not_count() -> None:
    """Two addresses of a /24 that answer where nothing should make the whole /24 one that answers everything."""
    made = World(np.random.default_rng(0))
    for ip in (256, 512):
        made.responses.append({"ip": ip, "port": 104, "outcome": "silent"})
        made.second_syns.append({"ip": ip, "port": 104, "answered_first": True, "answered_second": True})
    controls = [{"ip": 300, "port": 9}, {"ip": 301, "port": 9}]
    con = connect(**made.tables(), controls=controls)
    assert con.execute("SELECT took, took_twice FROM loss").fetchall() == [(1, 1)]


def test_a_sweep_of_an_earlier_version_keeps_its_estimate() -> None:
    """Where answers to second SYNs were only counted, all hosts count."""
    con = connect(second_looks=[{"vantage": "v", "seen_twice": 90, "first_only": 5, "second_only": 10}])
    assert con.execute("SELECT took, took_twice, detection FROM loss").fetchall() == [(None, None, 0.9)]
