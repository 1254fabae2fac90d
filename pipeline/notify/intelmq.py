"""IntelMQ events, a line each: what its JSON parser bot takes with `splitlines`.

Fields by the harmonization of IntelMQ 3.5 (2025-11), which added `severity` and `product.*`; earlier versions of 3.x refuse them.
Classification by the Reference Security Incident Taxonomy (RSIT).
"""

import json

from pipeline.notify.edition import Edition, Notifiable

CONSTANT = {
    "__type": "Event",
    "feed.name": "DICOM census",
    "classification.taxonomy": "vulnerable",
    "classification.type": "potentially-unwanted-accessible",
    "protocol.transport": "tcp",
    "protocol.application": "dicom",
    "tlp": "AMBER",
}


def write(edition: Edition) -> bytes:
    """An event for each service."""
    events = ({**CONSTANT, **_event(edition, service)} for service in edition.services)
    return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events).encode()


def _event(edition: Edition, service: Notifiable) -> dict[str, object]:
    known = {
        "feed.provider": edition.lab,
        "time.source": f"{service.answered_at:%Y-%m-%dT%H:%M:%S+00:00}",
        "source.ip": service.address,
        "source.port": service.port,
        "source.asn": service.asn or None,
        "source.as_name": service.organisation,
        "source.geolocation.cc": service.country,
        "source.reverse_dns": service.host_name,
        "classification.identifier": "open-dicom" if service.severity == "high" else "accessible-dicom",
        "event_description.text": service.meaning,
        "severity": service.severity,
        "product.vendor": service.vendor,
        "product.name": service.software,
        "product.version": service.version,
        "extra.tag": service.tag,
        "extra.sweep": edition.sweep,
    }
    return {key: value for key, value in known.items() if value not in ("", None)}
