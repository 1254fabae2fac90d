"""Kill a sweep again and again, and judge its result: `python -m tests.chaos.run --seed N --kills N`, or `make chaos`."""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.lab import key
from pipeline.views import connection
from tests.chaos.world import World
from tests.testbed.running import CENSUS, ROOT, environment

#: A sweep of 1,048,576 targets with some 5,000 hosts, whose processes are all killed at once.
LARGE = {"prefix": 12, "shards": 64, "density": 0.005, "everything": True}


#: The outcome of each target that answered, by address and port.
Rows = dict[tuple[int, int], str]


@dataclass(frozen=True, slots=True)
class Judged:
    """The disturbances of a sweep, and its result."""

    killed: Counter[str]
    met: Counter[str]
    complaints: list[str]
    misled: list[str]
    """What the status said meanwhile that cannot be."""
    stops: list[str]
    """Why the register was stopped, which nobody asked for."""
    wrong: Counter[tuple[str | None, str | None]]
    """Rows that differ from the truth: the true outcome and the row's, None where there is none."""
    rows: int
    doubled: int
    visited_again: int
    """Visits that the hosts count beyond the first visit to each host."""
    owned_up: int | None
    """The number of repeated visits that the receipts report."""
    unknown: int
    """Ranges of which the number of probes without a receipt is not known, as after kill -9."""
    attempts: int


def judge(
    folder: Path,
    *,
    seed: int,
    kills: int,
    senders: int = 1,
    bucket: bool = False,
    prefix: int = 16,
    shards: int = 16,
    density: float = 0.02,
    everything: bool = False,
    timeout: float = 3000,
) -> Judged:
    """Run a disturbed sweep in a folder and judge it. Raises RuntimeError if the sweep never finishes or does not verify."""
    world = World.made(folder, kills=kills, senders=senders, prefix=prefix, shards=shards, density=density)
    flags = [*["--bucket"] * bucket, *["--everything"] * everything]
    asked = ["--seed", str(seed), "--kills", str(kills), "--senders", str(senders), *flags]
    inside = [sys.executable, "-m", "tests.chaos.inside", str(folder), *asked]
    command = [*CENSUS, "testbed", "run", "--spec", str(world.spec), "--", *inside]
    ended = subprocess.run(command, cwd=ROOT, env=environment(folder), capture_output=True, text=True, timeout=timeout)
    if ended.returncode:
        raise RuntimeError(f"the disturbed sweep ended with {ended.returncode}:\n{ended.stderr[-4000:]}")
    told, counted = json.loads(ended.stdout.splitlines()[-1]), counts(ended.stderr)
    true, found = world.truth(), {(row["ip"], row["port"]): row["outcome"] for row in told["rows"]}
    return Judged(
        killed=Counter(told["killed"]),
        met=Counter(told["met"]),
        complaints=told["complaints"],
        misled=told["misled"],
        stops=told["stops"],
        wrong=differences(true, found),
        rows=len(told["rows"]),
        doubled=len(told["rows"]) - len(found),
        visited_again=counted["visited_again"],
        owned_up=told["receipts"]["revisited"] if told["receipts"]["known"] else None,
        unknown=told["receipts"]["unknown"],
        attempts=told["receipts"]["attempts"],
    )


def differences(true: Rows, found: Rows) -> Counter[tuple[str | None, str | None]]:
    """Count the rows that are not the truth's, by the true outcome and the row's, None where there is none."""
    return Counter((true.get(k), found.get(k)) for k in true.keys() | found.keys() if true.get(k) != found.get(k))


def undisturbed(folder: Path) -> Rows:
    """The rows of the plan in a folder when nothing disturbs its sweep."""
    lake = folder / "undisturbed"
    work = [*CENSUS, "work", str(folder / "plan.json"), "--lake", str(lake)]
    command = [*CENSUS, "testbed", "run", "--spec", str(folder / "world.toml"), "--", *work]
    subprocess.run(command, cwd=ROOT, env=environment(folder), capture_output=True, check=True, timeout=3000)
    with connection.connect(lake) as con:
        rows = con.execute("SELECT ip, port, outcome FROM responses").fetchall()
    return {(ip, port): outcome for ip, port, outcome in rows}


def counts(said: str) -> dict[str, Any]:
    """The counts that the simulated internet prints at its end."""
    (line,) = re.findall(r"^testbed: internet: (\{.*\})$", said, re.MULTILINE)
    counted: dict[str, Any] = json.loads(line)
    return counted


def faults(judged: Judged) -> list[str]:
    """The faults in the result of a sweep; none if the result is as if nothing had happened."""
    found = [f"{count} rows are {row} where the truth is {true}" for (true, row), count in judged.wrong.items()]
    found += [f"it was stopped: {reason}" for reason in judged.stops]
    found += [f"the status said: {text}" for text in judged.misled]
    if judged.doubled:
        found.append(f"{judged.doubled} targets have two rows")
    if judged.owned_up is not None and judged.visited_again > judged.owned_up:
        found.append(f"hosts count {judged.visited_again} further visits, receipts {judged.owned_up}")
    return found


def main() -> None:
    """Judge one seed and print what was found; exit code 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--senders", type=int, default=2)
    parser.add_argument("--bucket", action="store_true", help="the lake is in a bucket behind a bad network")
    parser.add_argument(
        "--large", action="store_true", help="a million targets, all processes killed at once; then a sweep undisturbed"
    )
    asked = parser.parse_args()
    size: dict[str, Any] = LARGE if asked.large else {}
    with tempfile.TemporaryDirectory(prefix="census-chaos-") as name:
        folder = Path(name)
        os.environ |= {key.KEYS: f"{folder}/keys", "XDG_STATE_HOME": f"{folder}/state"}
        judged = judge(folder, seed=asked.seed, kills=asked.kills, senders=asked.senders, bucket=asked.bucket, **size)
        other: Counter[tuple[str | None, str | None]] = Counter()
        if asked.large:
            other = differences(World(folder / "world.toml", folder / "plan.json").truth(), undisturbed(folder))
    print(f"seed {asked.seed}: killed {dict(judged.killed)}, requests spoiled {dict(judged.met)}")
    print(
        f"{judged.rows} rows in {judged.attempts} attempts at ranges; further visits: hosts count "
        f"{judged.visited_again}, receipts own up to {'an unknown number' if judged.owned_up is None else judged.owned_up}"
    )
    print("".join(f"on the full disk it said: {complaint}\n" for complaint in judged.complaints), end="")
    found = faults(judged)
    found += [f"undisturbed, {count} rows are {row} where the truth is {true}" for (true, row), count in other.items()]
    print(
        "; ".join(found) or "receipts, tables and plan add up; every row is the truth's, and none is missing or double"
    )
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
