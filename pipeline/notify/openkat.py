"""A list of findings in the words of OpenKAT: a JSON line for each, with the objects that its plugin `kat_dicom` makes.

Finding type and keys of objects as minvws/nl-kat-coordination has them (2025-11); OpenKAT knows neither rejection nor
client certificates, so `risk_severity` and `description` say what was seen. For the owner of ranges who keeps findings there, or
as the list of an audit.
"""

import json

from pipeline.notify.edition import Edition, Notifiable

FINDING_TYPE = "KAT-DICOM-EXPOSED"
#: OpenKAT's levels for ours.
RISK = {"high": "high", "medium": "medium", "info": "recommendation"}


def write(edition: Edition) -> bytes:
    """A finding for each service."""
    return "".join(json.dumps(_finding(edition, service)) + "\n" for service in edition.services).encode()


def _finding(edition: Edition, service: Notifiable) -> dict[str, object]:
    port = f"IPPort|internet|{service.address}|tcp|{service.port}"
    instance = f"SoftwareInstance|{port}|Software|DICOM||"
    return {
        "object_type": "Finding",
        "primary_key": f"Finding|{instance}|{FINDING_TYPE}",
        "finding_type": f"KATFindingType|{FINDING_TYPE}",
        "ooi": instance,
        "description": service.meaning,
        "proof": f"{service.tag}, {service.answered_at:%Y-%m-%dT%H:%M:%SZ}, sweep {edition.sweep}",
        "risk_severity": RISK[service.severity],
    }
