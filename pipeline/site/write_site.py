"""Write a site: the pages of new sweeps, and those that are about the latest one. Pages of earlier sweeps stay as they are."""

import hashlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline import checkout, host
from pipeline.errors import CensusError, InputError
from pipeline.lake.layout import SweepPaths
from pipeline.lake.store import Location
from pipeline.publish import worldmap
from pipeline.publish.countries import countries, name
from pipeline.publish.data import Facts
from pipeline.publish.publisher import Publisher
from pipeline.publish.scope import Scope
from pipeline.publish.sentences import headline, sentences
from pipeline.site import atom, built, page, pages, parallel, read_lake
from pipeline.site.built import BuiltSite, BuiltSweep
from pipeline.site.page import Files, Site
from pipeline.site.read_lake import PastSweeps
from pipeline.untrusted.visible import visible
from pipeline.views import marts
from pipeline.words.plural import plural

#: Returns which proof the numbers of each of these sweeps stand on (`sweep.run.proofs`).
Prove = Callable[[Collection[str]], dict[str, str]]
#: How such a text begins if the proof is broken.
BROKEN = "not verified"


@dataclass(frozen=True, slots=True)
class Order:
    """What to build: of which lake, into which folder, by whom, about which series, and the smallest cell."""

    lake: Location
    folder: Path
    publisher: Publisher
    scope: Scope
    series: str | None = None


def write(order: Order, prove: Prove) -> Iterator[str]:
    """Write or renew a site, and yield what was done. Raises InputError, or CensusError if `prove` does."""
    if not worldmap.drawable():
        raise CensusError("a site needs its maps and pictures: install dicom-census[plots]")
    sweeps, others = read_lake.sealed(order.lake)
    if not sweeps:
        raise InputError(
            str(order.lake),
            "has no sweep that is sealed and enriched, focus and visibility sweeps aside; `census sweeps LAKE` lists what there is",
        )
    left_out = [paths for paths in others if not paths.is_visibility]
    yield from (f"{paths.id} is left out: it is not sealed, not enriched, or a focus sweep" for paths in left_out)
    past, before, site = read_lake.history(sweeps, order.scope), built.read(order.folder), Site(order.publisher)
    latest = past.latest(order.series)
    if latest is None:
        raise InputError("--series", f"{visible(order.series or '')} is not one of {', '.join(read_lake.names(past))}")
    tables = {paths.id: marts.folder(paths).name for paths in sweeps}
    keys = {paths.id: _key(order, past, tables, paths.id) for paths in sweeps}
    done = {each.sweep: each for each in before.sweeps if keys.get(each.sweep) == each.key}
    proofs = prove({latest.id, *(keys.keys() - done.keys())})
    if proofs[latest.id].startswith(BROKEN):
        done, proofs = {}, dict.fromkeys(keys, proofs[latest.id])
    try:
        order.folder.mkdir(parents=True, exist_ok=True)
        stale = [paths for paths in sweeps if paths.id not in done]
        with parallel.begun(_write_sweeps, (order, past, keys, proofs), stale) as entries:
            for entry in entries:
                done[entry.sweep] = entry
                yield f"{entry.sweep}: {entry.headline}"
        facts = next(read_lake.facts(past, [latest], order.scope, proofs))
        now = BuiltSite(sweeps=tuple(done[paths.id] for paths in sweeps), countries=_codes(facts, before))
        with parallel.begun(_write_countries, (order, facts), now.countries) as written:
            _put(order.folder, _about_latest(site, facts, now))
            list(written)
        host.write_result(order.folder / built.NAME, built.encoded(now))
    except OSError as error:
        raise InputError(str(order.folder), f"cannot be written: {error.strerror}") from None
    countries_ = plural(len(now.countries), "country", "countries")
    yield f"{order.folder / 'index.html'}: {plural(len(sweeps), 'sweep')}, {countries_}"


def _write_sweeps(
    order: Order, past: PastSweeps, keys: Mapping[str, str], proofs: Mapping[str, str], sweeps: Sequence[SweepPaths]
) -> list[BuiltSweep]:
    """Write the pages of sweeps under their permalinks."""
    site, built_sweeps = Site(order.publisher), []
    for facts in read_lake.facts(past, sweeps, order.scope, proofs):
        _put(order.folder, pages.sweep(site, facts, pages.permalink_of(facts.sweep), {}))
        built_sweeps.append(_entry(facts, keys[facts.sweep]))
    return built_sweeps


def _write_countries(order: Order, facts: Facts, codes: Sequence[str]) -> Sequence[str]:
    """Write the pages of countries."""
    site = Site(order.publisher)
    for code in codes:
        _put(order.folder, pages.country(site, facts, code))
    return codes


def _about_latest(site: Site, facts: Facts, now: BuiltSite) -> Files:
    """The files that are about the latest sweep, or about all."""
    links = {name(code): f"../countries/{code}/index.html" for code in now.countries}
    yield "style.css", page.style()
    yield from pages.front(site, facts, links)
    yield from pages.sweep(site, facts, pages.LATEST, links)
    yield from pages.countries(site, facts, now.countries)
    yield from pages.trends(site, facts, now.countries)
    yield from pages.products(site, facts)
    yield from pages.method(site, facts)
    yield from pages.sweeps(site, facts, now.sweeps)
    yield from pages.missing(site, facts)
    yield atom.NAME, atom.feed(site.publisher, now.sweeps)


def _codes(facts: Facts, before: BuiltSite) -> tuple[str, ...]:
    """The countries with a page: those with enough services, and those that had a page, so that no address ends."""
    rows = {row["country"]: row["services"] for row in facts.marts["countries"].rows if row["country"] in countries()}
    return tuple(
        sorted(code for code, services in rows.items() if services >= facts.scope.min_cell or code in before.countries)
    )


def _entry(facts: Facts, key: str) -> BuiltSweep:
    row = facts.totals
    return BuiltSweep(
        sweep=facts.sweep, name=str(facts.about["name"]), started=facts.started, headline=headline(facts),
        summary=next(sentences(facts)), services=row["services"], countries=row["countries"],
        page=f"{pages.permalink_of(facts.sweep)}index.html", key=key,
    )  # fmt: skip


def _key(order: Order, past: PastSweeps, tables: Mapping[str, str], sweep: str) -> str:
    """A digest of all that a sweep's page is made of: its tables and those of the sweep before, who publishes, and the program.

    `tables` has a digest of the tables of each sweep.
    """
    before = past.before(sweep)
    made_of = [
        sweep, tables[sweep], before.id if before else "", tables[before.id] if before else "",
        str(len(past.series_of(sweep))), repr(order.publisher), str(order.scope.min_cell), _program(),
    ]  # fmt: skip
    return hashlib.sha256("\0".join(made_of).encode()).hexdigest()[:32]


@cache
def _program() -> str:
    """The program with its templates, without the style sheet, which no page holds."""
    content = hashlib.sha256(checkout.code().encode())
    for path in sorted([*page.TEMPLATES.glob("*.j2"), page.SHARED / "parts.j2"]):
        content.update(path.read_bytes())
    return content.hexdigest()


def _put(folder: Path, files: Files) -> None:
    """Write files below a folder, each whole or not at all; one that is already as it should be keeps its time, for caches."""
    for path, content in files:
        target, data = folder / path, content.encode() if isinstance(content, str) else content
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_file() and target.read_bytes() == data:
            continue
        # Not made durable one by one, as `host.write_result` does: they are tens of thousands, and any can be made again.
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        temporary.write_bytes(data)
        temporary.replace(target)
