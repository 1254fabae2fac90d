"""The page of `census doctor` is the table of checks."""

import re

from pipeline.doctor.examine import CHECKS, RATE
from tests.testbed.running import ROOT


def test_every_check_has_a_row() -> None:
    """The page names every check in order, and which of them every sweep makes."""
    rows = re.findall(r"^\| `([^`]+)` \| [^|]+ \| (yes)? ?\|$", (ROOT / "docs" / "doctor.md").read_text(), re.MULTILINE)
    assert rows == [(check.name, "yes" if check.quick else "") for check in (*CHECKS, RATE)]
