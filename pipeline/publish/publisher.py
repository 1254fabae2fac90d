"""Who publishes a report or a site: the lab's name, the address, its contact, the licence of the numbers, and where to opt out."""

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from pipeline.attribution.probing_txt import contact_uri
from pipeline.config.sections import IdentitySection, ReleaseSection
from pipeline.errors import InputError
from pipeline.publish import licences
from pipeline.publish.chart import Credit
from pipeline.publish.data import Facts
from pipeline.publish.licences import Licence
from pipeline.publish.sentences import simulated
from pipeline.untrusted.visible import visible

#: What stands for a lab that gives no name.
NAMELESS = "The laboratory of this census"


#: What stands for a licence where none is named, and the sentence of a page there.
NO_LICENCE = Licence("", "", "")
UNLICENSED = (
    "No licence is named for the numbers and figures: ask the publisher before you reuse more than a quotation."
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says of the publisher; an empty text leaves it to `[identity]`, an empty licence names none."""

    name: str = ""
    url: str = ""
    contact: str = ""
    opt_out: str = ""
    licence: str = ""

    def completed(self, section: ReleaseSection) -> "Wishes":
        """The same, with name and licence of `[release]` where the command line has none."""
        return replace(self, name=self.name or section.publisher, licence=self.licence or section.licence)


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who publishes. `url` is the site's address with a slash at its end, or empty; `opt_out` that of the opt-out page."""

    name: str = NAMELESS
    url: str = ""
    contact: str = ""
    opt_out: str = ""
    licence: Licence = NO_LICENCE

    @property
    def contact_uri(self) -> str:
        """The contact as a link; empty without one."""
        return contact_uri(self.contact) if self.contact else ""

    def at(self, path: str) -> str:
        """The whole address of a page or file of the site; its path alone if the site has no address yet."""
        return f"{self.url}{path}" if self.url else path

    def credit(self, facts: Facts, address: str = "") -> Credit:
        """What a chart of a sweep says of itself; `address` is where it is."""
        source = f"{self.name}, DICOM census, sweep of {facts.started:%Y-%m-%d}"
        return Credit(source, self.licence.name, address, simulated(facts))

    def citation(self, facts: Facts, title: str, permalink: str = "") -> str:
        """How to cite a page about a sweep."""
        where = [self.at(permalink)] if self.url else []
        licence = [self.licence.name] if self.licence.name else []
        sweep = f"DICOM census, sweep {facts.sweep} of {facts.started:%Y-%m-%d}, plan {str(facts.about['plan_digest'])[:12]}"
        return ". ".join([f"{self.name} ({facts.started:%Y})", title, sweep, *where, *licence]) + "."


def publisher(wishes: Wishes, identity: IdentitySection) -> Publisher:
    """The publisher by the command line and, where that says nothing, by `[identity]`. Raises InputError."""
    url = _web("--url", wishes.url)
    return Publisher(
        name=_line("--name", wishes.name or identity.authorised_by) or NAMELESS,
        url=f"{url.rstrip('/')}/" if url else "",
        contact=_line("--contact", wishes.contact or identity.contact),
        opt_out=_web("--opt-out", wishes.opt_out or identity.url),
        licence=licences.licence(wishes.licence) if wishes.licence else NO_LICENCE,
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
