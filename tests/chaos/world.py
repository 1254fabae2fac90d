"""The world of a disturbed sweep, the sweep's plan, and the row that every target must have at the end."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.testbed import spec, truth
from tests.testbed.running import frozen

PORT = 104
#: The mix has every kind of conversation.
WORLD = """
[internet]
seed = 20260211
delays = [0.0, 0.03, 0.2]
persistent = 1.0

[[internet.block]]
addresses = ["11.0.0.0/{prefix}"]
ports = [104]
density = {density}
country = "GB"
mix = {{ accepts = 6, rejects = 6, aborts = 2, split = 2, http = 6, silent = 4, resets = 2, closes = 2 }}
"""
SWEEP = """
sweep = {{ name = "chaos", ports = [104], seed = 20260211, rate = {rate}, shards = {shards}, profile = "echo" }}
targets = {{ include = ["11.0.0.0/{prefix}"] }}
loss = {{ sample = 0.0 }}
control = {{ sample = 0.0 }}
probe = {{ cooldown = 2.0, senders = {senders} }}
"""
#: Seconds of sending between two kills, roughly: a worker must make progress before it dies.
SECONDS_A_KILL = 3


@dataclass(frozen=True, slots=True)
class World:
    """Files of a world in a folder: its specification, and the plan of a sweep that lasts long enough for all kills."""

    spec: Path
    plan: Path

    @classmethod
    def made(
        cls, folder: Path, *, kills: int, senders: int, prefix: int, shards: int, density: float = 0.02
    ) -> "World":
        """Write the world with the addresses 11.0.0.0/`prefix`, a share of which are hosts, and freeze the plan.

        The hit-rate alarm is on: a sweep that is resumed must not stop itself.
        """
        world = cls(folder / "world.toml", folder / "plan.json")
        world.spec.write_text(WORLD.format(prefix=prefix, density=density))
        rate = (1 << 32 - prefix) // (SECONDS_A_KILL * (kills + 3))
        (folder / "sweep.toml").write_text(SWEEP.format(rate=rate, senders=senders, prefix=prefix, shards=shards))
        frozen(folder / "sweep.toml", world.plan)
        return world

    def truth(self) -> dict[tuple[int, int], str]:
        """The outcome of every target that has one."""
        rows = truth.truth(spec.load(self.spec), (PORT,))
        return {(row.address, row.port): row.outcome for row in rows if row.outcome}
