"""Other programs agree: ZMap's zblacklist and dry run, masscan's list scan, in a network namespace without a route out."""

import re
import subprocess
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
import pytest

from pipeline.space import address_list, blocklist
from pipeline.space.permutation import Permutation
from pipeline.space.ranges import Ranges, Space
from pipeline.space.shard import Walk

SHARDS = 3
#: 8.8.8.0/24 and 9.9.9.0/26, without 8.8.8.16/28 and 9.9.9.63.
INCLUDED, EXCLUDED = ("8.8.8.0/24", "9.9.9.0/26"), ("8.8.8.16/28", "9.9.9.63/32")
#: ZMap needs an interface with a route, even to send nothing.
LINK = (
    "ip link add probe0 type veth peer name probe1 && ip address add 198.18.0.1/30 dev probe0 && ip link set probe0 up && "
    "ip link set probe1 up && ip route add default via 198.18.0.2 && exec "
)
ZMAP = (
    "zmap --dryrun --target-port=104 --source-ip=198.18.0.1 --gateway-mac=02:00:00:00:00:02 --interface=probe0 --quiet "
)
ZMAP += "--cooldown-time=0"


def isolated(command: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a shell command in a separate network namespace, which has no link to any other."""
    words = ["unshare", "--net", "sh", "-c", command]
    return subprocess.run(words, input=given, capture_output=True, text=True, timeout=120, check=True)


def blocks(folder: Path, name: str, texts: list[str] | tuple[str, ...]) -> Path:
    """Write a list of blocks, one a line."""
    path = folder / name
    path.write_text("".join(f"{text}\n" for text in texts))
    return path


@pytest.fixture
def blacklist(tmp_path: Path) -> Path:
    """The special-purpose registry as ZMap reads it."""
    return blocks(tmp_path, "special", [entry.text for entry in blocklist.special_purpose().entries])


def test_allowed_count(blacklist: Path, tmp_path: Path) -> None:
    """zblacklist counts as many addresses outside of the special-purpose list as we do."""
    everything = blocks(tmp_path, "all", ["0.0.0.0/0"])
    stderr = isolated(f"zblacklist -b {blacklist} -w {everything} -v 5", "8.8.8.8\n").stderr
    match = re.search(r"(\d+) addresses \(\d+% of address space\) can be scanned", stderr)
    assert match and int(match[1]) == 2**32 - blocklist.special_purpose().ranges.count


def test_membership(blacklist: Path, tmp_path: Path) -> None:
    """zblacklist passes the same addresses: random ones, and both sides of both ends of every block."""
    special = blocklist.special_purpose().ranges
    edges = np.concatenate([special.first - 1, special.first, special.last, special.last + 1])
    addresses = np.unique(
        np.concatenate([edges, np.random.default_rng(1).integers(0, 2**32, 20_000)]).clip(0, 2**32 - 1)
    )
    everything = blocks(tmp_path, "all", ["0.0.0.0/0"])
    given = "".join(f"{IPv4Address(int(address))}\n" for address in addresses)
    passed = isolated(f"zblacklist -b {blacklist} -w {everything} -v 0", given).stdout.split()
    assert passed == [str(IPv4Address(int(address))) for address in addresses[~special.contains(addresses)]]


def by_us(shard: int, _folder: Path) -> list[str]:
    """The addresses of a shard in our order."""
    parse = [[address_list.parse(text, "here") for text in texts] for texts in (INCLUDED, EXCLUDED)]
    space = Ranges.of(parse[0]).subtract(Ranges.of(parse[1]))
    walk = Walk(
        space=Space.over(space),
        permutation=Permutation.seeded(space.count, 7),
        ports=(104,),
        addresses=space.count,
        shards=SHARDS,
        range_targets=50,
    )
    first, end = walk.bounds(shard)
    return [str(IPv4Address(int(address))) for address in walk.targets(shard, 0, end - first)[0]]


def by_zmap(shard: int, folder: Path) -> list[str]:
    """The addresses of a shard in ZMap's order."""
    lists = f"-w {blocks(folder, 'in', INCLUDED)} -b {blocks(folder, 'out', EXCLUDED)}"
    printed = isolated(f"{LINK} {ZMAP} {lists} --seed=7 --shards={SHARDS} --shard={shard}").stdout
    return re.findall(r"daddr: ([\d.]+)", printed)


def by_masscan(shard: int, _folder: Path) -> list[str]:
    """The addresses of a shard in masscan's order."""
    lists = " ".join([*(f"--range {text}" for text in INCLUDED), *(f"--exclude {text}" for text in EXCLUDED)])
    return isolated(f"masscan -sL {lists} --seed 7 --shards {shard + 1}/{SHARDS}").stdout.split()


@pytest.mark.parametrize("producer", [by_us, by_zmap, by_masscan])
def test_partition(producer: Callable[[int, Path], list[str]], tmp_path: Path) -> None:
    """Our shards, ZMap's and masscan's are disjoint and complete; ours and masscan's differ in size by one at most."""
    shards = [producer(shard, tmp_path) for shard in range(SHARDS)]
    together = [address for shard in shards for address in shard]
    assert len(together) == len(set(together)) == 256 + 64 - 16 - 1
    assert set(together) == {address for shard in range(SHARDS) for address in by_us(shard, tmp_path)}
    assert max(map(len, shards)) - min(map(len, shards)) <= 1 or producer is by_zmap
