"""The plan: what a sweep will do, fixed and hashed before the first packet.

The digest covers everything that decides who is probed and how, the bytes of the requests included. Two plans that differ in
any of it differ in digest; a worker refuses a plan whose digest is not that of its content.
"""

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from pipeline.config import CapsSection, Config, IdentitySection, ProbeSection, SweepSection
from pipeline.errors import GuardError, InputError
from pipeline.space import caps
from pipeline.space.atlas import Atlas, Reference
from pipeline.space.caps import Load
from pipeline.space.permutation import Permutation
from pipeline.space.ranges import Ranges, Space, parse, parse_lines
from pipeline.space.shard import Walk

SPECIAL_PURPOSE = Path(__file__).parents[2] / "data" / "reference" / "special-purpose.toml"

#: Fields of a plan that decide others.
CAUSES = ("code_version", "reference", "settings", "caps", "identity", "probe", "requests", "digests")

#: A range is 5–60 s of sending (DESIGN §4).
RANGE_SECONDS = 10


class RangeList(msgspec.Struct, frozen=True):
    """A named list of the configuration, and how many addresses it put into or took from the target space."""

    name: str
    addresses: int
    digest: str


class Digests(msgspec.Struct, frozen=True, kw_only=True):
    """SHA-256, hexadecimal, of what decides who is probed; those of the databases stand in `Reference`."""

    target_space: str
    exclusions: str
    special_purpose: str
    configuration: str


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """The rate (probes a second) that was asked for, which cap lowered it, and what the busiest blocks get in an hour."""

    asked: int
    lowered_by: str
    per_slash24_hour: float
    per_network_hour: float | None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides who is probed and how."""

    format: int = 2
    sweep: str
    created: str
    code_version: str
    settings: SweepSection
    caps: CapsSection
    identity: IdentitySection
    probe: ProbeSection
    reference: Reference
    digests: Digests
    pace: Pace
    included: tuple[RangeList, ...]
    excluded: tuple[RangeList, ...]
    countries: tuple[tuple[str | None, int], ...]
    ranges: tuple[tuple[int, int], ...]
    forbidden: tuple[tuple[int, int], ...]
    addresses: int
    sampled_addresses: int
    range_targets: int
    requests: dict[str, str]
    digest: str = ""

    @property
    def targets(self) -> int:
        """How many (address, port) pairs the sweep probes."""
        return self.sampled_addresses * len(self.settings.ports)

    def walk(self) -> Walk:
        """The order of the targets."""
        space = Space.over(Ranges.of(self.ranges))
        return Walk(
            space=space,
            permutation=Permutation.seeded(self.addresses, self.settings.seed),
            ports=self.settings.ports,
            addresses=self.sampled_addresses,
            shards=self.settings.shards,
            range_targets=self.range_targets,
        )


@dataclass(frozen=True, slots=True)
class Listing:
    """A range list with its name, as read."""

    name: str
    ranges: Ranges


def read_special_purpose(path: Path = SPECIAL_PURPOSE) -> Listing:
    """The blocks that are never probed. Raises InputError if the file is broken: the plan fails closed."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        blocks = [parse(block["cidr"], f"{path.name}, {block['cidr']}") for block in data["block"]]
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise InputError(path.name, f"cannot be read: {error}") from None
    return Listing(f"special-purpose addresses ({data['source']}, {data['date']})", Ranges.of(blocks))


def read_lists(blocks: tuple[str, ...], files: tuple[str, ...], key: str, base: Path) -> list[Listing]:
    """The lists of one key of `[targets]`: its blocks, then each of its files. Raises InputError naming the line."""
    inline = [Listing(f"targets.{key}", Ranges.of(parse(b, f"key targets.{key}") for b in blocks))] if blocks else []
    return inline + [_read_file(base / name, f"key targets.{key}_files") for name in files]


def _read_file(path: Path, where: str) -> Listing:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{where}, {path}", f"cannot be read: {error}") from None
    return Listing(path.name, parse_lines(lines, str(path)))


