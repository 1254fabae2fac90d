"""Every configuration that a page shows can be planned as it is shown."""

import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from pipeline.config.sections import Config
from pipeline.sweep import freeze
from tests.owner import signed_list, terms

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "data").rglob("*.md"))]
SECTIONS = set(Config.__struct_fields__)
#: What an example of a few keys leaves out.
NEEDED = {"name": '"x"', "ports": "[104]", "seed": "1", "rate": "100"}


def examples() -> list[tuple[str, str]]:
    """Every configuration on a page, whole or a part, with the page's name."""
    blocks = (
        (page.name, block)
        for page in PAGES
        for block in re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    )
    return [(name, block) for name, block in blocks if tomllib.loads(block).keys() & SECTIONS]


def completed(block: str) -> str:
    """An example with the keys that every configuration needs."""
    data = tomllib.loads(block)
    missing = "".join(f"{key} = {value}\n" for key, value in NEEDED.items() if key not in data.get("sweep", {}))
    text = block.replace("[sweep]\n", f"[sweep]\n{missing}") if "sweep" in data else f"[sweep]\n{missing}{block}"
    return text if {"targets", "own"} & data.keys() else f'{text}\n[targets]\ninclude = ["20.0.0.0/24"]\n'


def database(path: Path, record: dict[str, object]) -> None:
    """An mmdb with a record for some British addresses, which overlap between countries and networks."""
    writer = MMDBWriter(ip_version=4, database_type="made-up")
    writer.insert_network(IPSet(["193.62.0.0/20"]), record)
    writer.to_db_file(str(path))


@pytest.mark.parametrize(("page", "block"), examples(), ids=[page for page, _ in examples()])
def test_an_example_is_planned(page: str, block: str, tmp_path: Path) -> None:
    """With the files that it names, the example gives a plan with targets."""
    (tmp_path / "exclude.txt").write_text("193.62.0.0/28\n")
    (tmp_path / "targets.txt").write_text("193.62.1.0/24\n")
    database(tmp_path / "country.mmdb", {"country": {"iso_code": "GB"}})
    database(tmp_path / "asn.mmdb", {"asn": 786, "name": "Jisc"})
    config = tomllib.loads(completed(block))
    owner, contact = config.get("own", {}).get("owner", ""), config.get("identity", {}).get("contact", "a@example.org")
    signed_list(tmp_path, "193.62.0.0/28\n", terms(owner, auditor=contact))
    identity = "" if "identity" in config else '\n[identity]\ncontact = "a@example.org"\n'
    (tmp_path / "sweep.toml").write_text(completed(block) + identity)
    plan = freeze.freeze(tmp_path / "sweep.toml", tmp_path / "lake")
    assert plan.targets


def test_there_are_examples() -> None:
    """The page of the configuration shows one, in which a network lies in a country that is named too."""
    (first, *_) = [block for page, block in examples() if page == "configuration.md"]
    assert tomllib.loads(first)["targets"]["include"] == ["country:GB", "asn:786"]
    assert msgspec.convert(tomllib.loads(first), Config).identity.strict
