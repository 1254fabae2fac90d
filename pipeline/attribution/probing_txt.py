"""The probe description file of RFC 9511 §3, in the format of RFC 9116 §4. Pure: writes and reads its text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

#: Path of the file on the page's host (RFC 9511 §3).
PATH = "/.well-known/probing.txt"
#: Required fields (RFC 9116 §2.5.3, §2.5.5).
REQUIRED = ("Contact", "Expires")
FORMAT = "%Y-%m-%dT%H:%M:%SZ"

Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class ProbingTxt:
    """The contents of the file; `page` and `contact` are a URL and a mail address or URI."""

    page: str
    contact: str
    expires: datetime
    description: str


def origin(page: str) -> str:
    """Scheme and host of a page, at which its well-known paths are."""
    parts = urlsplit(page)
    return f"{parts.scheme}://{parts.netloc}"


def contact_uri(contact: str) -> str:
    """A contact as a URI; a mail address becomes a mailto URI."""
    named = contact.partition(":")[0] in ("mailto", "https", "http", "tel")
    return contact if named or "@" not in contact else f"mailto:{contact}"


def write(contents: ProbingTxt) -> str:
    """The text of the file."""
    lines = {
        "Canonical": origin(contents.page) + PATH,
        "Contact": contact_uri(contents.contact),
        "Expires": contents.expires.astimezone(UTC).strftime(FORMAT),
        "Preferred-Languages": "en",
        "Description": f"{contents.description} Details and opt-out: {contents.page}",
    }
    return "".join(f"{name}: {value}\n" for name, value in lines.items())


def read(text: str) -> Fields:
    """A file's fields by name, in the capitalisation of RFC 9116; comments, signatures and other lines are ignored.

    A line ends at a line feed, with or without a carriage return (RFC 9116 §2.2).
    """
    fields: dict[str, list[str]] = {}
    for line in text.split("\n"):
        name, colon, value = line.partition(":")
        if colon and name and not name.startswith(("#", "-")) and name.replace("-", "").isalnum():
            fields.setdefault("-".join(part.capitalize() for part in name.split("-")), []).append(value.strip())
    return fields


def faults(fields: Fields, now: datetime) -> list[str]:
    """A sentence for each missing field, and one if the file has expired; empty if it is valid."""
    missing = [f"it has no field {name}" for name in REQUIRED if name not in fields]
    for expires in fields.get("Expires", ()):
        try:
            until = datetime.fromisoformat(expires)
        except ValueError:
            return [*missing, f"its field Expires is not a date and time (RFC 3339): {expires[:40]!r}"]
        if until.tzinfo is None or until <= now:
            return [*missing, f"it has expired ({expires}); write it again with `census identity`"]
    return missing
