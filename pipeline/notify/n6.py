"""CSV for n6 of CERT Polska: what its manual collector and parser take, whose first line names the columns.

That parser splits each line at commas and knows no quotes (N6DataSources, parsers/manual.py, 4.40.0), so no text that a peer chose
is in it. Category, confidence and restriction are columns, so nobody has to type them at the collector.
"""

from pipeline.notify.edition import Edition, Notifiable

COLUMNS = ("time", "ip", "category", "confidence", "restriction", "name", "proto", "dport", "device_type")


def write(edition: Edition) -> bytes:
    """A line for each service below the columns' names."""
    lines = ["#" + ",".join(COLUMNS), *(",".join(_line(service)) for service in edition.services)]
    return "".join(f"{line}\n" for line in lines).encode()


def _line(service: Notifiable) -> tuple[str, ...]:
    return (
        f"{service.answered_at:%Y-%m-%dT%H:%M:%SZ}", service.address, "exposed", "high", "need-to-know",
        service.tag.replace(";", " "), "tcp", str(service.port), "dicom",
    )  # fmt: skip
