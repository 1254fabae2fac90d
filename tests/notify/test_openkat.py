"""The list of findings in OpenKAT's words."""

import json

from pipeline.notify import openkat
from tests.notify.exposed import edition


def test_a_finding_a_service() -> None:
    """Each finding has the type and the keys of objects that OpenKAT's own plugin makes for a DICOM port."""
    findings = [json.loads(line) for line in openkat.write(edition(3)).splitlines()]
    assert [finding["risk_severity"] for finding in findings] == ["high", "medium", "recommendation"]
    assert findings[0]["ooi"] == "SoftwareInstance|IPPort|internet|20.0.0.1|tcp|104|Software|DICOM||"
    assert findings[0]["primary_key"] == f"Finding|{findings[0]['ooi']}|KAT-DICOM-EXPOSED"
    assert {finding["finding_type"] for finding in findings} == {"KATFindingType|KAT-DICOM-EXPOSED"}
