"""Metrics for Prometheus, scraped as Prometheus does."""

import re
import subprocess
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.errors import InputError
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.status import metrics
from pipeline.status.snapshot import STATES
from tests.status.test_snapshot import PLAN, note, paths, receipt, take_and_die
from tests.testbed.running import CENSUS, ROOT

__all__ = ["paths"]


def scrape(address: str) -> dict[str, dict[str, float]]:
    """Scrape metric → label (empty without one) → value; every sample is of this sweep."""
    with urllib.request.urlopen(address, timeout=30) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    values: dict[str, dict[str, float]] = {}
    for family in families:
        for sample in family.samples:
            labels = dict(sample.labels)
            assert labels.pop("sweep") == PLAN.sweep
            values.setdefault(sample.name, {})["".join(labels.values())] = sample.value
    return values


def test_what_is_scraped_is_what_is(paths: SweepPaths) -> None:
    """Counts, state, leases and funnel are those of the lake at the time of the scrape."""
    with metrics.served(Sweep(PLAN, paths), "0") as address:
        assert scrape(address)["census_state"]["begun"] == 1
        note(paths, running=True)
        take_and_die(paths, "001-000000")
        receipt(paths, "000-000000", probes_sent=1000, responses=7)
        values = scrape(address)
    assert values["census_probes_sent_total"] == {"": 1000}
    assert values["census_responses_total"] == {"": 7}
    assert values["census_leases"] == {"alive": 0, "dead": 1}
    assert values["census_state"] == {name: float(name == "running") for name in STATES}
    assert values["census_funnel_targets"]["echoes"] == 3
    assert address.startswith("http://127.0.0.1:")


def test_the_command_serves_them(paths: SweepPaths) -> None:
    """`census status --metrics` serves on loopback until it is ended."""
    command = [*CENSUS, "status", str(paths.lake), "--metrics", "0"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as serving:
        line = serving.stderr.readline() if serving.stderr else ""
        assert scrape(line.split()[-1])["census_targets"] == {"": PLAN.targets}
        serving.terminate()
        assert serving.wait(20) == 130


@pytest.mark.parametrize("where", ["x", "70000", "192.0.2.1:0"])
def test_an_address_that_cannot_be_bound_is_wrong_input(paths: SweepPaths, where: str) -> None:
    """A value that is not a port, or not an address of this machine, is refused with the option's name."""
    with pytest.raises(InputError, match="--metrics"), metrics.served(Sweep(PLAN, paths), where):
        pass


def test_the_page_lists_every_metric() -> None:
    """docs/fleet.md lists each metric with its meaning, and no other."""
    page = (ROOT / "docs" / "fleet.md").read_text("utf-8")
    listed = dict(re.findall(r"^\| `(census_\w+)(?:\{\w+\})?` \| (.+) \|$", page, re.MULTILINE))
    assert listed == {m.name + "_total" * m.counter: m.help for m in metrics.METRICS}
