"""The configuration: errors name file, key and reason."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from pipeline.config.load import load_config
from pipeline.config.sections import Config
from pipeline.errors import InputError

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
GOOD = """
[sweep]
name = "trial"
ports = [104, 11112]
seed = 7
rate = 1000
sample = 0.5
[targets]
include = ["20.0.0.0/24"]
[identity]
ae_title = "CENSUS"
"""

#: Every key of the first version.
FIRST = """
[sweep]
name = "first"
ports = [104]
seed = 1
rate = 10
shards = 2
sample = 1.0
profile = "echo"
[targets]
include = ["20.0.0.0/24"]
include_files = []
exclude = ["20.0.0.0/26"]
exclude_files = []
[identity]
ae_title = "CENSUS"
contact = "census@example.org"
url = "https://census.example.org/"
authorised_by = "its owner"
[probe]
interface = "eth0"
source = "20.1.0.1"
gateway_mac = "02:00:00:00:00:01"
engine = "ring"
cooldown = 2.0
[lake]
url = "lake"
[geo]
country = "country.mmdb"
asn = "asn.mmdb"
"""

#: Text of the good file, its replacement, the key that the error names, and words of its reason.
FAULTS = (
    ("11112]", "104]", "sweep.ports", "twice"),
    ('["20.0.0.0/24"]', "[]", "targets.include", "is empty"),
    ("sample = 0.5", "sample = 0", "sweep.sample", "share"),
    ("sample = 0.5", "sample = 1.01", "sweep.sample", "share"),
    ("sample = 0.5", "sample = -5", "sweep.sample", "share"),
    ("sample = 0.5", "sample = inf", "sweep.sample", "share"),
    ('"CENSUS"', '"CENSUS"\n[harm]\n[probe]\nengine = "connect"', "harm", "SYNs without a connection"),
    (
        '"CENSUS"',
        '"CENSUS"\n[control]\ntargets = ["20.1.0.1:104"]\n[probe]\nengine = "connect"',
        "control.targets",
        "SYNs without a connection",
    ),
    ('"CENSUS"', '"CENSUS"\n[control]\nport = 104', "control.port", "is a port of the sweep"),
    (
        '"CENSUS"',
        '"CENSUS"\n[companions]\nports = [80]\n[control]\nport = 80',
        "control.port",
        "is a port of the sweep",
    ),
    ('"CENSUS"', '"CENSUS"\n[companions]\nports = [80, 443, 80]', "companions.ports", "lists a port twice"),
    ('"CENSUS"', '"CENSUS"\n[companions]\nports = [80, 104]', "companions.ports", "104 is a port of the sweep"),
    (
        '"CENSUS"',
        '"CENSUS"\n[companions]\nports = [80]\n[probe]\nengine = "connect"',
        "companions.ports",
        "SYNs without a connection",
    ),
    ('"CENSUS"', '"CENSUS"\n[caps]\nper_network_hour = 9', "caps.per_network_hour", "needs a network database"),
    ('24"]', '24"]\nfocus = { name = "w", sample = 0.1 }', "sweep.sample", "is for sweeps without a focus"),
    (
        "0.5\n[targets]",
        '1\n[targets]\nfocus = { name = "w", sample = 0.1 }',
        "sweep.sample",
        "is for sweeps without a focus",
    ),
    (
        "0.5\n[targets]",
        '1.0\n[targets]\nfocus = { name = "w", sample = 0.0 }',
        "targets.focus.sample",
        "a number above 0 to 1",
    ),
    (
        "0.5\n[targets]",
        '1.0\n[targets]\nfocus = { name = "w", sample = 1.5 }',
        "targets.focus.sample",
        "a number above 0 to 1",
    ),
    ("0.5\n[targets]", '1.0\n[targets]\nfocus = { name = "w" }', "targets.focus.sample", "is missing"),
    ('"CENSUS"', '"CENSUS"\n[visibility]\nvantages = ["one"]', "visibility.vantages", "2 to 64"),
    (
        '"CENSUS"',
        '"CENSUS"\n[visibility]\nvantages = ["one", "two", "one"]',
        "visibility.vantages",
        "names a vantage twice",
    ),
    (
        "0.5\n[targets]",
        '1.0\n[visibility]\nvantages = ["one", "two"]\n[targets]\nfocus = { name = "w", sample = 0.1 }',
        "visibility",
        "is for sweeps without a focus",
    ),
    (
        '"CENSUS"',
        '"CENSUS"\n[visibility]\nvantages = ["a", "b", "c"]\n[caps]\nper_slash24_hour = 2',
        "caps.per_slash24_hour",
        "cannot be divided among 3 vantages",
    ),
    (
        "0.5\n[targets]",
        '1.0\n[targets]\nfocus = { name = "w", sample = 0.1, sweeps = 0 }',
        "targets.focus.sweeps",
        "from 1 to 100",
    ),
)


def test_good(tmp_path: Path) -> None:
    """A correct file is read, and keys that it leaves out have their defaults."""
    path = tmp_path / "census.toml"
    path.write_text(GOOD)
    config = load_config(path)
    assert (config.sweep.ports, config.sweep.sample, config.sweep.shards) == ((104, 11112), 0.5, 0)
    assert (config.sweep.profile, config.identity.contact, config.lake.url) == ("associate", "", "lake")


@pytest.mark.parametrize(("old", "new", "key", "words"), FAULTS)
def test_faults(tmp_path: Path, old: str, new: str, key: str, words: str) -> None:
    """Each fault is refused with the file, the key and the reason."""
    path = tmp_path / "census.toml"
    assert GOOD.count(old) == 1
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(InputError) as caught:
        load_config(path)
    assert caught.value.where == f"{path}, key {key}"
    assert words in caught.value.reason


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    """A file with several faults is refused with all of them, a line each, with their keys."""
    path = tmp_path / "census.toml"
    path.write_text(GOOD.replace("rate = 1000", 'rate = "10k"\nprofil = "echo"').replace("seed = 7", "seed = -1"))
    with pytest.raises(InputError) as caught:
        load_config(path)
    assert str(caught.value).split("\n") == [
        f"{path}: has 3 faults:",
        "  key sweep.profil: is unknown; did you mean profile?",
        '  key sweep.rate: "10k" is not a whole number from 1 to 15,000,000; write 10000, without quotes or unit',
        "  key sweep.seed: -1 is not a whole number from 0 to 9,223,372,036,854,775,807",
    ]
    path.write_text(GOOD.replace("11112]", "104]").replace("0.5", "0.0"))
    with pytest.raises(InputError, match=r"has 2 faults:\n  key sweep.ports: lists.*\n  key sweep.sample: must be"):
        load_config(path)


def test_the_command_line_overrides_keys(tmp_path: Path) -> None:
    """Keys that are given replace those of the file, are checked like them, and add sections that the file lacks."""
    path = tmp_path / "census.toml"
    path.write_text(GOOD)
    config = load_config(path, {"sweep": {"rate": 5, "ports": [2762]}, "lake": {"url": "other"}})
    assert (config.sweep.rate, config.sweep.ports, config.sweep.seed, config.lake.url) == (5, (2762,), 7, "other")
    with pytest.raises(InputError, match=r"key sweep\.rate: 0 is not a whole number from 1"):
        load_config(path, {"sweep": {"rate": 0}})


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    """A file that an editor on Windows saved, with a byte order mark and its ends of lines, is read."""
    path = tmp_path / "census.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_config(path).sweep.name == "trial"


def test_connect_sends_no_extra_probes(tmp_path: Path) -> None:
    """With the kernel's TCP no second or control SYN is sent, whatever the file says."""
    path = tmp_path / "census.toml"
    path.write_text(GOOD + '[probe]\nengine = "connect"\n[loss]\nsample = 0.5\n')
    config = load_config(path)
    assert (config.loss.sample, config.control.sample) == (0, 0)


