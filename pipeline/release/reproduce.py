#!/usr/bin/env python3
"""Compute the report's headline, tables and figures again, from the files of this bundle alone. Needs Python 3.11 and DuckDB.

    pip install duckdb
    python reproduce.py                    every claim of claims.csv
    python reproduce.py headline countries some of them

Nothing is fetched. Results go to `reproduced/`; a line for each claim says whether they are as published. Exit code 1: one is not.
"""

import argparse
import csv
import math
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

#: Numbers agree to this relative difference.
CLOSE = 1e-6
#: What stands for all countries together.
ALL = "all"
Row = dict[str, Any]
Con = duckdb.DuckDBPyConnection


def opened(folder: Path) -> Con:
    """A DuckDB in which each table of the bundle has its name, and the macros of the report are known."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    for path in sorted((folder / "data").glob("*.parquet")):
        con.execute(f"CREATE VIEW {path.stem} AS FROM read_parquet('{str(path).replace(chr(39), chr(39) * 2)}')")
    macros = [path.read_text("utf-8") for path in sorted((folder / "sql" / "macros").glob("*.sql"))]
    for _ in range(len(macros)):
        macros = [macro for macro in macros if not _created(con, macro)]
    return con


def _created(con: Con, macro: str) -> bool:
    """Create a macro; False if it calls one that is not there yet."""
    try:
        con.execute(macro)
    except duckdb.CatalogException:
        return False
    return True


def rows(con: Con, sql: str, *values: object) -> list[Row]:
    """The rows of a query; times as text in UTC, since DuckDB needs another package to hand them over as times."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE answer AS {sql}", list(values))
    shown = [
        f'strftime("{name}", \'%Y-%m-%dT%H:%M:%SZ\') AS "{name}"' if kind.startswith("TIMESTAMP") else f'"{name}"'
        for name, kind, *_ in con.execute("DESCRIBE answer").fetchall()
    ]
    cursor = con.execute(f"SELECT {', '.join(shown)} FROM answer")
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, line, strict=True)) for line in cursor.fetchall()]


def latest(con: Con) -> Row:
    """The sweep that the claims are about."""
    return rows(con, "FROM sweeps ORDER BY sweep DESC LIMIT 1")[0]


def headline(con: Con) -> str:
    """The report's headline: services besides likely decoys, and the countries in which they are."""
    sweep = latest(con)["sweep"]
    (totals,) = rows(con, "FROM totals WHERE sweep = ?", sweep)
    (summed,) = rows(con, "SELECT CAST(sum(services) AS BIGINT) AS services FROM countries WHERE sweep = ?", sweep)
    services, decoys, n = summed["services"], totals["decoys"] or 0, totals["countries_undoubted"]
    where = "1 country" if n == 1 else f"{n:,} countries"
    genuine = services - decoys
    noun = "DICOM service" if genuine == 1 else "DICOM services"
    more = f" ({services:,} with likely decoys)" if decoys else ""
    return f"{genuine:,} {noun} in {where} answered{more}"


def chance(con: Con, sweep: str, country: str | None) -> tuple[float, float, float] | None:
    """The probability that a sweep detects a service of a country, or of ALL: by looks at services, else at hosts; None by none."""
    from intervals import known_by, share  # type: ignore[import-not-found]

    own = "of_all DESC" if country == ALL else "of_all, country"
    query = f"FROM country_loss WHERE sweep = ? AND (of_all OR country IS NOT DISTINCT FROM ?) ORDER BY {own} LIMIT 1"
    for row in rows(con, query, sweep, country):
        known: tuple[float, float, float] = known_by(row["kept"], row["lost"])
        return known
    for row in rows(con, "FROM loss WHERE sweep = ?", sweep):
        both, once = (
            (row["took_twice"], row["took"]) if row["took"] is not None else (row["seen_twice"], row["seen_second"])
        )
        if both:
            measured: tuple[float, float, float] = share(both, once)
            return measured
    pairs = rows(con, "FROM vantages WHERE sweep = ? OR other = ? ORDER BY days, sweep, other", sweep, sweep)
    if not pairs:
        return None
    near = [row for row in pairs if (row["sweep"], row["other"]) == (pairs[0]["sweep"], pairs[0]["other"])]
    once = sum(row["seen_there" if pairs[0]["sweep"] == sweep else "seen_here"] for row in near)
    both = sum(row["seen_by_both"] for row in near)
    return share(both, once) if both else None


def estimate(
    con: Con, sweep: Row, services: int, crowding: float | None, country: str | None = ALL
) -> tuple[float, float, float]:
    """How many services there are in a country, or in all, of which a sweep saw these, with a 95 % interval."""
    from intervals import whole

    part = sweep["sampled_share"]
    seen = chance(con, sweep["sweep"], country) or (1.0, 1.0, 1.0)
    each = (crowding or 1.0) if part < 1 else 1.0
    value, low, high = whole(services / each, tuple(part * end for end in seen))
    return value * each, max(services, low * each), high * each


