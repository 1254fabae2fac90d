"""The data and the programs that a sweep rests on: reference databases and their age, DuckDB, Prefect."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pipeline import checkout
from pipeline.doctor.finding import Finding, Subject, ok, warning
from pipeline.enrich import geo
from pipeline.publish.data import FRESH_DAYS

LIBRARIES = ("duckdb", "pyarrow", "pyzmq", "pynetdicom", "maxminddb")


def programs(_: Subject) -> Iterator[Finding]:
    """Name the program and the libraries whose versions matter."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    yield ok(f"dicom-census {checkout.code()}; {libraries}")
    try:
        yield ok(f"Prefect {version('prefect')}")
    except PackageNotFoundError:
        yield ok("Prefect is not installed: one machine needs none, and a fleet installs dicom-census[fleet]")


def countries(subject: Subject) -> Iterator[Finding]:
    """State the age of the country database."""
    named = subject.plan.reference.country if subject.plan else ""
    database = geo.load(Path(named) if named else None)
    age = (datetime.now(UTC).date() - database.build_date).days
    text = f"countries by {database.name}, built {database.build_date}, {age} days ago"
    if age > FRESH_DAYS:
        yield warning(text, "`census refresh` takes a newer one; addresses move between countries")
    else:
        yield ok(text)


def networks(subject: Subject) -> Iterator[Finding]:
    """Look whether the sweep has a network database."""
    if subject.plan is None:
        return
    if subject.plan.reference.asn_source:
        yield ok(f"networks by {subject.plan.reference.asn_source}")
    else:
        yield warning("no network database: no counts per network, and no cap on one", "name an mmdb in [geo] asn")
