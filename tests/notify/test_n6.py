"""CSV for n6: read back by the rules of its manual parser, whose package is on no registry."""

from pipeline.notify import n6
from tests.notify.exposed import edition


def test_lines_split_into_the_columns() -> None:
    """The first line names the columns after `#`; each other line splits at commas, unquoted, into as many values."""
    handed = edition(6)
    head, *lines = n6.write(handed).decode().splitlines()
    columns = head.removeprefix("#").split(",")
    rows = [dict(zip(columns, line.split(","), strict=True)) for line in lines]
    assert head.startswith("#time,ip,") and not any(line.startswith("#") for line in lines)
    assert [(row["ip"], row["dport"], row["time"]) for row in rows] == [
        (each.address, str(each.port), "2026-06-20T04:05:06Z") for each in handed.services
    ]
    assert {(row["category"], row["confidence"], row["restriction"], row["proto"]) for row in rows} == {
        ("exposed", "high", "need-to-know", "tcp")
    }
    assert rows[2]["name"] == "dicom client-certificate tls"
