"""A vantage's own facts come from its environment, and then the plan's are not used."""

import pytest

from pipeline.config import local
from pipeline.config.sections import ProbeSection
from pipeline.errors import InputError

PLAN = ProbeSection(interface="eth7", source=("10.7.0.1", "10.7.0.2"), gateway_mac="02:00:00:00:00:07", senders=2)


def test_without_an_environment() -> None:
    """Where the environment gives nothing, the plan's facts hold, and what scanned networks see is its sources."""
    facts = local.facts(PLAN, {})
    assert (facts.probe, facts.seen, facts.source(3), facts.public(0)) == (PLAN, PLAN.sources, "10.7.0.2", "")
    assert facts.named("source") == "key probe.source"


def test_a_machine_of_a_fleet() -> None:
    """One fact of the environment replaces all three of the plan's: they belong to another machine."""
    facts = local.facts(PLAN, {local.SOURCE: "10.8.0.1"})
    assert (facts.probe.interface, facts.probe.sources, facts.probe.gateway_mac) == ("", ("10.8.0.1",), "")
    assert (facts.probe.senders, facts.named("source")) == (2, local.SOURCE)
    assert local.facts(PLAN, {local.INTERFACE: "s0"}).probe.sources == ()


def test_public_addresses() -> None:
    """Behind a NAT networks see one address for all sources, or one for each in their order."""
    one = local.facts(PLAN, {local.PUBLIC_ADDRESS: "20.0.0.1"})
    assert ([one.public(0), one.public(1)], one.seen) == (["20.0.0.1"] * 2, ("20.0.0.1",))
    two = local.facts(PLAN, {local.PUBLIC_ADDRESS: "20.0.0.1, 20.0.0.2"})
    assert [two.public(number) for number in range(3)] == ["20.0.0.1", "20.0.0.2", "20.0.0.1"]
    assert two.probe == PLAN


@pytest.mark.parametrize(
    ("environment", "refusal"),
    [
        ({local.SOURCE: "10.8.0"}, "CENSUS_SOURCE: is not a list of IPv4 addresses"),
        ({local.SOURCE: "10.8.0.1,10.8.0.2,10.8.0.3"}, "CENSUS_SOURCE: gives 3 addresses, and the plan has 2 senders"),
        ({local.GATEWAY_MAC: "02:00"}, "CENSUS_GATEWAY_MAC: '02:00' is not a hardware address"),
        ({local.PUBLIC_ADDRESS: "here"}, "CENSUS_PUBLIC_ADDRESS: is not a list"),
        ({local.SOURCE: "10.8.0.1", local.PUBLIC_ADDRESS: "20.0.0.1 20.0.0.2"}, "gives 2 addresses for 1 source"),
    ],
)
def test_wrong_facts_are_named(environment: dict[str, str], refusal: str) -> None:
    """What the environment gives wrongly is refused by the variable's name."""
    with pytest.raises(InputError, match=refusal):
        local.facts(PLAN, environment)
