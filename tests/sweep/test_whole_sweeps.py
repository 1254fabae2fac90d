"""Focus sweeps: what they begin with, and a real one in a testbed, compared with the truth."""

from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import msgspec
import numpy as np
import pytest

from pipeline.errors import CensusError, GuardError, InputError
from pipeline.lake import parts
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.plan.plan import Plan
from pipeline.site import read_lake
from pipeline.space.ranges import Ranges
from pipeline.sweep import freeze, run
from pipeline.sweep.unchanged import require_unchanged
from pipeline.testbed import spec, truth
from pipeline.views import connection
from tests.publish import demo, history
from tests.testbed.running import packets, swept

CONFIG = """
sweep = {{ name = "{name}", ports = [{ports}], seed = 5, rate = 20000, shards = 2, profile = "{profile}" }}
targets = {{ include = ["11.0.0.0/17"], exclude = ["11.0.3.0/30"]{focus} }}
probe = {{ cooldown = 3.0 }}
loss = {{ sample = 0.0 }}
lake = {{ url = "{lake}" }}
"""
FOCUS = ', focus = { name = "whole", sample = 0.25, sweeps = %d }'
#: Hosts in a /24 where services were, and in sixteen others.
WORLD = """
[internet]
seed = 3
[[internet.block]]
addresses = ["11.0.3.0/24", "11.0.64.0/20"]
ports = [104]
density = 0.02
mix = { accepts = 2, rejects = 1, silent = 1 }
"""
SPEAKS = ("accepted", "echoed", "rejected", "aborted")
#: Services of the whole sweep, and their /24s.
SERVICES = ("11.0.3.77", "11.0.3.200", "11.0.70.9")
KNOWN = (0x0B0003, 0x0B0046)


def config(
    folder: Path, name: str = "focus", *, ports: str = "104", profile: str = "associate", sweeps: int = 1
) -> Path:
    """A configuration, of a focus sweep unless its name is `whole`."""
    path = folder / f"{name}.toml"
    focus = FOCUS % sweeps if name != "whole" else ""
    path.write_text(CONFIG.format(name=name, ports=ports, profile=profile, focus=focus, lake=folder / "lake"))
    return path


def begun(folder: Path) -> Sweep:
    """Begin a whole sweep."""
    return run.begin(freeze.freeze(config(folder, "whole")), folder / "lake")


def sealed(sweep: Sweep) -> SweepPaths:
    """Write made-up facts as those of a sealed sweep."""
    plan, paths = sweep.plan, sweep.paths
    services = [{"ip": int(IPv4Address(ip)), "port": 104, "outcome": "accepted"} for ip in SERVICES]
    others = [{"ip": int(IPv4Address("11.0.9.9")), "port": 104, "outcome": "silent"}]
    tables = {
        "sweeps": [demo.sweep_row(plan.addresses, 4)],
        "responses": [*services, *others],
        "associations": services,
    }
    for name, rows in tables.items():
        parts.write(paths.sealed(name), parts.tidy([history.arrow(name, rows)], name), name, paths.id)
    return paths


def refused(path: Path, words: str) -> None:
    """Freezing is refused by the file, the key and these words."""
    with pytest.raises(InputError, match=rf"{path}, key targets\.focus\.name: .*{words}"):
        freeze.freeze(path)


def test_a_focus_needs_whole_sweeps_of_its_kind(tmp_path: Path) -> None:
    """Without a lake, or with an unsealed, too few, or differing whole sweeps, no plan is made, and the error says what to do."""
    refused(
        config(tmp_path),
        "lake has 0 of 1 whole sweeps of 'whole' to begin with; run `census sweep` without a focus first",
    )
    sweep = begun(tmp_path)
    refused(config(tmp_path), f"{sweep.paths.id} is not sealed; finish it with")
    sealed(sweep)
    refused(config(tmp_path, ports="104, 11112"), r"sweep\.ports = \[104\], and this configuration \[104, 11112\]")
    refused(config(tmp_path, profile="echo"), r"sweep\.profile = associate, and this configuration echo")
    refused(config(tmp_path, sweeps=9), "of 9 whole sweeps")


def test_a_focus_begins_with_services_alone(tmp_path: Path) -> None:
    """Known are the /24s of services, not those of silent hosts; a focus sweep in the lake is nothing to begin with."""
    paths = sealed(begun(tmp_path))
    plan = freeze.freeze(config(tmp_path))
    assert plan.focus and plan.focus.sweeps == (paths.id,)
    known = ((0x0B000304, 0x0B0003FF), (0x0B004600, 0x0B0046FF))
    assert plan.focus.known == known
    run.begin(plan, tmp_path / "lake")
    other = msgspec.structs.replace(plan, sweep=f"{plan.sweep[:16]}-whole-2")
    run.begin(freeze.sign_plan(other), tmp_path / "lake")
    again = freeze.freeze(config(tmp_path))
    assert again.focus == plan.focus


