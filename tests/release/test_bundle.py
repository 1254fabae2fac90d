"""A release as others find it: its validators, a stranger who recomputes it, and an intruder who looks for addresses."""

import csv
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from pipeline.errors import InputError
from pipeline.publish.data import Facts
from pipeline.publish.gather import gather
from pipeline.publish.scope import Scope
from pipeline.publish.sentences import headline
from pipeline.release import bundle
from pipeline.release.microdata import previous
from tests.publish import demo, hidden, history, test_secrets
from tests.release import attack, equations
from tests.release.conftest import SECTION, SWEEPS

LAST = SWEEPS[-1].id


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the program of a bundle as a stranger does: in its folder, by itself, with no package of ours in reach."""
    site = Path(duckdb.__file__).parents[1]
    code = f"import sys; sys.path.append({str(site)!r}); import runpy; sys.argv[0] = 'reproduce.py'; " + (
        "sys.modules.update(dict.fromkeys(('numpy', 'pyarrow', 'pandas', 'pipeline'))); "
        "runpy.run_path('reproduce.py', run_name='__main__')"
    )
    command = [sys.executable, "-I", "-c", code, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def reproduced(released: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """What a stranger gets from a copy of the bundle, and what is printed meanwhile."""
    copy = tmp_path_factory.mktemp("stranger") / "bundle"
    shutil.copytree(released, copy)
    done = run(copy)
    assert done.returncode == 0, done.stdout + done.stderr
    return copy / "reproduced", done.stdout


@pytest.fixture(scope="module")
def facts(weeks_con: duckdb.DuckDBPyConnection) -> Facts:
    """What the report publishes of the last sweep."""
    return gather(weeks_con, LAST, Scope(min_cell=5))


def test_a_stranger_recomputes_the_headline(reproduced: tuple[Path, str], facts: Facts) -> None:
    """The headline that the bundle's own program computes is the report's, with nothing but Python and DuckDB."""
    assert (reproduced[0] / "headline.txt").read_text("utf-8") == f"{headline(facts)}\n"


def test_a_stranger_recomputes_the_countries(reproduced: tuple[Path, str], facts: Facts) -> None:
    """The recomputed table of countries has the services, rates and estimates of the report."""
    with (reproduced[0] / "countries.csv").open(encoding="utf-8", newline="") as file:
        mine = {row["country"]: row for row in csv.DictReader(file) if row["sweep"] == LAST}
    rows = facts.marts["countries"].rows
    for row, estimate in zip(rows, facts.estimates(rows), strict=True):
        shown = mine[row["country"] or ""]
        assert int(shown["services"]) == row["services"]
        assert float(shown["per_million"]) == pytest.approx(row["per_million"])
        for column, value in (("there", estimate.value), ("there_low", estimate.low), ("there_high", estimate.high)):
            assert float(shown[column]) == pytest.approx(value, rel=1e-6)


def test_every_claim_is_reproduced(reproduced: tuple[Path, str], released: Path) -> None:
    """Each claim of the list is as published, and there is one for the headline, each table and each figure."""
    with (released / "claims.csv").open(encoding="utf-8", newline="") as file:
        claims = list(csv.DictReader(file))
    lines = reproduced[1].splitlines()
    assert len(lines) == len(claims) and all(line.endswith("as published") for line in lines)
    names = {claim["claim"] for claim in claims}
    assert {"headline", "table:countries", "figure:map", "figure:trend", "figure:turnover", "microdata"} <= names
    figures = {name.partition(":")[2] for name in names if name.startswith("figure:")}
    drawn = {path.stem: path.read_text("utf-8") for path in reproduced[0].glob("*.svg")}
    assert drawn.keys() == figures and all(
        len(re.findall("<(?:path|circle|rect)", text)) > 2 for text in drawn.values()
    )


@pytest.mark.parametrize(
    ("table", "column", "claim"),
    [
        ("countries", "services", "headline"),
        ("countries", "per_million", "countries"),
        ("tls_share", "share_low", "tls_share"),
    ],
)
def test_a_changed_number_is_noticed(released: Path, tmp_path: Path, table: str, column: str, claim: str) -> None:
    """If a number of the bundle is changed, its claim is not as published, and the exit code says so."""
    shutil.copytree(released, tmp_path / "bundle")
    path = tmp_path / "bundle" / "data" / f"{table}.parquet"
    with duckdb.connect() as con:
        con.execute(
            f"COPY (SELECT * REPLACE ({column} + 7 AS {column}) FROM read_parquet('{path}')) TO '{path}.new' (FORMAT parquet)"
        )
    Path(f"{path}.new").rename(path)
    done = run(tmp_path / "bundle", claim)
    assert done.returncode == 1 and "differs" in done.stdout


def test_an_unknown_claim_is_refused(released: Path, tmp_path: Path) -> None:
    """A claim that there is not ends with the list of those that there are."""
    done = run(released, "everything", "-o", str(tmp_path))
    assert done.returncode == 1 and "no such claim; there are headline, table:countries" in done.stderr


def test_checksums_are_of_every_file(released: Path) -> None:
    """`sha256sum --check` accepts the bundle, and every file but the list itself is in it."""
    done = subprocess.run(["sha256sum", "--check", "--quiet", "checksums.sha256"], cwd=released, capture_output=True)
    assert done.returncode == 0
    listed = {line.split("  ")[1] for line in (released / "checksums.sha256").read_text("utf-8").splitlines()}
    assert listed == {str(p.relative_to(released)) for p in released.rglob("*") if p.is_file()} - {"checksums.sha256"}


def test_both_formats_say_the_same(released: Path) -> None:
    """Each table has as many rows and the same columns as Parquet and as CSV; a column of Parquet has its meaning with it."""
    tables = {path.stem for path in (released / "data").glob("*.csv")}
    assert tables == {path.stem for path in (released / "data").glob("*.parquet")} and len(tables) > 30
    for table in tables:
        read = pq.read_table(released / "data" / f"{table}.parquet")
        with (released / "data" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
        assert len(lines) == read.num_rows
        assert not lines or list(lines[0]) == read.column_names
        assert all(field.metadata[b"description"] for field in read.schema), table


def test_the_dictionary_explains_every_column(released: Path) -> None:
    """The dictionary has a line with a meaning for each column of each table."""
    page = (released / "dictionary.md").read_text("utf-8")
    package = json.loads((released / "datapackage.json").read_text("utf-8"))
    for resource in package["resources"]:
        section = page.split(f"## `{resource['name']}`\n")[1].split("\n## ")[0]
        for field in resource["schema"]["fields"]:
            assert re.search(rf"^\| `{field['name']}` \| {field['type']} \| \w.+ \|$", section, re.MULTILINE), field


def test_the_sql_behind_each_table_is_there(released: Path) -> None:
    """Every published mart has its SQL in the bundle, and so has everything that this reads."""
    there = {path.stem for path in (released / "sql").rglob("*.sql")}
    for mart in mart_names():
        assert mart in there
    for path in (released / "sql" / "marts").glob("*.sql"):
        body = "\n".join(line for line in path.read_text("utf-8").splitlines() if not line.startswith("--"))
        body = re.sub(r"IS (NOT )?DISTINCT FROM", "=", body)
        local = set(re.findall(r"(\w+)\s*(?:\([^()]*\)\s*)?AS (?:MATERIALIZED )?\(", body))
        read = set(re.findall(r"\b(?:FROM|JOIN)\s+([a-z]\w+)\b(?!\()", body)) - local
        assert not {name for name in read if not name.startswith("raw_")} - there, path.name


def mart_names() -> list[str]:
    from pipeline.views import views

    return [*views.PUBLISHED, *views.NAMED, *views.SERIES]


def test_a_release_is_never_overwritten(weeks_con: duckdb.DuckDBPyConnection, released: Path) -> None:
    """A folder that has anything in it is refused before anything is computed."""
    with pytest.raises(InputError, match="is not empty; a release is never changed"):
        bundle.write(weeks_con, released, bundle.Wanted((LAST,), SECTION, 5))


def test_a_focus_sweep_is_not_released(tmp_path: Path) -> None:
    """A focus sweep is refused, and nothing is written: the tables of a release estimate by one share."""
    with pytest.raises(InputError, match="sweep s1: is a focus sweep.*release a whole sweep"):
        bundle.write(demo.focused(), tmp_path / "release", bundle.Wanted(("s1",), SECTION, 5))
    assert not (tmp_path / "release").exists()


def test_a_release_that_was_cut_off_is_written_again(weeks_con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """A folder whose release is unfinished, as after kill -9, is emptied and written whole; nothing of before is left in it."""
    folder = tmp_path / "release"
    (folder / "data").mkdir(parents=True)
    for name in (bundle.UNFINISHED, "README.md", ".checksums.sha256.1a2b", "data/half.csv"):
        (folder / name).write_text("half of it")
    written = bundle.write(weeks_con, folder, bundle.Wanted((LAST,), SECTION, 5))
    assert {path for path in folder.rglob("*") if path.is_file()} == set(written)
    with pytest.raises(InputError, match="is not empty"):
        bundle.write(weeks_con, folder, bundle.Wanted((LAST,), SECTION, 5))


# --- microdata ---------------------------------------------------------------------------------------------------------------


def rows_of(folder: Path, sweep: str) -> list[dict[str, Any]]:
    """The rows of services of a sweep, as anybody reads them."""
    read = pq.read_table(folder / "data" / "microdata.parquet").to_pylist()
    return [{key: value for key, value in row.items() if key != "sweep"} for row in read if row["sweep"] == sweep]


def table(folder: Path, name: str, sweep: str) -> list[dict[str, Any]]:
    read = pq.read_table(folder / "data" / f"{name}.parquet").to_pylist()
    return [row for row in read if row["sweep"] == sweep]


@pytest.mark.parametrize("sweep", [sweep.id for sweep in SWEEPS])
def test_the_bundle_withstands_an_intruder(released: Path, sweep: str) -> None:
    """From the files of the bundle alone, an intruder tells no few services from the others, by marts or by elimination."""
    rows, marts = rows_of(released, sweep), {}
    for name in ("countries", "ports", "sectors", "network_kinds"):
        marts[name] = table(released, name, sweep)
    countries = {row["country"]: row["services"] for row in marts["countries"] if row["services"]}
    products: Counter[str] = Counter()
    for row in table(released, "implementations", sweep):
        products[row["product"] or row["toolkit"] or "unknown"] += row["services"]
    assert any(not row["country_only"] for row in rows)
    assert attack.by_looking(rows, 5) == []
    assert attack.by_subtraction(rows, marts, 5) == []
    assert attack.by_elimination(rows, countries, products, 5) == []


def test_releases_of_a_series_withstand_an_intruder(released: Path) -> None:
    """Between any two sweeps of the release no kind changed a little, nor is a country shown of which few services changed."""
    kinds = {sweep.id: {(h.ip, h.port): h.country for h in sweep.seen} for sweep in SWEEPS}
    for number, now in enumerate(SWEEPS):
        for before in SWEEPS[:number]:
            moved = Counter(
                country
                for each, other in ((kinds[now.id], kinds[before.id]), (kinds[before.id], kinds[now.id]))
                for service, country in each.items()
                if service not in other
            )
            assert attack.by_comparison(rows_of(released, now.id), rows_of(released, before.id), moved, 5) == []


def test_what_was_suppressed_is_told(released: Path) -> None:
    """The README tells of each sweep how many services are shown, how many by their country alone, and how many are left out."""
    page = (released / "README.md").read_text("utf-8")
    for sweep in SWEEPS:
        rows = rows_of(released, sweep.id)
        shown = sum(not row["country_only"] for row in rows)
        left_out = len(sweep.seen) - len(rows)
        assert f"{sweep.id}: of {len(sweep.seen)} services {shown} (" in page
        assert f"{len(rows) - shown} by their country alone, and {left_out} are left out" in " ".join(page.split())


def test_the_next_release_knows_the_previous_one(released: Path) -> None:
    """`--previous` reads what a bundle showed of every sweep, and refuses a folder that is no bundle."""
    shown = previous(released)
    assert [each.sweep for each in shown] == [sweep.id for sweep in SWEEPS]
    for each in shown:
        rows = Counter(
            tuple(list(row.values())[:-1]) for row in rows_of(released, each.sweep) if not row["country_only"]
        )
        assert each.kinds == rows
    with pytest.raises(InputError, match="cannot be read"):
        previous(released / "data")


# --- validators --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def validators(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that has the formats' own validators, from uv's cache or the registry.

    It is not ours: mlcroissant, frictionless and roc-validator pin or forbid versions of what the program needs.
    """
    uv, folder = str(Path(sys.executable).with_name("uv")), tmp_path_factory.mktemp("validators")
    wanted = ["-r", str(Path(__file__).with_name("validators.txt"))]
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True, timeout=60)
    python = ["--python", str(folder / "bin" / "python")]
    for options in (["--offline"], []):
        command = [uv, "pip", "install", "--quiet", *options, *python, *wanted]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if done.returncode == 0:
            return folder / "bin"
    pytest.skip(f"no registry and no cache has the validators: {done.stderr[-300:]}")


