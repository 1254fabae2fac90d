"""A release as files in a folder: the tables, what describes them, the SQL behind them, and the program that computes them again.

Aggregates only, unless microdata are wanted; in either case no address, host name or AE title, and no key of anybody's.
"""

import hashlib
import io
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import checkout, host
from pipeline.config.sections import ReleaseSection
from pipeline.errors import InputError
from pipeline.publish.data import Facts
from pipeline.publish.gather import gather, select
from pipeline.publish.scope import Scope
from pipeline.release import citation, claims, crate, croissant, datacite, dictionary
from pipeline.release.citation import Citation
from pipeline.release.contents import Content, contents, describe
from pipeline.release.datapackage import datapackage, path
from pipeline.release.microdata import EARLIER, Earlier, Microdata, microdata
from pipeline.views import views

HERE = Path(__file__).parent
#: Programs of a bundle, and the module of each.
PROGRAMS = {
    "reproduce.py": "reproduce.py",
    "figures.py": "redraw.py",
    "draw.py": "draw.py",
    "intervals.py": "intervals.py",
}
#: The file that a bundle has until it is finished: what was begun and cut off may be written again.
UNFINISHED = ".unfinished"
OUTLINES = ("countries-110m.json", "countries-110m.LICENSE")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to release: the sweeps, oldest first; the laboratory's words; the smallest cell; what was released before; the proof."""

    sweeps: tuple[str, ...]
    section: ReleaseSection
    min_cell: int
    earlier: Sequence[Earlier] = ()
    proof: str = ""


class About(msgspec.Struct, frozen=True):
    """`release.json`: what programs want to know of a bundle."""

    sweeps: list[str]
    program: str
    licence: str
    proof: str
    min_cell: int
    k: int | None
    suppression: list[str]
    microdata: list[Earlier]


def series(con: duckdb.DuckDBPyConnection, sweep: str) -> tuple[str, ...]:
    """The sweeps of a sweep's series up to it, oldest first."""
    return tuple(row["sweep"] for row in select(con, "FROM so_far(?) ORDER BY sweep", sweep))


def write(con: duckdb.DuckDBPyConnection, folder: Path, wanted: Wanted) -> list[Path]:
    """Write the bundle into an empty or new folder, or in place of one that was not finished; return its files. Raises InputError."""
    unfinished = folder / UNFINISHED
    if folder.exists() and any(folder.iterdir()) and not unfinished.exists():
        raise InputError("--output", f"{folder} is not empty; a release is never changed, so name a new folder")
    files = dict(bundle(con, wanted))
    files["checksums.sha256"] = "".join(
        f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items())
    ).encode()
    try:
        _begin(folder)
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            host.write_result(folder / name, data)
        unfinished.unlink()
        host.sync(folder)
    except OSError as error:
        raise InputError(str(folder), f"cannot be written: {error.strerror}") from None
    return [folder / name for name in files]


