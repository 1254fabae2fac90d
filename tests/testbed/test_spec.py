from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.outcome import SPEAKS_DICOM
from pipeline.testbed.spec import addresses, load
from pipeline.testbed.truth import truth

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "data/testbed/demo.toml"
HEAD = '[[server]]\nname = "web"\nkind = "http"\n'
PLACEMENT = '[[stand]]\nserver = "web"\nport = 104\naddresses = ["81.2.69.1"]\ncountry = "GB"\noutcome = "not_dicom"\n'


def test_demo_has_its_documented_counts() -> None:
    """The demo has 34 DICOM services on 34 addresses in GB, and DICOM in 13 countries or more."""
    dicom = [row for row in truth(load(DEMO)) if row.outcome in SPEAKS_DICOM and not row.excluded]
    british = [row for row in dicom if row.country == "GB"]
    assert (len(british), len({row.address for row in british})) == (34, 34)
    assert len({row.country for row in dicom}) >= 13


def test_demo_is_inside_its_blocks() -> None:
    """Every simulated address is in a target block, and exactly the excluded addresses are in the excluded block."""
    blocks = [IPv4Network(line.split()[0]) for line in (ROOT / "data/testbed/demo-targets.txt").open()]
    (excluded,) = [IPv4Network(line.split()[0]) for line in (ROOT / "data/testbed/demo-exclude.txt").open()]
    rows = truth(load(DEMO))
    assert all(any(IPv4Address(row.address) in block for block in blocks) for row in rows)
    assert all(row.excluded == (IPv4Address(row.address) in excluded) for row in rows)


def test_ranges_and_blocks_expand(tmp_path: Path) -> None:
    """Single addresses, dashed ranges and CIDR blocks expand in the order given."""
    path = tmp_path / "spec.toml"
    path.write_text(HEAD + PLACEMENT.replace('"81.2.69.1"', '"81.2.69.9", "81.2.69.1-81.2.69.3", "81.2.70.0/31"'))
    (placement,) = load(path).placements
    assert [int(address) & 0x1FF for address in addresses(placement)] == [265, 257, 258, 259, 0, 1]


@pytest.mark.parametrize(
    ("text", "where", "reason"),
    [
        ("[[server]", "", "is not TOML"),
        (
            HEAD.replace("http", "gopher") + PLACEMENT,
            "key server[0].kind",
            '"gopher" is not one of "storescp", "dcmqrscp"',
        ),
        (HEAD.replace("http", "htp") + PLACEMENT, "key server[0].kind", 'did you mean "http"?'),
        (HEAD + PLACEMENT.replace("[[stand]]", "[[stands]]"), "key stands", "is unknown; did you mean stand?"),
        (HEAD + HEAD + PLACEMENT, "key server", "twice: web"),
        (HEAD + PLACEMENT.replace('"web"', '"wob"'), "stand[0].server", "use one of web"),
        (HEAD + PLACEMENT + PLACEMENT, "key stand", "81.2.69.1:104 to two servers"),
        (HEAD + PLACEMENT.replace("69.1", "69.500"), "stand[0].addresses", "500"),
        (HEAD + PLACEMENT.replace("69.1", "69.1-81.2.68.1"), "stand[0].addresses", "ascend"),
        (HEAD + PLACEMENT.replace('outcome = "not_dicom"', ""), "stand[0].outcome", "required"),
        (HEAD + PLACEMENT.replace("not_dicom", "rejected"), "stand[0].rj", "rejection"),
    ],
)
def test_wrong_specification(text: str, where: str, reason: str, tmp_path: Path) -> None:
    """A wrong specification is refused with its file, key and reason."""
    path = tmp_path / "spec.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load(path)
    assert where in caught.value.where and str(path) in caught.value.where
    assert reason in str(caught.value)
