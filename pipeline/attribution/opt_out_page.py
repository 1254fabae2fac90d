"""The opt-out page: it shows scanned networks who scans, what is sent, what is kept, and how to opt out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.attribution.probing_txt import contact_uri

TEMPLATE = "opt_out_page.html.j2"
PROFILES = {
    "associate": "one association request; we release or abort the association at once",
    "echo": "one association request and, if it is accepted, one C-ECHO (the ping of DICOM); then we release the association",
    "tls": "one association request, through TLS on a TLS port, which we release at once; if your answer is a reset or TLS, a "
    "second connection sends the request through TLS",
    "capabilities": "one association request that proposes several services, to see which would be accepted; only to ranges "
    "whose owner has signed for it",
}


@dataclass(frozen=True, slots=True)
class OptOutPage:
    """The contents of the page; all strings are escaped."""

    contact: str
    url: str
    authorised_by: str
    ae_title: str
    sources: Sequence[str]
    ports: Sequence[int]
    profile: str
    harm_checks: bool = False
    companions: Sequence[int] = ()
    companions_when: str = ""


def html(page: OptOutPage) -> str:
    """Render the page, self-contained."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(
        page=page, contact=contact_uri(page.contact), exchange=PROFILES[page.profile]
    )
