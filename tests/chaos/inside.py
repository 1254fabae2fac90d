"""Disturb a sweep inside a testbed for a given number of kills, then let it finish: `python -m tests.chaos.inside …`.

Prints each disturbance as a line on standard error, and the result as one JSON object on standard output.
"""

import argparse
import errno
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from pipeline.lake import layout, receipts, store
from pipeline.lake.layout import SweepPaths
from pipeline.optout import register
from pipeline.optout.events import Stop
from pipeline.status import snapshot
from tests.chaos.starved import starved
from tests.lake import bucket, proxy
from tests.testbed.running import CENSUS

#: The victim of each run of a program: of `census work`, or of `census sweep` with Prefect's server and its flow.
RUNS = (
    ("work", "sender"),
    ("work", "associator"),
    ("work", "writer"),
    ("work", "worker"),
    ("sweep", "server"),
    ("sweep", "flow"),
)
VICTIMS = [victim for _, victim in RUNS]
#: The same where all processes of a program are killed at once, as by a machine that loses its power.
EVERYTHING = "everything"
RUNS_OF_EVERYTHING = (("work", EVERYTHING), ("sweep", EVERYTHING))
#: How long a victim works before it is killed, in seconds.
ALIVE_SECONDS = (0.5, 3.0)
#: How many ranges are finished before everything is killed: the hit-rate alarm then has ranges to compare with.
RECEIPTS_BETWEEN = (2, 4)
#: How long a program may take to end after one of its processes was killed, and to finish the sweep, in seconds.
END_SECONDS, FINISH_SECONDS = 240, 900
FAULTS = (("PUT", "lose_request"), ("PUT", "lose_reply"), ("PUT", "busy"), ("GET", "busy"), ("GET", "lose_reply"))
ROWS = "SELECT ip, port, outcome FROM responses"
RECEIPTS = """
SELECT sum(revisited)::INT AS revisited, sum(attempts)::INT AS attempts, count(revisited) = count(*) AS known,
    count_if(probes_abandoned IS NULL)::INT AS unknown FROM receipts
"""
#: Memory that a writer may take when it gets too little, in bytes.
MORE_BYTES = 1 << 20
#: Room for a lake, but soon filled.
DISK_BYTES = 64 << 20


@dataclass(slots=True)
class Disturbed:
    """A sweep under repeated disturbances."""

    plan: Path
    lake: str
    log: Path
    """The log of the running program."""
    senders: int
    random: random.Random
    begun: bool = False
    """The plan is in the lake."""
    killed: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    misled: list[str] = field(default_factory=list)
    """What the status said that cannot be, while a resumed sweep was finished."""

    def kill(self, name: str, victim: str) -> None:
        """Run a program, kill its victim while the victim is at work, and wait for the program's end."""
        with self.running(name) as program:
            found = awaited(program, victim, self.senders)
            self.begun = True  # a program whose stages run has begun, and one that ended has finished
            if found is None:
                return  # nothing was left to do
            if victim == EVERYTHING:
                self.wait_for_receipts(program, self.random.randint(*RECEIPTS_BETWEEN))
            time.sleep(self.random.uniform(*ALIVE_SECONDS))
            with suppress(ProcessLookupError):
                (os.killpg if victim == EVERYTHING else os.kill)(found, signal.SIGKILL)
                self.killed[victim] += 1
            code = self.ended(program)
            print(f"chaos: killed {victim}; the program ended with {code}", file=sys.stderr, flush=True)

    def wait_for_receipts(self, program: "subprocess.Popen[bytes]", count: int) -> None:
        """Wait until a program has finished so many ranges, or has ended."""
        paths = SweepPaths(store.at(self.lake), layout.read_plan(self.plan).sweep)
        before = len(receipts.finished(paths))
        while program.poll() is None and len(receipts.finished(paths)) < before + count:
            time.sleep(0.3)

    def fill(self, disk: Path) -> None:
        """Fill the disk while the program works, until the program gives up."""
        with self.running("work") as program:
            if awaited(program, "writer", self.senders) is None:
                return
            time.sleep(self.random.uniform(0.5, 2.0))
            with full(disk):
                code = self.ended(program)
            self.killed["disk"] += 1
            self.complaints += self.log.read_text().strip().splitlines()[-1:]
            print(f"chaos: the disk was full; the program ended with {code}", file=sys.stderr, flush=True)

    def starve(self) -> None:
        """Let the writer have no more memory while the program works, until the program gives up."""
        with self.running("work") as program:
            writer = awaited(program, "writer", self.senders)
            if writer is None:
                return
            time.sleep(self.random.uniform(0.5, 2.0))
            with starved(writer, MORE_BYTES) as means:
                code = self.ended(program)
            self.killed["memory"] += 1
            print(
                f"chaos: the writer had no memory ({means}); the program ended with {code}", file=sys.stderr, flush=True
            )

    def ended(self, program: "subprocess.Popen[bytes]") -> int:
        """The exit code of a program that should end by itself."""
        try:
            return program.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            sys.exit(f"chaos: a program does not end after {END_SECONDS} s: {self.log.read_text()[-3000:]}")

    def finish(self) -> None:
        """Finish and verify the sweep. Raises CalledProcessError if either fails."""
        until = time.monotonic() + FINISH_SECONDS
        with self.running("sweep") as program:
            while program.poll() is None:
                if time.monotonic() > until or stops(self.lake):
                    sys.exit(f"chaos: it is not finished: {stops(self.lake)} {self.log.read_text()[-3000:]}")
                self.look()
                time.sleep(1)
        if program.returncode:
            sys.exit(f"chaos: the last run ended with {program.returncode}: {self.log.read_text()[-3000:]}")
        subprocess.run([*CENSUS, "verify", self.lake], check=True, timeout=FINISH_SECONDS)

    def look(self) -> None:
        """Keep what the status says that cannot be: more targets than there are, or all done while somebody is at work."""
        status = snapshot.status(layout.open_sweep(store.at(self.lake), None))
        if status.funnel["probed"] > status.targets or (status.share >= 1 and status.state == "running"):
            self.misled.append(f"{status.state}, {status.share:.1%}, {status.funnel['probed']} of {status.targets}")

    def command(self, program: str) -> list[str]:
        """The command line of the program."""
        resume = ["--resume"] if program == "sweep" and self.begun else []
        return [*CENSUS, program, str(self.plan), "--lake", self.lake, *resume]

    @contextmanager
    def running(self, program: str) -> Iterator["subprocess.Popen[bytes]"]:
        """Run the program in a session of its own, and kill all processes of that session at the end."""
        command = self.command(program)
        with self.log.open("wb") as log, subprocess.Popen(command, start_new_session=True, stderr=log) as process:
            try:
                yield process
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def awaited(program: "subprocess.Popen[bytes]", victim: str, senders: int) -> int | None:
    """The pid of the victim, once the program's stages run; None if the program ends earlier."""
    while program.poll() is None:
        children = processes(program.pid)
        forking = [pid for pid, command in children if "forkserver" in command]
        stages = [pid for parent in forking for pid, _ in processes(parent)]
        servers = [pid for pid, command in children if "prefect.server" in command]
        if len(stages) == senders + 2:
            names = {
                "sender": stages[0],
                "associator": stages[-2],
                "writer": stages[-1],
                "server": (servers or [None])[0],
            }
            found = names.get(victim, program.pid)
            if found is not None:
                return found
        time.sleep(0.05)
    return None


