"""Who publishes a site: the lab's name, the site's address, its contact, the licence of its numbers, and where to opt out."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline.attribution.probing_txt import contact_uri
from pipeline.config.sections import IdentitySection
from pipeline.errors import InputError
from pipeline.publish import licences
from pipeline.untrusted.visible import visible

#: What stands for a lab that gives no name.
NAMELESS = "The laboratory of this census"


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence of data: its SPDX identifier, its name for people, and its text."""

    id: str
    name: str
    url: str


#: The licences that a lab may choose for numbers and charts, by SPDX identifier, with their names.
NAMES = {
    "CC-BY-4.0": "CC BY 4.0",
    "CC-BY-SA-4.0": "CC BY-SA 4.0",
    "CC0-1.0": "CC0 1.0",
    "ODbL-1.0": "ODbL 1.0",
    "ODC-By-1.0": "ODC-By 1.0",
    "PDDL-1.0": "PDDL 1.0",
}
LICENCES = {spdx.lower(): Licence(spdx, name, licences.LICENCES[spdx]) for spdx, name in NAMES.items()}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says of the publisher; an empty text leaves it to `[identity]`."""

    name: str = ""
    url: str = ""
    contact: str = ""
    opt_out: str = ""
    licence: str = "CC-BY-4.0"


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who publishes. `url` is the site's address with a slash at its end, or empty; `opt_out` that of the opt-out page."""

    name: str
    url: str
    contact: str
    opt_out: str
    licence: Licence

    @property
    def contact_uri(self) -> str:
        """The contact as a link; empty without one."""
        return contact_uri(self.contact) if self.contact else ""

    def at(self, path: str) -> str:
        """The whole address of a page or file of the site; its path alone if the site has no address yet."""
        return f"{self.url}{path}" if self.url else path


def publisher(wishes: Wishes, identity: IdentitySection) -> Publisher:
    """The publisher by the command line and, where that says nothing, by `[identity]`. Raises InputError."""
    licence = LICENCES.get(wishes.licence.lower())
    if licence is None:
        raise InputError("--licence", f"{visible(wishes.licence)} is not one of {', '.join(NAMES)}")
    url = _web("--url", wishes.url)
    return Publisher(
        name=_line("--name", wishes.name or identity.authorised_by) or NAMELESS,
        url=f"{url.rstrip('/')}/" if url else "",
        contact=_line("--contact", wishes.contact or identity.contact),
        opt_out=_web("--opt-out", wishes.opt_out or identity.url),
        licence=licence,
    )


def _line(option: str, text: str) -> str:
    """A text on one line. Raises InputError."""
    if text != visible(text):
        raise InputError(option, f"{visible(text)} has characters that nobody sees; write plain text on one line")
    return text.strip()


def _web(option: str, url: str) -> str:
    """The address of a page, or an empty text. Raises InputError."""
    try:
        parts = urlsplit(_line(option, url))
    except ValueError:
        parts = urlsplit("")
    if url and (parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment):
        raise InputError(option, f"{visible(url)} is not an address of a page; write e.g. https://example.org/dicom/")
    return url.strip()
