"""Addresses to networks: which autonomous system announces an address, by an mmdb that the user names."""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import maxminddb
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError

Network = tuple[int | None, str | None]

#: Keys that databases use, in the order in which they are tried.
NUMBER_KEYS = ("autonomous_system_number", "asn", "as_number")
HOLDER_KEYS = ("autonomous_system_organization", "as_name", "name", "organization", "org")


@dataclass(frozen=True, slots=True)
class Networks:
    """A network database, and which build it is."""

    reader: maxminddb.Reader
    source: str

    def lookup(self, ips: NDArray[np.uint32]) -> tuple[list[int | None], list[str | None]]:
        """Number and holder of each address's autonomous system; None where the database has none."""
        found = [network_of(self.reader.get(IPv4Address(ip))) for ip in ips.tolist()]
        return [number for number, _ in found], [holder for _, holder in found]


def load(path: Path) -> Networks:
    """Open a network database. Raises InputError."""
    try:
        reader = maxminddb.open_database(path)
        digest = sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror or error}") from None
    except maxminddb.InvalidDatabaseError as error:
        raise InputError(str(path), f"is not an mmdb: {error}") from None
    metadata = reader.metadata()
    built = datetime.fromtimestamp(metadata.build_epoch, UTC).date()
    return Networks(reader, f"{metadata.database_type}, built {built.isoformat()}, sha256 {digest}")


def network_of(record: Any) -> Network:
    """Number and holder in a record of any of the known shapes."""
    if not isinstance(record, dict):
        return None, None
    number = next((record[key] for key in NUMBER_KEYS if record.get(key)), None)
    holder = next((record[key] for key in HOLDER_KEYS if record.get(key)), None)
    return _number(number), str(holder) if holder else None


def _number(value: Any) -> int | None:
    """An AS number, also when it is written `AS786` or `"786"`."""
    text = str(value).upper().removeprefix("AS") if value is not None else ""
    return int(text) if text.isascii() and text.isdigit() and int(text) < 1 << 32 else None
