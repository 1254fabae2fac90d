"""What a plan warns of, before the first packet."""

from pathlib import Path

import pytest

from pipeline.console import plan_summary, plan_warnings
from pipeline.plan.plan import Plan
from pipeline.sweep import freeze
from tests.commands.running import IDENTITY, census, write_config

ALIVE = '[control]\ntargets = ["20.9.9.9:104"]\n'


def plan_of(folder: Path, include: str = "20.0.0.0/24", more: str = ALIVE, identity: str = IDENTITY) -> Plan:
    path = Path(write_config(folder, include=include, identity=identity))
    path.write_text(path.read_text() + more)
    return freeze.freeze(path, folder / "lake")


def test_few_second_syns_are_warned_of(tmp_path: Path) -> None:
    """A sweep that is too small for an estimate of what it misses says so, with the key and a value that is enough."""
    (small,) = plan_warnings.warnings(plan_of(tmp_path, "20.0.0.0/16"))
    assert "about 1 of them get a second SYN" in small and "raise [loss] sample to 0.27" in small
    (tiny,) = plan_warnings.warnings(plan_of(tmp_path))
    assert "set [loss] sample to 1, or sweep more targets" in tiny
    assert list(plan_warnings.warnings(plan_of(tmp_path, "20.0.0.0/16", "[loss]\nsample = 0.28\n" + ALIVE))) == []
    assert list(plan_warnings.warnings(plan_of(tmp_path, "20.0.0.0/10"))) == []


@pytest.mark.parametrize("more", ["[loss]\nsample = 0\n" + ALIVE, '[probe]\nengine = "connect"\n'])
def test_without_second_syns_nothing_is_estimated(tmp_path: Path, more: str) -> None:
    """A sweep that sends no second SYN by choice is not warned of them."""
    assert list(plan_warnings.warnings(plan_of(tmp_path, more=more))) == []


def test_skipped_entries_are_warned_of(tmp_path: Path) -> None:
    """IPv6 entries of a list are named with their number."""
    (tmp_path / "six.txt").write_text("2001:db8::/32\n::1\n")
    path = Path(write_config(tmp_path, include="20.0.0.0/10"))
    path.write_text(path.read_text().replace("[identity]", 'exclude_files = ["six.txt"]\n[identity]') + ALIVE)
    assert list(plan_warnings.warnings(freeze.freeze(path, tmp_path / "lake"))) == [
        "six.txt has 2 IPv6 entries, which are skipped: only IPv4 is swept"
    ]


def test_a_missing_control_target_is_warned_of(tmp_path: Path) -> None:
    """Without a control target nobody notices a path that breaks at once; `connect` cannot have one, and is not warned."""
    (*_, last) = plan_warnings.warnings(plan_of(tmp_path, more=""))
    assert last.startswith("there is no control target: ") and '[control] targets = ["ADDRESS:PORT"]' in last
    assert list(plan_warnings.warnings(plan_of(tmp_path, more='[probe]\nengine = "connect"\n'))) == []


def test_a_plan_says_that_it_will_be_refused(tmp_path: Path) -> None:
    """Without an identity the plan page says what a real sweep would be refused for; with one it says nothing of it."""
    plan = plan_of(tmp_path, identity='ae_title = "LAB"')
    assert (
        dict(plan_summary.rows(plan))["outside of a testbed"] == "refused: [identity] lacks contact, url, authorised_by"
    )
    assert plan_summary.facts(plan)["refused_outside_testbed"] == "[identity] lacks contact, url, authorised_by"
    assert "outside of a testbed" not in dict(plan_summary.rows(plan_of(tmp_path)))


def test_the_command_prints_them(tmp_path: Path) -> None:
    """`census plan` prints the warnings on standard error, and has them in its JSON."""
    done = census("plan", write_config(tmp_path), "--json")
    assert done.stderr.startswith("warning: if one target in 500 answers") and '"warnings": ["if one' in done.stdout
