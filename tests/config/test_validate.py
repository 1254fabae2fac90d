"""Every fault of a configuration is named with its key, what is wrong and what would be right."""

import tomllib
from typing import Any, Literal

import msgspec
import pytest

from pipeline.config.sections import Config
from pipeline.config.validate import faults

GOOD: dict[str, Any] = {"sweep": {"name": "trial", "ports": [104], "seed": 7, "rate": 1000}}

RATE = "a whole number from 1 to 15,000,000"
PORT = "a whole number from 1 to 65,535"
PROFILE = 'one of "associate", "echo", "tls", "capabilities"'
#: A key, a value as TOML has it, and what the key takes instead.
VALUES = (
    ("sweep.seed", "-1", "a whole number from 0 to 9,223,372,036,854,775,807"),
    ("sweep.ports", "[]", f"a list of 1 to 64 values, each {PORT}"),
    ("sweep.rate", "1.5", RATE),
    ("sweep.rate", '"10k"', f"{RATE}; write 10000, without quotes or unit"),
    ("sweep.rate", '"0.5 M"', f"{RATE}; write 500000, without quotes or unit"),
    ("sweep.rate", '"500"', f"{RATE}; write 500, without quotes"),
    ("sweep.shards", "513", "a whole number from 0 to 512"),
    ("sweep.profile", '"move"', PROFILE),
    ("sweep.profile", '"Ecko"', f'{PROFILE}; did you mean "echo"?'),
    ("sweep.sample", "true", "a number or a whole number"),
    ("sweep.name", '"A b"', "a name: 1 to 40 lower-case letters, digits and hyphens, a letter or digit first"),
    (
        "identity.ae_title",
        '"AE TITLE THAT IS LONG"',
        "an AE title: 1 to 16 ASCII characters without a backslash, and no space at either end",
    ),
    ("identity.strict", '"true"', "true or false; write it without quotes"),
    ("identity.url", '"ftp://lab.example/"', "a URL that begins with https:// or http://"),
    ("identity.contact", '"a\\nExpires: never"', "a text on one line, of at most 500 characters"),
    ("identity.resolver", '"dns.example"', 'an address, e.g. "192.0.2.53" or "192.0.2.53:5353"'),
    ("probe.gateway_mac", '"02:00"', 'a hardware address, e.g. "02:00:00:00:00:01"'),
    ("probe.source", "[]", "a text in quotes or a list of 1 to 64 values, each a text in quotes"),
    ("probe.cooldown", "0.1", "a number from 0.5 to 60"),
    ("harm.sample", "0", "a number above 0 to 1"),
    ("alarm.fall", "1", "a number from 0 below 1"),
)
#: A key, a list as TOML has it, and the entry that does not fit, its value, and what an entry takes.
ENTRIES = (
    ("sweep.ports", "[104, 0]", 1, "0", PORT),
    ("sweep.ports", "[65536]", 0, "65536", PORT),
    ("sweep.ports", '["dicom"]', 0, '"dicom"', PORT),
    ("probe.source", "[1]", 0, "1", "a text in quotes"),
    ("control.targets", '["nobody"]', 0, '"nobody"', 'an address and a port, e.g. "192.0.2.7:104"'),
)
#: A key that does not exist, the key or section that is named, and the reason.
UNKNOWN = (
    ("sweep.velocity", "sweep.velocity", "is unknown; there are name, ports, seed, rate, shards, sample, profile"),
    ("sweep.samples", "sweep.samples", "is unknown; did you mean sample?"),
    ("identify.contact", "identify", "is unknown; did you mean identity?"),
)


def having(key: str, value: str) -> dict[str, Any]:
    """The correct file with a key that has this value."""
    section, _, name = key.partition(".")
    return GOOD | {section: GOOD.get(section, {}) | tomllib.loads(f"{name} = {value}")}


@pytest.mark.parametrize(("key", "value", "words"), VALUES)
def test_a_value_that_does_not_fit(key: str, value: str, words: str) -> None:
    """A value that a key does not take is named with what the key takes; no pattern and no library's word is shown."""
    assert list(faults(having(key, value), Config)) == [(key, f"{value} is not {words}")]


@pytest.mark.parametrize(("key", "value", "number", "entry", "words"), ENTRIES)
def test_an_entry_that_does_not_fit(key: str, value: str, number: int, entry: str, words: str) -> None:
    """Of a list the entry is named."""
    assert list(faults(having(key, value), Config)) == [(f"{key}[{number}]", f"{entry} is not {words}")]


@pytest.mark.parametrize(("key", "where", "reason"), UNKNOWN)
def test_a_key_that_does_not_exist(key: str, where: str, reason: str) -> None:
    """An unknown key or section is named with the one that is probably meant, or with all that there are."""
    assert list(faults(having(key, "1"), Config)) == [(where, reason)]


def test_a_correct_file_has_none() -> None:
    """What msgspec takes has no fault."""
    assert list(faults(GOOD, Config)) == []


def test_what_is_missing() -> None:
    """A missing key is named with what it takes, a missing section with its keys."""
    assert list(faults({}, Config)) == [("sweep", "is missing; give a section with the keys name, ports, seed, rate")]
    without = {"sweep": {key: value for key, value in GOOD["sweep"].items() if key != "seed"}}
    assert list(faults(without, Config)) == [
        ("sweep.seed", "is missing; give a whole number from 0 to 9,223,372,036,854,775,807")
    ]


def test_what_is_in_a_wrong_section() -> None:
    """A key outside of its section is sent there, and a section that is not one is refused."""
    assert list(faults(GOOD | {"contact": "a"}, Config)) == [
        ("contact", "is a key of section [identity]; write it below that line")
    ]
    assert list(faults(GOOD | {"loss": 5}, Config)) == [("loss", "5 is not a section")]


class Kinds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What other files have that a configuration has not."""

    triple: tuple[int, int, int] = (0, 0, 0)
    either: Literal["a", "b"] | Literal["c"] = "a"
    by_name: dict[str, int] = {}
    some: list[str] = []
    renamed: int = msgspec.field(name="other", default=0)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("triple = [1, 2]", ("triple", "[1,2] is not a list of 3 values, each a whole number")),
        ('triple = [1, 2, "x"]', ("triple[2]", '"x" is not a whole number')),
        ('either = "d"', ("either", '"d" is not one of "a", "b", "c"')),
        ('by_name = { one = "x" }', ("by_name.one", '"x" is not a whole number')),
        ("some = [1]", ("some[0]", "1 is not a text in quotes")),
        ("renamed = 1", ("renamed", "is unknown; there are triple, either, by_name, some, other")),
    ],
)
def test_what_other_files_have(text: str, fault: tuple[str, str]) -> None:
    """Testbeds and rule files have lists of a fixed length, literals, tables of any keys and renamed fields."""
    assert list(faults(tomllib.loads(text), Kinds)) == [fault]
