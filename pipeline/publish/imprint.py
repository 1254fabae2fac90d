"""The end of a report: on which sources it stands, how to cite it, and what its licence is."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from pipeline.config.sections import IdentitySection
from pipeline.errors import CensusError
from pipeline.lake import layout
from pipeline.lake.layout import SweepPaths
from pipeline.publish.data import Facts
from pipeline.publish.publisher import UNLICENSED, Publisher, Wishes, publisher
from pipeline.publish.sentences import headline

SOURCES, CITE = "Sources", "Cite and reuse"


@dataclass(frozen=True, slots=True)
class Imprint:
    """Who publishes a report, and which proof its numbers stand on."""

    publisher: Publisher = field(default_factory=Publisher)
    proof: str = ""


def imprint(paths: SweepPaths, wishes: Wishes, proof: str = "") -> Imprint:
    """The imprint by the laboratory's wishes and, where these say nothing, by the plan of the sweep. Raises InputError."""
    return Imprint(publisher(wishes, identity(paths)), proof)


def identity(paths: SweepPaths) -> IdentitySection:
    """Who the plan of a sweep says is sweeping; nobody if an earlier version wrote the plan, or if it is damaged."""
    with suppress(CensusError):
        return layout.read_plan(paths.plan).identity
    return IdentitySection()


@dataclass(frozen=True, slots=True)
class NamedSource:
    """What a report is made of: a text, which is foreign if a configuration or a database wrote part of it, and its page."""

    text: str
    url: str = ""
    foreign: bool = False


def sources(facts: Facts) -> Iterator[NamedSource]:
    """Yield what the numbers, the places and the words come from."""
    yield NamedSource(f"Own measurement: sweep {facts.sweep}, {facts.started:%Y-%m-%d}", foreign=True)
    databases = [text for text in (facts.country_source, facts.second_source) if text]
    yield from (NamedSource(f"Countries of addresses: {text}", foreign=True) for text in databases)
    yield NamedSource(
        "Statistics of the Number Resource Organization (CC BY 4.0), where the bundled table of countries was used",
        "https://www.nro.net/",
    )
    if not facts.country:
        yield NamedSource("Outlines of countries: Natural Earth (public domain)", "https://www.naturalearthdata.com/")
    yield NamedSource(
        "DICOM, PS3.8: associations, and the reasons of rejections and aborts", "https://www.dicomstandard.org/current"
    )


def citation(facts: Facts, by: Publisher) -> Iterator[str]:
    """Yield how to cite a report, its licence, and whom to ask."""
    yield by.citation(facts, headline(facts))
    licence = by.licence
    if licence.name:
        yield f"Numbers and figures: {licence.name} ({licence.url}). You may reuse them if you keep to it."
    else:
        yield UNLICENSED
    ways = [f"Contact: {by.contact}."] if by.contact else []
    ways += [f"Owners of networks may opt out of later sweeps: {by.opt_out}"] if by.opt_out else []
    if ways:
        yield " ".join(ways)
