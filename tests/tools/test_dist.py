"""`make dist`: the wheel, and beside it what it installs."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tools.locks import pins

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)
def test_the_bill_is_what_the_wheel_installs(tmp_path: Path) -> None:
    """The bill has the locked versions of all extras with licences, nothing of the tests, and no path of this machine.

    The licences are of the same packages; docs/supply.md has those of packages whose metadata name none. That the bill is valid
    CycloneDX is what `make dist` checks; it takes longer.
    """
    out = tmp_path / "dist"
    subprocess.run([ROOT / "tools" / "dist", out, "--no-validate"], check=True, capture_output=True, timeout=500)
    text = (out / "bill-of-materials.cdx.json").read_text("utf-8")
    bill = json.loads(text)
    assert bill["bomFormat"] == "CycloneDX" and bill["metadata"]["component"]["name"] == "dicom-census"
    found = {_name(each["name"]): each["version"] for each in bill["components"]}
    locked = pins("run") | pins("plots") | pins("fleet") | pins("notify")
    assert {"pyarrow", "altair", "prefect"} <= found.keys() and "pytest" not in found
    assert {name: version for name, version in found.items() if locked.get(name, version) != version} == {}
    assert found.keys() - locked.keys() <= {"dicom-census"}
    unnamed = {each["name"] for each in bill["components"] if not each.get("licenses")}
    page = (ROOT / "docs" / "supply.md").read_text("utf-8")
    assert unnamed == set(re.findall(r"^\| `([\w-]+)` \| (?:BSD-3-Clause|MIT) \|", page, re.MULTILINE))
    rows = (out / "licences.md").read_text("utf-8").splitlines()[2:]
    assert {_name(row.split("|")[1].strip()) for row in rows} == found.keys() | {"dicom-census"}
    assert str(tmp_path) not in text and str(ROOT) not in text
    assert len(list(out.glob("*.whl"))) == 1 and len(list(out.iterdir())) == 3


def _name(text: str) -> str:
    return text.lower().replace("_", "-").replace(".", "-")
