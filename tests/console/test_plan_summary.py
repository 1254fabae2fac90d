"""The summary of `census plan`."""

from pathlib import Path

import pytest

from pipeline.config.sections import VisibilitySection
from pipeline.console import plan_summary
from pipeline.plan.plan import Plan
from pipeline.plan.vantage_plans import vantage_plans
from pipeline.sweep import freeze
from tests.plan.frozen import focused
from tests.plan.frozen import freeze as frozen_plan

CONFIG = """
[sweep]
name = "x"
ports = [104, 11112]
seed = 1
rate = {rate}
sample = {sample}
[targets]
include = ["20.0.0.0/16", "20.0.255.0/24"]
exclude = ["20.0.1.0/24", "20.0.1.0/25"]
exclude_files = ["more.txt"]
[caps]
per_slash24_hour = {cap}
[identity]
authorised_by = "the board"
"""


def plan_of(folder: Path, *, rate: int = 10, sample: str = "1.0", cap: int = 0) -> Plan:
    (folder / "more.txt").write_text("20.0.1.128-20.0.2.3 # requested by mail\n::1\n")
    (folder / "config.toml").write_text(CONFIG.format(rate=rate, sample=sample, cap=cap))
    return freeze.freeze(folder / "config.toml", folder / "lake")


def test_addresses_add_up(tmp_path: Path) -> None:
    """The included addresses, less those of each exclusion, plus those excluded more than once, are the target space."""
    plan = plan_of(tmp_path)
    told = plan_summary.facts(plan)
    assert told["excluded_more_than_once"] == 128
    into = sum(part["addresses"] for part in told["included"])
    out = sum(part["addresses"] for part in told["excluded"])
    into -= told["included_again"]
    assert into - out + told["excluded_more_than_once"] == plan.addresses == 2**16 - 256 - 4


def test_a_careful_person_finds(tmp_path: Path) -> None:
    """The summary has lists with counts, targets by port, rate, duration, load of a /24, responsible person and register."""
    found = dict(plan_summary.rows(plan_of(tmp_path, sample="1000", rate=1)))
    assert found["in: targets.include"] == "65,792 addresses"
    assert found["of these, included more than once"] == "256 addresses"
    assert found["out: targets.exclude"] == "256 addresses"
    assert found["out: more.txt"] == "132 addresses; IPv6 entries skipped: 1"
    assert found["visited"] == "1,000 addresses, a random 1.532%"
    assert found["port 104"] == found["port 11112"] == "1,000 targets"
    assert found["sending takes"] == "34 min 1 s, cool-downs included"
    assert found["authorised by"] == "the board" and found["contact"] == "nobody"
    assert found["opt-out register"] == "optout.jsonl in the lake"


def test_a_lowered_rate_is_told(tmp_path: Path) -> None:
    """A rate that a cap lowered is shown with both rates and the cap, and the most probes of a /24 are within the cap."""
    plan = plan_of(tmp_path, rate=1000, cap=60)
    assert "lowered from 1,000 by caps.per_slash24_hour = 60" in dict(plan_summary.rows(plan))["rate"]
    assert plan_summary.most_per_slash24_hour(plan) <= 60


def test_the_kernel_retransmits_and_that_takes_its_time(tmp_path: Path) -> None:
    """With engine `connect` a plan says that the kernel retransmits SYNs, and has twice the probes."""
    plan_of(tmp_path, sample="1000")
    config = (tmp_path / "config.toml").read_text() + '[probe]\nengine = "connect"\n'
    (tmp_path / "config.toml").write_text(config)
    plan = freeze.freeze(tmp_path / "config.toml", tmp_path / "lake")
    assert plan.probes == 2 * plan.targets
    assert "retransmits unanswered SYNs once" in dict(plan_summary.rows(plan))["extra probes"]


def test_countries_are_all_there(tmp_path: Path) -> None:
    """The countries, the smaller ones as one, have the whole target space."""
    plan = plan_of(tmp_path, sample="0.5")
    assert sum(addresses for _, addresses, _ in plan_summary.countries(plan)) == plan.addresses
    assert sum(targets for _, _, targets in plan_summary.countries(plan)) == pytest.approx(plan.targets, abs=2)


def test_a_focus_tells_its_strata() -> None:
    """The summary has the whole target space, both strata, and the part of the space that is visited; lists add up to the whole."""
    plan = focused()
    found, told = dict(plan_summary.rows(plan)), plan_summary.facts(plan)
    assert found["target space"] == "65,596 addresses in 2 ranges"
    assert found["focus"] == "begins with the services of a"
    assert found["where services were"] == "2 /24s, 508 addresses, all"
    assert found["elsewhere"] == "64 /24s of 255, a random 25.098%"
    assert found["visited"] == f"{plan.addresses:,} addresses, {plan.addresses / 65_596:.2%} of the target space"
    assert told["excluded_more_than_once"] == 0 and told["focus"].keys().isdisjoint({"space", "known"})


def test_a_visibility_sample_is_stated() -> None:
    """The summary says how many addresses each vantage probes, and of a vantage's own plan, whose sample it is."""
    plan = frozen_plan(visibility=VisibilitySection(vantages=("one", "two"), sample=0.25))
    assert dict(plan_summary.rows(plan))["visibility"] == "50 addresses, a random 25.253%, from each of one, two too"
    one, _ = vantage_plans(plan)
    told = dict(plan_summary.rows(one))
    assert told["visibility"] == f"this is the sample of {plan.sweep}, from vantage one"
    assert told["visited"] == "50 addresses, a random 25.253%"
