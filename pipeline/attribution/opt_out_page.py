"""The page that tells the measured who measures, what is sent, what is kept, and how to opt out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.attribution.probing_txt import contact_uri

TEMPLATE = "page.html.j2"
PROFILES = {
    "associate": "one association request, which we release or abort at once",
    "echo": "one association request and, if it is accepted, one C-ECHO, the ping of DICOM; then we release it",
    "tls": "one association request, inside of TLS where the port or your answer asks for TLS; then we release it",
    "capabilities": "one association request that asks which services would be accepted; only to ranges whose owner signed for it",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What the page tells; all strings are escaped."""

    contact: str
    url: str
    authorised_by: str
    ae_title: str
    sources: Sequence[str]
    ports: Sequence[int]
    profile: str


def html(told: Told) -> str:
    """One self-contained page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(
        told=told, contact=contact_uri(told.contact), asked=PROFILES[told.profile]
    )