def valid(validators: Path, folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    first, *rest = command
    return subprocess.run([str(validators / first), *rest], cwd=folder, capture_output=True, text=True, timeout=200)


DATACITE = "import json; from datacite import schema45; schema45.validator.validate(json.load(open('datacite.json')))"
CRATE = str(Path(__file__).with_name("crate_check.py"))
COMMANDS = {
    "datapackage.json": ("frictionless", "validate", "datapackage.json"),
    "croissant.json": ("mlcroissant", "validate", "--jsonld", "croissant.json"),
    "ro-crate-metadata.json": ("python", CRATE, "."),
    "CITATION.cff": ("cffconvert", "--validate", "-i", "CITATION.cff"),
    "datacite.json": ("python", "-c", DATACITE),
}
#: What makes each description wrong.
WRONG = {
    "datapackage.json": ('"type":"integer"', '"type":"boolean"'),
    "croissant.json": ('"dataType":"sc:Integer"', '"dataType":"sc:Nothing"'),
    "ro-crate-metadata.json": ('"datePublished":', '"published":'),
    "CITATION.cff": ('license: "CC-BY-4.0"', 'license: "CC-BY-9"'),
    "datacite.json": ('"titles":', '"names":'),
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", COMMANDS)
def test_the_formats_validators_accept_it(validators: Path, released: Path, tmp_path: Path, name: str) -> None:
    """Frictionless, mlcroissant, rocrate-validator, cffconvert and DataCite's schema accept the description, and not a wrong one."""
    done = valid(validators, released, *COMMANDS[name])
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    copy = shutil.copytree(released, tmp_path / "copy")
    right, wrong = WRONG[name]
    text = (
        re.sub(r'": ', '":', (copy / name).read_text("utf-8"))
        if name != "CITATION.cff"
        else (copy / name).read_text("utf-8")
    )
    assert right in text
    (copy / name).write_text(text.replace(right, wrong), "utf-8")
    assert valid(validators, copy, *COMMANDS[name]).returncode != 0


def test_descriptions_have_the_digests_of_the_files(released: Path) -> None:
    """The SHA-256 of each described file is that of the file."""
    package = json.loads((released / "datapackage.json").read_text("utf-8"))
    croissant = json.loads((released / "croissant.json").read_text("utf-8"))
    digests = {r["path"]: r["hash"].removeprefix("sha256:") for r in package["resources"]}
    digests |= {file["contentUrl"]: file["sha256"] for file in croissant["distribution"]}
    assert len(digests) == 2 * len(package["resources"])
    for name, digest in digests.items():
        assert hashlib.sha256((released / name).read_bytes()).hexdigest() == digest


# --- secrets -----------------------------------------------------------------------------------------------------------------


def texts(files: dict[str, bytes]) -> dict[str, str]:
    """Every file as text; the cells, names and metadata of Parquet files, which are compressed, as text as well."""
    made = {name: data.decode("latin-1") for name, data in files.items()}
    for name, data in files.items():
        if name.endswith(".parquet"):
            read = pq.read_table(io.BytesIO(data))
            made[name] = f"{read.schema} {read.schema.metadata} {read.to_pylist()}"
    return made


def test_nothing_of_a_host(released: Path) -> None:
    """No file has a host's or the laboratory's address in any notation, a name, a title, or a certificate's or key's fingerprint."""
    files = texts({str(p.relative_to(released)): p.read_bytes() for p in released.rglob("*") if p.is_file()})
    numbers = {host.ip for sweep in SWEEPS for host in sweep.seen} | {
        row[0] for sweep in SWEEPS for row in sweep.others
    }
    assert hidden.found(files, numbers | {history.ip("198.51.100.7"), history.ip("203.0.113.9")}) == []
    hosts = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
    data = {name: text for name, text in files.items() if name.startswith("data/") or name == "release.json"}
    assert [name for name, text in data.items() if hosts.search(text)] == []
    assert [
        name for name, text in files.items() if history.HOSTS in text.lower() or "example-trust" in text.lower()
    ] == []


def test_no_name_of_a_telling_lake() -> None:
    """A lake whose rows name their owner in every column that can gives a bundle without host, title, holder, or certificate."""
    con = test_secrets.telling()
    section = SECTION
    files = texts(dict(bundle.bundle(con, bundle.Wanted((test_secrets.lake.SWEEP,), section, 5))))
    secrets = [
        test_secrets.TITLE,
        test_secrets.HOST,
        test_secrets.HOLDER,
        test_secrets.NAME,
        test_secrets.NAMED,
        "stmary",
        "64999",
        *test_secrets.KEYS,
    ]
    for secret in secrets:
        assert [name for name, text in files.items() if secret.lower() in text.lower()] == []


def test_no_small_cell_follows_from_the_tables_of_a_release(released: Path) -> None:
    """Whoever solves the equations of all tables of a release recovers no count of few services, in any of its sweeps."""
    tables = {path.stem: pq.read_table(path).to_pylist() for path in (released / "data").glob("*.parquet")}
    for sweep in SWEEPS:
        of_sweep = {name: [row for row in rows if row.get("sweep") == sweep.id] for name, rows in tables.items()}
        assert of_sweep["countries"] and equations.recovered(of_sweep, 5) == []
