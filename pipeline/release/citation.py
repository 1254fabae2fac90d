"""Who made a data set and how it is cited: the same facts in every description."""

import re
from dataclasses import dataclass
from datetime import date

from pipeline.config.sections import ReleaseSection
from pipeline.errors import InputError
from pipeline.publish.licences import LICENCES, licence
from pipeline.untrusted.visible import visible

ORCID = re.compile(r"\s*\(?(?:https://orcid\.org/)?(\d{4}-\d{4}-\d{4}-\d{3}[\dX])\)?\s*$")
DOI = re.compile(r"10\.\d{4,9}/\S+")
KEYWORDS = ("DICOM", "Internet measurement", "medical imaging", "security")


@dataclass(frozen=True, slots=True)
class Creator:
    """A person, whose name has a comma, or a body."""

    name: str
    orcid: str = ""

    @property
    def is_person(self) -> bool:
        """Whether it is a person: "Family, Given"."""
        return ", " in self.name

    @property
    def family(self) -> str:
        """The family name of a person."""
        return self.name.partition(", ")[0]

    @property
    def given(self) -> str:
        """The given names of a person."""
        return self.name.partition(", ")[2]


@dataclass(frozen=True, slots=True)
class Citation:
    """Title, makers, publisher, licence (SPDX id), date and identifiers of a data set; `version` is the id of its latest sweep."""

    title: str
    creators: tuple[Creator, ...]
    publisher: str
    licence: str
    issued: date
    version: str
    description: str
    doi: str = ""
    url: str = ""

    @property
    def licence_url(self) -> str:
        """The page that has the text of the licence."""
        return LICENCES[self.licence].url

    @property
    def identifier(self) -> str:
        """Where the data set is: its DOI as a URL, or its page; empty if it has neither."""
        return f"https://doi.org/{self.doi}" if self.doi else self.url

    @property
    def text(self) -> str:
        """One line to cite the data set by."""
        names = "; ".join(creator.name for creator in self.creators)
        parts = [f"{names} ({self.issued:%Y)}: {self.title}", f"version {self.version}", f"{self.publisher} [data set]"]
        return ". ".join(part.rstrip(".") for part in [*parts, self.identifier] if part) + "."


def citation(section: ReleaseSection, *, title: str, description: str, version: str, issued: date) -> Citation:
    """Return the citation by the laboratory's words; `title` stands in for a title of its own. Raises InputError."""
    require_citable(section)
    creators = tuple(map(creator, section.creators))
    return Citation(
        title=section.title or title,
        creators=creators,
        publisher=section.publisher or creators[0].name,
        licence=licence(section.licence).id,
        issued=issued,
        version=version,
        description=description,
        doi=_doi(section),
        url=section.url,
    )


def require_citable(section: ReleaseSection) -> None:
    """Raise InputError if the laboratory has not said who made the data and under which licence, or if its words are wrong."""
    licence(section.licence)
    if not section.creators:
        raise InputError("--creator", 'a data set is cited by its makers; name each, e.g. --creator "Family, Given"')
    for text in section.creators:
        creator(text)
    if _doi(section) and not DOI.fullmatch(_doi(section)):
        raise InputError("--doi", f"{visible(section.doi)} is not a DOI, e.g. 10.5281/zenodo.1234567")


def _doi(section: ReleaseSection) -> str:
    """The DOI without what stands in front of it."""
    return section.doi.removeprefix("https://doi.org/").removeprefix("doi:")


def creator(text: str) -> Creator:
    """Return the creator that a text names, with the ORCID in brackets at its end. Raises InputError for a wrong check digit."""
    match = ORCID.search(text)
    if match is None:
        return Creator(text.strip())
    if _check_digit(match[1]) != match[1][-1]:
        raise InputError("--creator", f"{match[1]} is not an ORCID: its last character is wrong; copy it again")
    return Creator(text[: match.start()].strip(), match[1])


def _check_digit(orcid: str) -> str:
    """The last character that an ORCID must have (ISO 7064, MOD 11-2)."""
    total = 0
    for digit in orcid.replace("-", "")[:-1]:
        total = (total + int(digit)) * 2
    return "0123456789X"[(12 - total % 11) % 11]
