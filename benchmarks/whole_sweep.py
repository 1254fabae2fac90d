"""A whole sweep, from plan to seal: 2^28 targets of which one in 200 answers, by this checkout and by others in turn.

`python -m benchmarks.whole_sweep [--bits B] [--senders N] [--against TREE …] [--silent]`. `census sweep` visits 2^B addresses on one
port, as fast as it can. An XDP program at the far end drops SYNs to addresses without a host, so that the simulated internet, which
shares the machine, reads only what its hosts are sent. *Recall* is the share of the hosts that have a row; *there* and *here* are
packets that found no room, in the internet's ring and in ours, which a receipt counts. *Internet* is how much of a core it took, and
*times* the sweep's seconds as a multiple of the first one's. With `--silent` nobody answers: the far end drops every frame. Prefect
makes a new database for each sweep, unless PREFECT_HOME names one.
"""

import argparse
import ipaddress
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import msgspec

from benchmarks import far_end
from benchmarks.greetings import MIX, PORT, census, internet, spent
from pipeline.bpf.assembler import R0, R1, R2, R3, R4, Assembler
from pipeline.bpf.kernel import XdpAction
from pipeline.guard.proof import TESTBED
from pipeline.guard.sockets import ONLY_TESTBED
from pipeline.testbed.closed import NamespacePair, closed_pair, inside
from pipeline.wire.packet import ETHERNET, SYN

#: The first address, 16.0.0.0: of the 2^28 from there on none is special.
FIRST = 16 << 24
#: One address of so many is a host; those whose lower 16 bits it divides.
ONE_IN = 200
#: Where in a frame the lower 16 bits of the destination are.
LOWER = ETHERNET + 18
RATE = 10_000_000
SWEEP = """\
sweep = {{ name = "whole", ports = [{port}], seed = 5, rate = {rate}, shards = 4, profile = "echo" }}
targets = {{ include = ["{first}/{prefix}"] }}
probe = {{ senders = {senders} }}
control = {{ sample = 0.0 }}
"""
WORLD = """\
[internet]
seed = 9

[[internet.block]]
addresses = ["{first}/{prefix}"]
ports = [{port}]
density = 1.0
mix = {mix}
"""
HEAD = (
    f"{'tree':<10}{'engine':<10}{'seconds':>9}{'sending':>9}{'targets/s':>12}{'hosts':>11}{'recall':>10}{'there':>9}{'here':>7}"
    f"{'internet':>10}{'times':>10}"
)


@dataclass(frozen=True, slots=True)
class Swept:
    """What came of a sweep: engine, seconds, hosts with a row, packets dropped there and here, the internet's share of a core."""

    engine: str
    seconds: float
    sending: float
    found: int
    there: int
    here: int
    internet: float


def hosts(bits: int) -> int:
    """How many of the first 2^`bits` addresses are hosts."""
    return (1 << bits - 16) * len(range(0, 2**16, ONE_IN))


def to_hosts() -> bytes:
    """The XDP program that drops a SYN to an address without a host, and passes every other frame."""
    program = Assembler()
    program.load(4, R2, R1, 4)
    program.load(4, R1, R1, 0)
    program.alu("mov", R3, R1)
    program.alu("add", R3, far_end.FLAGS + 1)
    program.jump("gt", R3, R2, "pass")
    program.load(1, R2, R1, far_end.FLAGS)
    program.jump("ne", R2, SYN, "pass")
    program.load(2, R3, R1, LOWER)
    program.big_endian(R3, 16)
    program.alu("mov", R4, R3)
    program.alu("div", R4, ONE_IN)
    program.alu("mul", R4, ONE_IN)
    program.jump("eq", R3, R4, "pass")
    program.alu("mov", R0, XdpAction.DROP.value)
    program.exit()
    program.label("pass")
    program.alu("mov", R0, XdpAction.PASS.value)
    program.exit()
    return program.assemble()