def freeze(
    config: Config, base: Path, *, created: str, code_version: str, requests: dict[str, str], atlas: Atlas
) -> Plan:
    """Fix the plan of a configuration; files are relative to `base`. Raises InputError if there is nothing to do."""
    wanted = read_lists(config.targets.include, config.targets.include_files, "include", base)
    special = read_special_purpose()
    unwanted = [special, *read_lists(config.targets.exclude, config.targets.exclude_files, "exclude", base)]
    included = _union(wanted)
    forbidden = _union(unwanted)
    ranges = included.subtract(forbidden)
    if not ranges.count:
        raise InputError("key targets", "nothing is left to probe after the exclusions")
    sampled = _sampled(config.sweep.sample, ranges.count)
    rate, pace = _pace(config, ranges, sampled, atlas)
    plan = Plan(
        sweep=f"{created.replace('-', '').replace(':', '')}-{config.sweep.name}",
        created=created,
        code_version=code_version,
        settings=msgspec.structs.replace(config.sweep, rate=rate),
        caps=config.caps,
        identity=config.identity,
        probe=config.probe,
        reference=atlas.reference,
        digests=Digests(
            target_space=ranges.digest,
            exclusions=forbidden.digest,
            special_purpose=special.ranges.digest,
            configuration=hashlib.sha256(msgspec.json.encode(config, order="sorted")).hexdigest(),
        ),
        pace=pace,
        included=tuple(RangeList(part.name, part.ranges.count, part.ranges.digest) for part in wanted),
        excluded=tuple(_taken(part, included) for part in unwanted),
        countries=atlas.countries(ranges),
        ranges=tuple(ranges.pairs()),
        forbidden=tuple(forbidden.pairs()),
        addresses=ranges.count,
        sampled_addresses=sampled,
        range_targets=rate * RANGE_SECONDS,
        requests=requests,
    )
    return msgspec.structs.replace(plan, digest=digest(plan))


def _pace(config: Config, ranges: Ranges, sampled: int, atlas: Atlas) -> tuple[int, Pace]:
    """The rate that keeps the caps, and what it gives the busiest blocks. Raises InputError if no rate keeps them."""
    sweep = config.sweep
    load = Load(ranges.count, sampled, len(sweep.ports), sweep.shards, sweep.rate)
    slash24, networks = caps.slash24(ranges), atlas.networks(ranges)
    lowered_by = ""
    for key, blocks in (("per_slash24_hour", slash24), ("per_network_hour", networks)):
        cap = getattr(config.caps, key)
        if not cap or blocks is None:
            continue
        rate = caps.highest_rate(cap, blocks, load)
        if not rate:
            raise InputError(f"key caps.{key}", f"{cap} probes an hour cannot be kept even at one probe a second")
        if rate < load.rate:
            load, lowered_by = replace(load, rate=rate), f"caps.{key} = {cap}"
    return load.rate, Pace(
        asked=sweep.rate,
        lowered_by=lowered_by,
        per_slash24_hour=caps.per_hour(slash24, load),
        per_network_hour=caps.per_hour(networks, load) if networks else None,
    )


def differences(one: Plan, other: Plan) -> Iterator[str]:
    """The fields in which two plans differ, e.g. `digests.exclusions`; causes come before their consequences."""
    for name in (*CAUSES, *(field for field in one.__struct_fields__ if field not in CAUSES)):
        mine, others = getattr(one, name), getattr(other, name)
        keys = getattr(mine, "__struct_fields__", ())
        yield from (f"{name}.{key}" for key in keys if getattr(mine, key) != getattr(others, key))
        if not keys and mine != others:
            yield name


def digest(plan: Plan) -> str:
    """SHA-256 over the plan's canonical JSON without its own digest, hexadecimal."""
    content = msgspec.structs.replace(plan, digest="")
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def encode(plan: Plan) -> bytes:
    """The plan as canonical JSON."""
    return msgspec.json.encode(plan, order="sorted")


def decode(data: bytes, where: str) -> Plan:
    """Read a plan. Raises InputError if it is none, GuardError if its content is not what its digest was made over."""
    try:
        plan = msgspec.json.decode(data, type=Plan)
    except msgspec.DecodeError as error:
        raise InputError(where, f"is not a plan of `census plan`: {error}") from None
    if digest(plan) != plan.digest:
        raise GuardError(f"{where}: the plan was changed after it was frozen (digest does not match); plan again")
    overlap = Ranges.of(plan.ranges).intersect(Ranges.of(plan.forbidden).union(read_special_purpose().ranges))
    if overlap.count or Ranges.of(plan.ranges).count != plan.addresses:
        raise GuardError(f"{where}: {overlap.count} targets of the plan lie outside the configured space; plan again")
    return plan


def _union(lists: list[Listing]) -> Ranges:
    return Ranges.of(pair for part in lists for pair in part.ranges.pairs())


def _taken(part: Listing, included: Ranges) -> RangeList:
    return RangeList(part.name, part.ranges.intersect(included).count, part.ranges.digest)


def _sampled(sample: float | int, addresses: int) -> int:
    wanted = round(sample * addresses) if isinstance(sample, float) else sample
    if not 1 <= wanted <= addresses:
        raise InputError("key sweep.sample", f"asks for {wanted} of {addresses} addresses")
    return wanted