def processes(parent: int) -> list[tuple[int, str]]:
    """The children of a process and their command lines, oldest first."""
    threads = Path(f"/proc/{parent}/task").glob("*/children")
    children = sorted(int(child) for thread in threads for child in _read(thread).split())
    return [(child, _read(Path(f"/proc/{child}/cmdline")).replace(b"\0", b" ").decode()) for child in children]


def _read(file: Path) -> bytes:
    """A file of /proc; nothing of a process that has ended."""
    with suppress(OSError):
        return file.read_bytes()
    return b""


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Fill a disk for the duration of the block."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        size = 1 << 20
        while size:
            try:
                file.write(bytes(size))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                size //= 2
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def faulty_bucket(folder: Path, chance: random.Random) -> Iterator[tuple[str, Counter[str]]]:
    """The URL of a bucket behind a network that fails now and then, and counts of the failures."""
    met: Counter[str] = Counter()
    over = threading.Event()
    with bucket.serving() as endpoint, proxy.before(endpoint) as before:
        lake = bucket.make(endpoint) + "/lake"
        os.environ |= {**bucket.KEYS, "AWS_ENDPOINT_URL": before.url, "XDG_CACHE_HOME": str(folder / "cache")}

        def spoil() -> None:
            while not over.wait(chance.uniform(0.2, 1.0)):
                before.faults[:] = [chance.choice(FAULTS)]

        thread = threading.Thread(target=spoil, daemon=True)
        thread.start()
        try:
            yield lake, met
        finally:
            over.set()
            thread.join()
            met.update(before.met)


def asked_of(lake: str, *queries: str) -> list[Any]:
    """The rows of each query."""
    command = [*CENSUS, "sql", lake, "--format", "json", ";".join(queries)]
    return [json.loads(line) for line in subprocess.run(command, check=True, capture_output=True).stdout.splitlines()]


def stops(lake: str) -> list[str]:
    """Why the register of a lake was ever stopped."""
    events = register.load(register.of("", store.at(lake)))[1].events
    return [event.reason for event in events if isinstance(event, Stop)]


def main() -> None:
    """Disturb a sweep as the command line specifies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--kills", type=int, required=True)
    parser.add_argument("--senders", type=int, default=1)
    parser.add_argument("--bucket", action="store_true", help="the lake is in a bucket behind a bad network")
    parser.add_argument(
        "--everything", action="store_true", help="kill all processes at once, and leave the disk alone"
    )
    asked = parser.parse_args()
    chance, folder = random.Random(asked.seed), asked.folder
    runs = list(islice(cycle(RUNS_OF_EVERYTHING if asked.everything else RUNS), asked.kills))
    chance.shuffle(runs)
    with ExitStack() as stack:
        met: Counter[str] = Counter()
        if asked.bucket:
            lake, met = stack.enter_context(faulty_bucket(folder, chance))
        else:
            disk = folder / "disk"
            disk.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "chaos", str(disk)], check=True)
            lake = str(disk / "lake")
        sweep = Disturbed(folder / "plan.json", lake, folder / "program.log", asked.senders, chance)
        for number, run in enumerate(runs):
            if not (asked.bucket or asked.everything) and number == len(runs) // 2:
                sweep.fill(disk)
                sweep.starve()
            sweep.kill(*run)
        sweep.finish()
        rows, sums = asked_of(lake, ROWS, RECEIPTS)
        told = {"killed": sweep.killed, "complaints": sweep.complaints, "misled": sweep.misled, "stops": stops(lake)}
    print(json.dumps(told | {"met": met, "rows": rows, "receipts": sums[0]}))


if __name__ == "__main__":
    main()
