"""CSV in Shadowserver's columns, read back by IntelMQ's own parser of their reports."""

import csv
import io

from pipeline.notify import formats, shadowserver
from pipeline.notify.address_book import Format
from tests.notify import receivers
from tests.notify.exposed import edition


def test_columns_are_those_of_scan_ics() -> None:
    """The header has the 22 columns of the report type, and no cell is run by a spreadsheet."""
    rows = list(csv.DictReader(io.StringIO(shadowserver.write(edition()).decode())))
    assert len(rows) == 2 and len(shadowserver.COLUMNS) == 22 and list(rows[0]) == list(shadowserver.COLUMNS)
    assert rows[0]["device_model"] == "'=Product" and rows[0]["raw_response"] == ""
    assert (rows[1]["device_model"], rows[1]["device_version"], rows[1]["asn"]) == ("Kit", "3", "")


def test_intelmq_reads_each_row() -> None:
    """IntelMQ's parser for Shadowserver finds the type in the file's name, and reads every service as it was handed over."""
    handed = edition(6)
    files = dict(formats.files(handed, [Format.SHADOWSERVER]))
    (name,) = (name for name in files if name.endswith(".csv"))
    assert name == "2026-06-20-scan_dicom-cert-gb-gb.csv"
    events = receivers.parse("shadowserver", files[name], name)
    keys = ("source.ip", "source.port", "severity", "time.source", "source.geolocation.cc", "extra.tag")
    assert [tuple(event[key] for key in keys) for event in events] == [
        (each.address, each.port, each.severity, "2026-06-20T04:05:06+00:00", "GB", each.tag)
        for each in handed.services
    ]
    assert [event.get("source.asn") for event in events] == [each.asn for each in handed.services]
    assert events[0]["source.reverse_dns"] == "pacs.trust.example" and events[0]["product.vendor"] == "vendor"
