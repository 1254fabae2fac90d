"""Kill seal, enrich, report and release at any of their steps, and judge what is left.

`python -m tests.chaos.steps --seed N --kills N`.

Each run is a process that is forked after all imports, and so begins at once. It ends by SIGKILL before a step that a seed chose
(a file that is opened for writing, made durable, renamed or removed), by a signal at any moment, or for want of memory. Then the
lake has to open and its facts to add up, the command has to end when it is run again, and nothing may differ from what it would
be had nothing happened.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb

from pipeline import schema
from pipeline.commands import releases, results
from pipeline.lab import key
from pipeline.lake import attestation, layout, schema_versions, verify
from pipeline.publish import figures, report  # noqa: F401  imported before the fork
from pipeline.release import bundle
from pipeline.sweep import enrichment, run
from pipeline.views import connection, linked_marts, marts, raw_views
from tests.chaos.forking import counted, done, end_after, forked, limit_memory

SWEPT = Path(__file__).parents[1] / "data" / "lakes" / "swept"
#: The folder next to the lake that a release is written to.
RELEASE = "release"
#: What is killed, in the order in which a sweep needs it: each begins with the lake that the one before has left.
COMMANDS: dict[str, Callable[[Path], object]] = {
    "seal": lambda lake: run.seal(layout.open_sweep(lake, None)),
    "enrich": lambda lake: enrichment.enrich(layout.open_sweep(lake, None)),
    "report": lambda lake: results.report(str(lake), formats="html,md,csv"),
    "release": lambda lake: _release(lake),
}
#: The ways to end, and how often each is chosen.
ENDS = {"step": 6, "moment": 3, "memory": 1}
#: The memory that a command gets if it is to have too little, in bytes beyond what it has at its begin.
TOO_LITTLE = (1 << 20, 256 << 20)
#: What the seal fills in.
FILLED_IN = {"control_port_open", "post_probe_syn_alive", "quarantined"}
#: What the time of the seal changes in a sweep's row.
OF_THE_TIME = {"sealed_at", "manifest_sha256"}


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """A command without a disturbance: the lake before it, its steps and seconds, and what a lake has after it."""

    before: Path
    facts: dict[str, str]
    steps: int
    seconds: float
    after: dict[str, str]


def facts(lake: Path) -> dict[str, str]:
    """A digest of what a sweep has found, read as everybody reads it. Raises if the lake does not open or its facts do not add up."""
    with connection.connect(lake) as con:
        return _facts(lake, con)


def _facts_alone(lake: Path) -> dict[str, str]:
    """The same from the raw views alone: the other views take ten times as long."""
    with raw_views.open_database() as con:
        for statement in raw_views.statements(lake):
            con.execute(statement).fetchall()
        return _facts(lake, con)


def _facts(lake: Path, con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    sweep = layout.open_sweep(lake, None)
    if first := next(verify.faults(sweep), None):
        raise AssertionError(f"{first.where} {first.what}")
    rows = {
        name: con.execute(f"SELECT DISTINCT {', '.join(_columns(name))} FROM raw_{name}").fetchall()
        for name in schema.JOURNALED
    }
    return {name: _digest(sorted(map(repr, each))) for name, each in rows.items()}


def _columns(table: str) -> list[str]:
    """The columns that a range has, and the seal neither fills in nor joins: a banner that several ranges have met is one row."""
    described = schema.table(table)
    names = described.key if table == "banners" else described.arrow.names
    return [f'"{name}"' for name in names if name not in FILLED_IN]


def found(lake: Path) -> dict[str, str]:
    """A digest of all that a lake has: each sealed and derived table, each mart, and each file of report and release."""
    paths = layout.open_sweep(lake, None).paths
    tables = [(table.name, paths.sealed(table.name)) for table in schema.tables()]
    built = [(path.stem, path) for path in sorted(Path(str(marts.folder(paths))).glob("*.parquet"))]
    there = {
        f"{name} of {path.parent.parent.name}": _of_rows(schema_versions.as_written(path, name).to_pylist())
        for name, path in (*tables, *built)
        if path.exists()
    }
    reported = {str(path.relative_to(lake.parent)): _digest(path.read_bytes()) for path in _reported(lake)}
    return _facts_alone(lake) | there | reported


def _of_rows(rows: list[dict[str, Any]]) -> str:
    """A digest of rows in any order, since a mart has none."""
    kept = [{name: value for name, value in row.items() if name not in OF_THE_TIME} for row in rows]
    return _digest(sorted(map(repr, kept)))


def _reported(lake: Path) -> list[Path]:
    """The files of reports and releases; a hidden one is no result yet."""
    files = [path for folder in ("reports", RELEASE) for path in (lake.parent / folder).rglob("*")]
    return [path for path in files if path.is_file() and not path.name.startswith(".")]


def _digest(value: object) -> str:
    return sha256(value if isinstance(value, bytes) else repr(value).encode()).hexdigest()[:16]


def left(lake: Path, command: str = "") -> list[str]:
    """What is wrong with a lake whose command was killed. Raises if it does not open, or its facts do not add up.

    A table that was derived and is not signed yet is no fault then: `census verify` says to derive it again.
    """
    paths = layout.open_sweep(lake, None).paths
    sealed = paths.sealed("sweeps").exists()
    proof = attestation.faults(paths, marts=linked_marts.in_use(paths)) if sealed else ()
    derived = [*(str(paths.sealed(table)) for table in enrichment.DERIVED), str(lake / "marts")]
    wrong = [
        f"{where} {what}" for where, what in proof if not (command == "enrich" and where.startswith(tuple(derived)))
    ]
    wrong += [f"{path} is empty" for path in _reported(lake) if not path.stat().st_size]
    wrong += _half_released(lake.parent / RELEASE)
    return wrong + [f"{paths.secret} is left"] * (sealed and paths.secret.exists())


def _release(lake: Path) -> None:
    """Release, unless that was finished when the process was killed: what is released is never changed."""
    folder = lake.parent / RELEASE
    if not folder.exists() or not any(folder.iterdir()) or (folder / bundle.UNFINISHED).exists():
        releases.release(str(lake), folder, licence="CC-BY-4.0", creator=["Example Lab"])


def _half_released(folder: Path) -> list[str]:
    """A release that looks finished and is not."""
    if not folder.exists() or (folder / bundle.UNFINISHED).exists() or not any(folder.iterdir()):
        return []
    listed = [line.split("  ", 1) for line in (folder / "checksums.sha256").read_text().splitlines()]
    return [
        f"{name} is not as its checksum"
        for digest, name in listed
        if sha256((folder / name).read_bytes()).hexdigest() != digest
    ]


def differences(these: dict[str, str], those: dict[str, str]) -> list[str]:
    """What differs between two digests."""
    return [f"{name} differs" for name in sorted(these.keys() | those) if these.get(name) != those.get(name)]


def prepared(folder: Path) -> dict[str, Undisturbed]:
    """Run each command undisturbed, one after the other, and keep the lake that each begins with."""
    known, lake, log = {}, folder / "undisturbed" / "lake", folder / "log"
    shutil.copytree(SWEPT, lake)
    layout.load_secret(layout.open_sweep(lake, None).paths)
    begun = done(forked(lambda: facts(lake), log), "before all").told
    for name, command in COMMANDS.items():
        before = folder / "before" / name
        shutil.copytree(lake.parent, before, symlinks=True)
        ended = done(forked(partial(_counted_run, command, lake), log), name)
        after = done(forked(lambda: found(lake), log), f"after {name}").told
        known[name] = Undisturbed(before, begun, ended.told, ended.seconds, after)
        begun = {table: after[table] for table in begun}
    return known


def _counted_run(command: Callable[[Path], object], lake: Path) -> int:
    steps = counted()
    command(lake)
    return steps()


def disturbed(folder: Path, seed: int, known: dict[str, Undisturbed]) -> tuple[str, list[str]]:
    """End a command as a seed chooses; return which and how, and what is wrong with what is left and with what it becomes."""
    chance = random.Random(seed)
    name = list(COMMANDS)[seed % len(COMMANDS)]
    truth, (how,) = known[name], chance.choices(list(ENDS), list(ENDS.values()))
    shutil.copytree(truth.before, folder, symlinks=True)
    lake, log, at = folder / "lake", folder / "log", chance.randint(1, truth.steps)
    beyond, moment = chance.randint(*TOO_LITTLE), chance.uniform(0.001, truth.seconds)

    def work() -> None:
        tempfile.tempdir = str(folder)
        if how == "step":
            counted(at)
        elif how == "moment":
            end_after(moment)
        elif how == "memory":
            limit_memory(beyond)
        COMMANDS[name](lake)

    def again() -> list[str]:
        COMMANDS[name](lake)
        return differences(found(lake), truth.after) + left(lake)

    ended = forked(work, log)
    judged = forked(lambda: differences(facts(lake), truth.facts) + left(lake, name), log)
    wrong = (
        done(judged, f"seed {seed}: what {name} left").told
        + done(forked(again, log), f"seed {seed}: {name} again").told
    )
    shutil.rmtree(folder)
    return f"{name} ({how if ended.status else f'{how}, too late'})", wrong


def main() -> None:
    """End commands as seeds choose, and print what was found; exit code 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=100)
    asked = parser.parse_args()
    memory = Path("/dev/shm")
    ends: Counter[str] = Counter()
    bad = 0
    with tempfile.TemporaryDirectory(prefix="census-steps-", dir=memory if memory.is_dir() else None) as name:
        folder = Path(name)
        os.environ |= {key.KEYS: f"{folder}/keys", "XDG_STATE_HOME": f"{folder}/state"}
        known = prepared(folder)
        print(
            "; ".join(f"{name}: {each.steps} steps, {each.seconds:.1f} s" for name, each in known.items()), flush=True
        )
        for seed in range(asked.seed, asked.seed + asked.kills):
            end, wrong = disturbed(folder / str(seed), seed, known)
            ends[end] += 1
            bad += bool(wrong)
            for each in wrong:
                print(f"seed {seed}, {end}: {each}", flush=True)
    print(", ".join(f"{count} × {end}" for end, count in sorted(ends.items())))
    print(f"{asked.kills - bad} of {asked.kills} lakes opened, added up, and became what they would have been")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
