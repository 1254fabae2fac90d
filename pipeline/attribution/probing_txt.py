"""The probe description file of RFC 9511 §3, in the format of RFC 9116 §4: pure text, written and read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

#: RFC 9511 §3.
PATH = "/.well-known/probing.txt"
#: Fields that no description may lack (RFC 9116 §2.5.3, §2.5.5).
NEEDED = ("Contact", "Expires")
FORMAT = "%Y-%m-%dT%H:%M:%SZ"

Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Described:
    """What a description says of the probes."""

    page: str
    contact: str
    expires: datetime
    description: str


def origin(page: str) -> str:
    """Scheme and host of a page, where its well-known paths stand."""
    parts = urlsplit(page)
    return f"{parts.scheme}://{parts.netloc}"


def contact_uri(contact: str) -> str:
    """A contact as a URI: an address of mail becomes a mailto."""
    named = contact.partition(":")[0] in ("mailto", "https", "http", "tel")
    return contact if named or "@" not in contact else f"mailto:{contact}"


def write(described: Described) -> str:
    """The file's text."""
    lines = {
        "Canonical": origin(described.page) + PATH,
        "Contact": contact_uri(described.contact),
        "Expires": described.expires.astimezone(UTC).strftime(FORMAT),
        "Preferred-Languages": "en",
        "Description": f"{described.description} Details and opt-out: {described.page}",
    }
    return "".join(f"{name}: {value}\n" for name, value in lines.items())


def read(text: str) -> Fields:
    """The fields of a file by name, in the spelling of RFC 9116; comments, signatures and what is no field are left out."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and name and not name.startswith(("#", "-")) and name.replace("-", "").isalnum():
            found.setdefault("-".join(part.capitalize() for part in name.split("-")), []).append(value.strip())
    return found


def faults(fields: Fields, now: datetime) -> list[str]:
    """What a description lacks, or that its time is over; none if it holds."""
    lacking = [f"it has no field {name}" for name in NEEDED if name not in fields]
    for expires in fields.get("Expires", ()):
        try:
            until = datetime.fromisoformat(expires)
        except ValueError:
            return [*lacking, f"its Expires is no date and time (RFC 3339): {expires[:40]!r}"]
        if until.tzinfo is None or until <= now:
            return [*lacking, f"it expired ({expires}); write it again by `census identity`"]
    return lacking