def test_resuming_needs_the_same_focus(tmp_path: Path) -> None:
    """An opt-out in the meantime changes nothing of the configuration; another sample does."""
    paths = sealed(begun(tmp_path))
    plan = freeze.freeze(config(tmp_path))
    assert plan.focus
    smaller = msgspec.structs.replace(plan.focus, space=plan.focus.space[:-1], addresses=9)
    require_unchanged(plan, msgspec.structs.replace(plan, focus=smaller), paths)
    other = msgspec.structs.replace(plan, focus=msgspec.structs.replace(plan.focus, sample=0.5))
    with pytest.raises(GuardError, match="field focus.sample"):
        require_unchanged(plan, other, paths)


def test_a_draw_that_was_chosen_by_hand_is_found(tmp_path: Path) -> None:
    """`census verify` draws again: /24s that the seed does not draw are a fault, although the plan is signed."""
    sealed(begun(tmp_path))
    plan = freeze.freeze(config(tmp_path))
    picked = freeze.sign_plan(msgspec.structs.replace(plan, settings=msgspec.structs.replace(plan.settings, seed=6)))
    with pytest.raises(CensusError, match="probes other /24s than its seed draws"):
        run.require_verified(Sweep(picked, SweepPaths(tmp_path / "lake", picked.sweep)))


@dataclass(frozen=True)
class Swept:
    """A focus sweep that was run in a testbed, and its plan, capture and world."""

    plan: Plan
    paths: SweepPaths
    capture: Path
    world: Path


@pytest.fixture(scope="module")
def focus(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    """A focus sweep after the whole one, verified, sealed and enriched."""
    folder = tmp_path_factory.mktemp("focus")
    sealed(begun(folder))
    (folder / "world.toml").write_text(WORLD)
    paths = swept(config(folder), folder, spec=folder / "world.toml", capture=folder / "all.pcap")
    return Swept(Sweep.open(paths).plan, paths, folder / "all.pcap", folder / "world.toml")


def test_only_the_strata_are_probed(focus: Swept) -> None:
    """Each address of both strata gets one SYN to the port, and no other address of the space gets any."""
    sent = [
        int.from_bytes(ip.dst, "big") for ip in packets(focus.capture) if ip.data.dport == 104 and ip.data.flags == 2
    ]
    space = Ranges.of(focus.plan.focus.space if focus.plan.focus else ())
    probed = Ranges.of(focus.plan.ranges)
    assert sorted(sent) == [number for first, last in probed.pairs() for number in range(first, last + 1)]
    assert probed.count == 252 + 256 + 32 * 256 and space.count == 2**15 - 4


def test_the_estimate_follows_from_the_truth(focus: Swept) -> None:
    """All services at probed addresses are found; those in drawn /24s count 126 / 32 times; what was not probed is not gone.

    A site leaves the sweep out."""
    there = [row.address for row in truth.truth(spec.load(focus.world), (104,)) if row.outcome in SPEAKS]
    found = np.array(sorted(number for number in there if Ranges.of(focus.plan.ranges).contains(np.array([number]))[0]))
    known = int(np.isin(found >> 8, KNOWN).sum())
    with connection.connect(focus.paths.lake) as con:
        seen = con.execute("SELECT ip FROM exposed_2026_11 WHERE sweep = ? ORDER BY ip", [focus.paths.id]).fetchall()
        columns = "services, services_known, services_estimated, services_low, services_high, inclusion"
        (row,) = con.execute(f"SELECT {columns} FROM focus_totals WHERE of_all").fetchall()
        changed = con.execute("SELECT count(*) FROM transitions").fetchall()
        series = con.execute("SELECT count(*) FROM series WHERE sweep = ?", [focus.paths.id]).fetchall()
    assert [number for (number,) in seen] == found.tolist() and 0 < known < len(found)
    drawn = len(found) - known
    assert row[:2] == (len(found), known) and row[2] == pytest.approx(known + drawn * 126 / 32)
    assert row[3] < row[2] < row[4] and row[5] == 32 / 126
    assert changed == series == [(0,)]
    assert focus.paths not in read_lake.sealed(focus.paths.lake)[0]