@contextmanager
def played(pair: NamespacePair, folder: Path, prefix: int, environment: dict[str, str]) -> Iterator[list[float]]:
    """The internet and its filter; afterwards the list has its CPU time in seconds and the packets that it dropped."""
    world, figures = folder / "world.toml", [0.0, 0.0]
    world.write_text(WORLD.format(first=ipaddress.IPv4Address(FIRST), prefix=prefix, port=PORT, mix=MIX))
    link = far_end.attach_code(pair.world, "world0", to_hosts())
    with internet(pair, world, environment) as playing:
        yield figures
        figures[0] = float(spent(playing.pid).sum())
        playing.send_signal(signal.SIGTERM)
        figures[1] = json.loads(playing.communicate(timeout=60)[0])["dropped"]
    link.close()


@contextmanager
def silent(pair: NamespacePair) -> Iterator[list[float]]:
    """A far end that drops every frame."""
    link = far_end.attach(pair.world, "world0", XdpAction.DROP)
    yield [0.0, 0.0]
    link.close()


def swept(pair: NamespacePair, folder: Path, tree: Path, given: argparse.Namespace) -> Swept:
    """Sweep by a checkout."""
    config, lake, manifest, prefix = (*(folder / name for name in ("sweep.toml", "lake", "pair.json")), 32 - given.bits)
    config.write_text(
        SWEEP.format(port=PORT, rate=RATE, first=ipaddress.IPv4Address(FIRST), prefix=prefix, senders=given.senders)
    )
    manifest.write_bytes(msgspec.json.encode(pair.manifest))
    home = {"PREFECT_HOME": str(folder / "prefect")}
    environment = home | os.environ | {TESTBED: str(manifest), ONLY_TESTBED: "1"}
    with silent(pair) if given.silent else played(pair, folder, prefix, environment) as figures:
        begun = time.monotonic()
        command = [*inside(pair.vantage, tree), *census("sweep", config, "--lake", lake)]
        ended = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - begun
    if ended.returncode:
        sys.exit(ended.stderr[-2000:])
    with duckdb.connect() as con:
        counts = "sum(send_seconds), sum(ring_dropped), min(engine)"
        sending, here, engine = con.execute(f"SELECT {counts} FROM '{lake}/receipts/**/*.parquet'").fetchall()[0]
        found = con.execute(f"SELECT count(DISTINCT ip) FROM '{lake}/responses/**/*.parquet'").fetchall()[0][0]
    return Swept(engine, seconds, sending, found, int(figures[1]), int(here), figures[0] / seconds)


def row(tree: Path, swept: Swept, given: argparse.Namespace, first: Swept) -> str:
    """A line of the table."""
    recall = "" if given.silent else f"{swept.found / hosts(given.bits):.3%}"
    return (
        f"{tree.name[:9]:<10}{swept.engine:<10}{swept.seconds:>9.1f}{swept.sending:>9.1f}{2**given.bits / swept.seconds:>12,.0f}"
        f"{swept.found:>11,}{recall:>10}{swept.there:>9,}{swept.here:>7,}{swept.internet:>10.2f}{swept.seconds / first.seconds:>9.2f}×"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bits", type=int, choices=range(16, 29), default=28, metavar="16–28")
    parser.add_argument("--senders", type=int, default=1)
    parser.add_argument("--silent", action="store_true", help="nobody answers")
    parser.add_argument("--against", type=Path, nargs="*", default=[], metavar="TREE", help="other checkouts")
    given = parser.parse_args()
    print(HEAD, flush=True)
    first = None
    for tree in [Path.cwd(), *(tree.resolve() for tree in given.against)]:
        with tempfile.TemporaryDirectory() as folder, closed_pair() as pair:
            one = swept(pair, Path(folder), tree, given)
        first = first or one
        print(row(tree, one, given, first), flush=True)


if __name__ == "__main__":
    main()
