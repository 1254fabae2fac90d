"""CSV in the columns of Shadowserver's report `scan_ics`, the nearest of its types: it has none for DICOM.

Columns by The-Shadowserver-Foundation/report_schema, reports.json (2026-03-24). Parsers take them in any order, and times in UTC
without a zone. `raw_response` stays empty: the reply itself may name persons or systems.
"""

import csv
import io

from pipeline.notify.edition import Edition, Notifiable
from pipeline.publish.escape import csv_cell

COLUMNS = (
    "timestamp", "severity", "ip", "protocol", "port", "hostname", "tag", "asn", "geo", "region", "city", "naics",
    "hostname_source", "sector", "device_vendor", "device_type", "device_model", "device_version", "device_sector",
    "device_id", "response_size", "raw_response",
)  # fmt: skip


def write(edition: Edition) -> bytes:
    """A row for each service; cells that a spreadsheet would run are made text."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, restval="", lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    for service in edition.services:
        writer.writerow({key: csv_cell(value) for key, value in _row(service).items() if value is not None})
    return stream.getvalue().encode()


def _row(service: Notifiable) -> dict[str, object]:
    return {
        "timestamp": f"{service.answered_at:%Y-%m-%d %H:%M:%S}",
        "severity": service.severity,
        "ip": service.address,
        "protocol": "tcp",
        "port": service.port,
        "hostname": service.host_name,
        "tag": service.tag,
        "asn": service.asn,
        "geo": service.country,
        "hostname_source": "ptr" if service.host_name else "",
        "sector": service.sector,
        "device_vendor": service.vendor,
        "device_type": "dicom",
        "device_model": service.software,
        "device_version": service.version,
        "device_sector": "medical",
        "response_size": service.response_size,
    }
