"""What one recipient is handed over of a sweep: its services, what was left out of them, and who tells."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb
import numpy as np

from pipeline.notify.lot import waits
from pipeline.outcome import Notice
from pipeline.publish.escape import shown
from pipeline.publish.gather import select
from pipeline.space.ranges import Ranges


@dataclass(frozen=True, slots=True)
class Notifiable:
    """A row of the mart `notifiable`, with every text visible and bounded; what is not known is empty or None."""

    ip: int
    address: str
    port: int
    severity: str
    tag: str
    answered_at: datetime
    country: str
    asn: int | None
    organisation: str
    host_name: str
    sector: str
    vendor: str
    product: str
    product_version: str
    toolkit: str
    toolkit_version: str
    response_size: int | None
    decoy: bool

    @property
    def software(self) -> str:
        """The product that it declares, or else the toolkit."""
        return self.product or self.toolkit

    @property
    def version(self) -> str:
        """The version of what `software` names."""
        return self.product_version if self.product else self.toolkit_version

    @property
    def meaning(self) -> str:
        """What was seen, in a sentence."""
        return MEANINGS[self.severity]


MEANINGS = {
    "high": "A DICOM service accepted the association of an unknown client.",
    "medium": "A DICOM service answered an unknown client and did not let it in.",
    "info": "A service on a DICOM port demands a client certificate (TLS).",
}


@dataclass(frozen=True, slots=True)
class Edition:
    """What is handed over, and how many services were left out for which reason."""

    lab: str
    contact: str
    recipient: str
    scope: str
    sweep: str
    day: date
    services: tuple[Notifiable, ...]
    decoys_left_out: int = 0
    opted_out: int = 0
    waiting: int = 0

    def count(self, severity: str) -> int:
        """How many services have a severity."""
        return sum(service.severity == severity for service in self.services)


@dataclass(frozen=True, slots=True)
class Selection:
    """The services of a recipient, by what became of them."""

    informed: tuple[Notifiable, ...]
    waiting: tuple[Notifiable, ...]
    decoys: int
    opted_out: int

    def notices(self, *, experiment: bool) -> list[tuple[Notifiable, Notice]]:
        """Each service that was considered for the hand-over, with whether the recipient was informed of it."""
        informed = Notice.INFORMED if experiment else Notice.NO_EXPERIMENT
        return [*((each, informed) for each in self.informed), *((each, Notice.WAITING) for each in self.waiting)]


def of_country(con: duckdb.DuckDBPyConnection, sweep: str, country: str) -> list[Notifiable]:
    """The services of a sweep that its country database places in a country, by address and port."""
    return _services(select(con, "FROM notifiable WHERE sweep = ? AND country = ? ORDER BY ip, port", sweep, country))


def of_ranges(con: duckdb.DuckDBPyConnection, sweep: str, ranges: Ranges) -> list[Notifiable]:
    """The services of a sweep in these ranges, by address and port."""
    services = _services(select(con, "FROM notifiable WHERE sweep = ? ORDER BY ip, port", sweep))
    return _in(services, ranges)


def choose(services: Sequence[Notifiable], out: Ranges, key: str | None, *, decoys: bool) -> Selection:
    """Leave out what is opted out, decoys unless they are wanted, and, by the key of an experiment, what the lot makes wait."""
    withheld = {service.ip for service in _in(services, out)}
    allowed = [service for service in services if service.ip not in withheld]
    wanted = [service for service in allowed if decoys or not service.decoy]
    later = {service.ip for service in wanted if key and waits(key, service.ip)}
    return Selection(
        informed=tuple(service for service in wanted if service.ip not in later),
        waiting=tuple(service for service in wanted if service.ip in later),
        decoys=len(allowed) - len(wanted),
        opted_out=len(services) - len(allowed),
    )


def _in(services: Sequence[Notifiable], ranges: Ranges) -> list[Notifiable]:
    inside = ranges.contains(np.array([service.ip for service in services], dtype=np.int64))
    return [service for service, is_inside in zip(services, inside.tolist(), strict=True) if is_inside]


def _services(rows: Sequence[dict[str, Any]]) -> list[Notifiable]:
    return [Notifiable(**{name: _safe(name, row[name]) for name in Notifiable.__slots__}) for row in rows]


#: Columns that are not texts.
NUMBERS = frozenset({"ip", "port", "asn", "response_size", "decoy", "answered_at"})


def _safe(name: str, value: Any) -> Any:
    return value if name in NUMBERS else shown(value or "")
