"""Behind a real NAT: everything is found while its table has room; when it has not, hosts look absent, and the warning said so."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.config import local
from pipeline.plan import plan as planning
from pipeline.sweep import freeze
from pipeline.views import connection
from tests.testbed.networks import Network, network
from tests.testbed.running import CENSUS, ROOT, environment

HOSTS, PUBLIC = 256, "20.1.0.2"
#: 256 hosts answer, and as many SYNs again stay unanswered in the table.
SWEEP = """
sweep = {{ name = "nat", ports = [104], seed = 1, rate = {rate}, shards = 1 }}
targets = {{ include = ["11.0.0.0/23"] }}
loss = {{ sample = 0.0 }}
control = {{ sample = 0.0 }}
probe = {{ cooldown = 1.0, engine = "{engine}" }}
"""
#: The table has room for so many connections.
LIMIT = """
table ip full {{
  chain forward {{ type filter hook forward priority 0; ct state new ct count over {most} drop; }}
}}
"""
MASQUERADE = """
table ip nat_router {
  chain postrouting { type nat hook postrouting priority srcnat; oifname "out" masquerade; }
}
"""


@pytest.fixture
def behind_nat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """A vantage 10.0.0.5, a router that masquerades it as 20.1.0.2, and a world of which 11.0.0.0/24 answers."""
    with network("vantage", "router", "world") as made:
        made.link("vantage", "m0", "router", "in")
        made.link("router", "out", "world", "wr")
        made.ip("vantage", "address add 10.0.0.5/24 dev m0", "route add default via 10.0.0.1 dev m0")
        made.ip(
            "router",
            "address add 10.0.0.1/24 dev in",
            f"address add {PUBLIC}/30 dev out",
            "route add default via 20.1.0.1",
        )
        made.ip(
            "world",
            "address add 20.1.0.1/30 dev wr",
            "route add local 11.0.0.0/24 dev lo",
            "route add blackhole 11.0.1.0/24",
        )
        made.nft("router", MASQUERADE)
        made.route("router")
        made.send_from("vantage", tmp_path, monkeypatch)
        with made.serving("world"):
            yield made


def sweep(folder: Path, *, rate: int = 1000, engine: str = "ring") -> tuple[int, str, str]:
    """Run a sweep; how many hosts answered, the vantage of its receipts, and what it printed."""
    (folder / "sweep.toml").write_text(SWEEP.format(rate=rate, engine=engine))
    (folder / "plan.json").write_bytes(planning.encode(freeze.freeze(folder / "sweep.toml", folder / "lake")))
    command = [*CENSUS, "work", str(folder / "plan.json"), "--lake", str(folder / "lake")]
    ended = subprocess.run(command, cwd=ROOT, env=environment(folder), capture_output=True, text=True, timeout=240)
    assert ended.returncode == 0, ended.stderr[-2000:]
    with connection.connect(folder / "lake") as con:
        (found,) = con.execute("SELECT count(*)::INT FROM responses").fetchone() or (0,)
        (vantage,) = con.execute("SELECT DISTINCT vantage FROM receipts").fetchone() or ("",)
    return found, vantage, ended.stderr


@pytest.mark.parametrize("engine", ["ring", "connect"])
def test_behind_a_nat(behind_nat: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    """Every host is found, receipts name the address that it saw, and the NAT's entries are announced."""
    monkeypatch.setenv(local.PUBLIC_ADDRESS, PUBLIC)
    found, vantage, printed = sweep(tmp_path, engine=engine)
    assert (found, vantage) == (HOSTS, PUBLIC)
    assert "behind a NAT: its table needs 512 entries at 1,000 probes/s" in printed


def test_a_full_table(behind_nat: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With less room than the entries that the warning names, hosts look absent; with that room all are found."""
    monkeypatch.delenv(local.PUBLIC_ADDRESS, raising=False)
    behind_nat.nft("router", LIMIT.format(most=100))
    found, vantage, printed = sweep(tmp_path)
    print(f"{found} of {HOSTS} hosts through a table of 100 entries")
    assert found < HOSTS and vantage == "10.0.0.5"
    warnings = [line for line in printed.splitlines() if line.startswith("warning: ")]
    assert any("10.0.0.5 is a private address" in line and local.PUBLIC_ADDRESS in line for line in warnings)
    (needed,) = [int(entries) for line in warnings for entries in re.findall(r"its table needs (\d+) entries", line)]
    behind_nat.ip("router", "link set in down", "link set in up")
    behind_nat.nft("router", "delete table ip full\n" + LIMIT.format(most=needed))
    again = tmp_path / "again"
    again.mkdir()
    assert sweep(again)[0] == HOSTS
