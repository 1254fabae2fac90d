"""Options in place of keys: the plan states them, and what is wrong is named by its option or its key."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.overrides import overrides
from pipeline.errors import InputError
from tests.commands.running import Census, write_config


@pytest.mark.parametrize(
    ("text", "ports"), [("104", [104]), ("104,11112", [104, 11112]), ("4000-4003, 104", [4000, 4001, 4002, 4003, 104])]
)
def test_ports(text: str, ports: list[int]) -> None:
    """Ports are given as to ZMap and nmap: numbers and ranges, with commas."""
    assert overrides(None, text, None) == {"sweep": {"ports": ports}}


@pytest.mark.parametrize(("text", "sample"), [("0.01", 0.01), ("1%", 0.01), ("0.5%", 0.005), ("1", 1), ("1.0", 1.0)])
def test_samples(text: str, sample: float | int) -> None:
    """A share has a point or a percent sign; a whole number counts addresses, as in the configuration."""
    value = overrides(None, None, text)["sweep"]["sample"]
    assert (value, type(value)) == (sample, type(sample))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ((None, "http", None), "--ports: 'http' is not a port"),
        ((None, "1-2-3", None), "--ports: '1-2-3' is not a port"),
        ((None, "", None), "--ports: '' is not a port"),
        ((None, None, "many"), "--sample: 'many' is not a number"),
        ((None, None, "x%"), "--sample: 'x%' is not a number"),
    ],
)
def test_what_is_not_an_option_s_value(options: Any, reason: str) -> None:
    """A text that is no port or sample is refused with its option."""
    with pytest.raises(InputError, match=reason):
        overrides(*options)


def test_a_plan_states_what_the_command_line_gives(tmp_path: Path, census: Census) -> None:
    """`census plan` and `census sweep --dry-run` freeze the options in place of the keys; both print the same, and send nothing."""
    options = (write_config(tmp_path), "--rate", "7", "--ports", "104,2762", "--sample", "10", "--json")
    plan = json.loads(census("plan", *options).stdout)
    assert {key: plan["settings"][key] for key in ("rate", "ports", "sample")} == {
        "rate": 7,
        "ports": [104, 2762],
        "sample": 10,
    }
    assert (plan["targets"], plan["pace"]["asked"]) == (20, 7)
    dry = json.loads(census("sweep", *options, "--dry-run", "--lake", tmp_path / "lake").stdout)
    assert dry["settings"] == plan["settings"] and not (tmp_path / "lake").exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--rate", "0"), "key sweep.rate: 0 is not a whole number from 1"),
        (("--ports", "104,104"), "key sweep.ports: lists a port twice"),
        (("--sample", "257"), "key sweep.sample: gives 257 of 256 addresses"),
    ],
)
def test_options_are_checked_as_keys_are(tmp_path: Path, census: Census, options: tuple[str, str], reason: str) -> None:
    """A value that the key does not take is refused with the key, exit code 2."""
    refused = census("plan", write_config(tmp_path), *options)
    assert refused.returncode == 2 and reason in refused.stderr


def test_a_frozen_plan_is_not_changed(tmp_path: Path, census: Census) -> None:
    """Options for a plan's file are refused."""
    assert census("plan", write_config(tmp_path), "-o", tmp_path / "plan.json").returncode == 0
    refused = census("sweep", tmp_path / "plan.json", "--rate", "5", "--lake", tmp_path / "lake")
    assert refused.returncode == 2 and "is a frozen plan, whose settings cannot be changed" in refused.stderr


@pytest.mark.parametrize("text", ["0", "soon", "-5", "2 weeks", "1e9"])
def test_a_time_that_is_none(tmp_path: Path, census: Census, text: str) -> None:
    """What is not a time is refused with the option."""
    refused = census("sweep", write_config(tmp_path), "--max-runtime", text)
    assert refused.returncode == 2 and "is not a time; write seconds, or e.g. 90m or 2h" in refused.stderr