def table(con: Con, folder: Path, name: str) -> list[Row]:
    """A table of the report, with all that follows from its counts computed again."""
    path = folder / "sql" / "recompute" / f"{name}.sql"
    lines = rows(con, path.read_text("utf-8") if path.exists() else f"FROM {name}")
    if name != "countries":
        return lines
    changes = {(row["sweep"], row["country"]): row for row in rows(con, "FROM changed")}
    about = {row["sweep"]: row for row in rows(con, "FROM sweeps")}
    for row in lines:
        row["there"], row["there_low"], row["there_high"] = estimate(
            con, about[row["sweep"]], row["services"], row["crowding"], row["country"]
        )
        change = changes.get((row["sweep"], row["country"])) if row["services"] else None
        row["came"], row["went"] = (change["came"], change["went"]) if change else (None, None)
        row["undoubted"] = None if row["decoys"] is None else row["services"] - row["decoys"]
        ahead = sum(
            _leading(other) > _leading(row) for other in lines if other["country"] and other["sweep"] == row["sweep"]
        )
        row["rank"] = 1 + ahead if row["country"] and row["services"] else None
    return lines


def _leading(row: Row) -> int:
    """The services that a rank counts: without likely decoys, where their number is published."""
    return int(row["services"]) - (row["decoys"] or 0)


def differences(mine: list[Row], published: list[Row]) -> Iterator[str]:
    """Yield what differs between two tables, whatever their order."""
    if len(mine) != len(published):
        yield f"{len(mine)} rows, published are {len(published)}"
        return
    for one, other in zip(sorted(mine, key=_order), sorted(published, key=_order), strict=True):
        for column, value in other.items():
            if not _alike(one[column], value):
                yield f"{column} is {one[column]}, published is {value}"


def _order(row: Row) -> list[str]:
    return [str(value) for value in row.values() if not isinstance(value, float)]


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=CLOSE, abs_tol=1e-9)
    # An estimate without an end is no number in a file.
    return one == other or (other is None and isinstance(one, float) and not math.isfinite(one))


def figure(con: Con, folder: Path, name: str) -> str:
    """A figure of the report, as SVG."""
    from figures import FIGURES  # type: ignore[import-not-found]

    return str(FIGURES[name](con, folder))


def check_table(con: Con, folder: Path, name: str, out: Path) -> list[str]:
    """Write a table; return what of it is not as published."""
    mine = table(con, folder, name)
    with (out / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, mine[0].keys() if mine else ["empty"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(mine)
    return list(differences(mine, rows(con, f"FROM {name}")))


def check_headline(con: Con, text: str, out: Path) -> list[str]:
    """Write the headline; return whether it is another one than published."""
    mine = headline(con)
    (out / "headline.txt").write_text(f"{mine}\n", "utf-8")
    return [] if mine == text else [f"it is: {mine}"]


def check_microdata(con: Con) -> list[str]:
    """Return where the rows of services do not agree with the tables, or some kind is too rare."""
    faults = []
    for row in rows(con, "SELECT sweep, country, count(*) AS n FROM microdata GROUP BY ALL"):
        (of,) = rows(
            con, "SELECT services FROM countries WHERE sweep = ? AND country IS NOT DISTINCT FROM ?",
            row["sweep"], row["country"],
        )  # fmt: skip
        if row["n"] > of["services"]:
            faults.append(f"{row['country']} has {row['n']} rows, and {of['services']} services")
    return faults


def check(con: Con, folder: Path, claim: Row, out: Path) -> list[str]:
    """Compute one claim; return what is not as published."""
    kind, _, name = claim["claim"].partition(":")
    if kind == "table":
        return check_table(con, folder, name, out)
    if kind == "figure":
        (out / f"{name}.svg").write_text(figure(con, folder, name), "utf-8")
        return []
    return check_microdata(con) if kind == "microdata" else check_headline(con, claim["statement"], out)


def claims(folder: Path, wanted: list[str]) -> list[Row]:
    """The claims of the bundle, or those that are named, with or without their kind."""
    with (folder / "claims.csv").open(encoding="utf-8", newline="") as file:
        known = list(csv.DictReader(file))
    selection = [row for row in known if not wanted or {row["claim"], row["claim"].partition(":")[2]} & set(wanted)]
    if not selection:
        raise SystemExit(f"no such claim; there are {', '.join(row['claim'] for row in known)}")
    return selection


def main(arguments: list[str] | None = None, show: Callable[[str], object] = print) -> int:
    """Compute the claims; return 1 if one is not as published."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("claim", nargs="*", help="a claim of claims.csv; all if none is given")
    parser.add_argument("-o", "--output", type=Path, default=Path("reproduced"), help="folder for the results")
    given = parser.parse_args(arguments)
    given.output.mkdir(parents=True, exist_ok=True)
    con, failed = opened(HERE), 0
    for claim in claims(HERE, given.claim):
        begun = time.monotonic()
        faults = check(con, HERE, claim, given.output)
        failed += bool(faults)
        verdict = "differs: " + "; ".join(faults[:3]) if faults else "as published"
        show(f"{claim['claim']:30} {time.monotonic() - begun:6.1f} s  {verdict}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