def _begin(folder: Path) -> None:
    """Leave nothing in the folder but the mark that the bundle in it is not finished. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / UNFINISHED).touch()
    host.sync(folder)
    for old in folder.iterdir():
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        elif old.name != UNFINISHED:
            old.unlink()


def bundle(con: duckdb.DuckDBPyConnection, wanted: Wanted) -> Iterator[tuple[str, bytes]]:
    """Yield each file of the bundle by its path, except that of the checksums."""
    published = [gather(con, sweep, Scope(min_cell=wanted.min_cell)) for sweep in wanted.sweeps]
    if focused := [facts.sweep for facts in published if facts.is_focus]:
        raise InputError(
            f"sweep {focused[0]}", "is a focus sweep, whose counts are of a part of the space; release a whole sweep"
        )
    if parts := [facts.sweep for facts in published if facts.is_visibility]:
        raise InputError(
            f"sweep {parts[0]}", "is the visibility sweep of one vantage, over a small sample; release a whole sweep"
        )
    rows = _microdata(con, published, wanted) if wanted.section.microdata else []
    tables = [*contents(con, published, rows), _history(published[-1])]
    cited = _citation(published, wanted.section)
    made = dict(_data(tables)) | dict(_sql()) | dict(_programs())
    made |= {"claims.csv": claims.csv_text(published[-1], tables).encode()}
    made |= {"dictionary.md": dictionary.dictionary(tables).encode()}
    made |= {EARLIER: _json(_about(published, rows, cited, wanted))}
    made |= {"CITATION.cff": datacite.cff(cited).encode(), "datacite.json": _json(datacite.datacite(cited))}
    suppression = [each.sentence for each in rows]
    made |= {"README.md": dictionary.readme(cited, published[-1], suppression, wanted.proof, wanted.section.k).encode()}
    made |= {"datapackage.json": _json(datapackage(cited, tables, made))}
    made |= {"croissant.json": _json(croissant.croissant(cited, tables, made))}
    made |= {"ro-crate-metadata.json": _json(crate.crate(cited, published, made))}
    yield from made.items()


def _microdata(con: duckdb.DuckDBPyConnection, published: Sequence[Facts], wanted: Wanted) -> list[Microdata]:
    """The rows of services of each sweep, each with regard to what was shown of those before it."""
    made: list[Microdata] = []
    for facts in published:
        before = [each for each in wanted.earlier if each.sweep not in wanted.sweeps]
        shown = [*before, *(each.earlier for each in made)]
        made.append(microdata(con, facts, facts.sweep, wanted.section.k, shown))
    return made


def _history(facts: Facts) -> Content:
    """What the figure of turnover is drawn from."""
    types = {"new": "BIGINT", "returned": "BIGINT", "missing": "BIGINT"}
    names = ("sweep", "new", "returned", "missing")
    columns = tuple(describe("change_totals", name, types) for name in names)
    return Content("history", views.report("change_history").question, columns, facts.history)


def _citation(published: Sequence[Facts], section: ReleaseSection) -> Citation:
    first, last = published[0], published[-1]
    what = f"Sweep {last.sweep}" if len(published) == 1 else f"Sweeps {first.sweep} to {last.sweep}"
    simulated = " All hosts are simulated." if last.about["testbed"] else ""
    return citation.citation(
        section,
        title=f"DICOM services on the Internet, {last.started:%B %Y}",
        description=f"Counts of the DICOM services (medical imaging) that answered on the Internet. {what}. Aggregates, without "
        f"addresses.{simulated}",
        version=last.sweep,
        issued=last.about["sealed_at"].date(),
    )


def _about(published: Sequence[Facts], rows: Sequence[Microdata], cited: Citation, wanted: Wanted) -> About:
    return About(
        sweeps=list(wanted.sweeps),
        program=checkout.code(),
        licence=cited.licence,
        proof=wanted.proof,
        min_cell=wanted.min_cell,
        k=wanted.section.k if rows else None,
        suppression=[each.sentence for each in rows],
        microdata=[*(e for e in wanted.earlier if e.sweep not in wanted.sweeps), *(each.earlier for each in rows)],
    )


def _data(tables: Sequence[Content]) -> Iterator[tuple[str, bytes]]:
    """Yield each table as CSV and as Parquet."""
    for table in tables:
        yield path(table), table.csv.encode()
        yield path(table, "parquet"), _parquet(table.arrow)


def _parquet(table: pa.Table) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream, compression="zstd")
    return stream.getvalue()


def _sql() -> Iterator[tuple[str, bytes]]:
    """Yield the SQL that made the tables of a lake, and that which computes what follows from their counts."""
    for macro in views.macro_files():
        # Questions about the views of a lake are no functions of the bundle.
        folder = "questions" if views.reads_views(macro) else "macros"
        yield f"sql/{folder}/{macro.name}.sql", (views.FOLDER / "macros" / f"{macro.name}.sql").read_bytes()
    names = views.needed([*views.PUBLISHED, *views.NAMED, *views.SERIES])
    for name, view in views.OF_REFERENCE_DATA.items():
        if name in names:
            comment = "".join(f"-- {line}\n" for line in view.COMMENT.splitlines())
            yield f"sql/staging/{name}.sql", f"{comment}{view.sql()}\n".encode()
    for kind in ("staging", "marts"):
        for file in sorted((views.FOLDER / kind).glob("*.sql")):
            if file.stem in names:
                yield f"sql/{kind}/{file.name}", file.read_bytes()
    for file in sorted((views.FOLDER / "release").glob("*.sql")):
        yield f"sql/recompute/{file.name}", file.read_bytes()


def _programs() -> Iterator[tuple[str, bytes]]:
    """Yield the programs of the bundle, and the outlines of its maps."""
    for name, module in PROGRAMS.items():
        yield name, (HERE / module).read_bytes()
    outlines, terms = OUTLINES
    yield "outlines.json", (checkout.REFERENCE / outlines).read_bytes()
    yield "outlines-LICENSE.txt", (checkout.REFERENCE / terms).read_bytes()


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2)