@pytest.mark.parametrize("data", [b"[sweep", b"\xff\xfe", b"a = 1\na = 2"])
def test_not_toml(tmp_path: Path, data: bytes) -> None:
    """A file that is not TOML is refused by name."""
    path = tmp_path / "census.toml"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"census\.toml: is not TOML"):
        load_config(path)


def test_missing_file(tmp_path: Path) -> None:
    """A missing file is refused by name."""
    with pytest.raises(InputError, match=r"absent\.toml: cannot be read: No such file"):
        load_config(tmp_path / "absent.toml")


@pytest.mark.parametrize("sample", ["1", "1.0", "1000000", "0.000001"])
def test_good_samples(tmp_path: Path, sample: str) -> None:
    """A sample is a share up to one or a whole number of addresses; 1 is one address and 1.0 is all."""
    path = tmp_path / "census.toml"
    path.write_text(GOOD.replace("0.5", sample))
    value = load_config(path).sweep.sample
    assert isinstance(value, float if "." in sample else int)
    assert value == float(sample)


def _keys() -> dict[str, str]:
    """Every key of a configuration, with its default as TOML has it."""
    return dict(_keys_of(Config, ""))


def _keys_of(section: type[msgspec.Struct], prefix: str) -> Iterator[tuple[str, str]]:
    for field in msgspec.structs.fields(section):
        kinds = [kind for kind in (field.type, *get_args(field.type)) if hasattr(kind, "__struct_fields__")]
        if kinds:
            yield from _keys_of(kinds[0], f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}", "needed" if field.required else f"`{json.dumps(field.default)}`"


def test_the_page_lists_every_key() -> None:
    """docs/configuration.md has each key of each section with its default, and no other."""
    listed: dict[str, str] = {}
    section = ""
    for line in PAGE.read_text("utf-8").splitlines():
        if heading := re.match(r"###? `\[([\w.]+)\]`", line):
            section = heading[1]
        if row := re.match(r"\| `([\w.]+)` \| (.*?) \| .+ \|$", line):
            listed[row[1] if "." in row[1] else f"{section}.{row[1]}"] = row[2]
    assert listed == _keys()


def test_the_page_shows_a_correct_file(tmp_path: Path) -> None:
    """The example on the page is a configuration."""
    example = re.search(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert example and tomllib.loads(example[1])
    (tmp_path / "c.toml").write_text(example[1])
    assert load_config(tmp_path / "c.toml").identity.strict


def test_the_first_configuration_is_read(tmp_path: Path) -> None:
    """No key was ever removed or renamed: a file of the first version is read, and later keys have their defaults."""
    path = tmp_path / "first.toml"
    path.write_text(FIRST)
    first, read = tomllib.loads(FIRST), json.loads(msgspec.json.encode(load_config(path)))
    for section, keys in first.items():
        assert {key: read[section][key] for key in keys} == keys
    assert read["harm"] is None and read["probe"]["senders"] == 1
