"""Freezing: what a configuration becomes before the first packet.

In this order: the address lists are read; blocklisted and opted-out addresses are removed; a focus selects /24s of what is left;
the sample is counted; the rate is lowered until the caps are kept. The caller provides the clock, the databases, the register, the
signed ranges and what a focus begins with, so that equal arguments give equal plans.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from pipeline.config.sections import Config, ControlSection, SweepSection, TargetsSection
from pipeline.errors import InputError
from pipeline.plan import plan as planning
from pipeline.plan import visibility
from pipeline.plan.focus import Focus, WholeSweeps, focused
from pipeline.plan.plan import Digests, Pace, Plan, RangeList
from pipeline.plan.visibility import Visibility
from pipeline.space import address_list, blocklist, caps
from pipeline.space.address_list import AddressList, Entry
from pipeline.space.geo_databases import GeoDatabases
from pipeline.space.ranges import Ranges
from pipeline.space.signed import SignedRanges
from pipeline.words.plural import plural

#: Sections of the configuration that the plan repeats as they are.
COPIED = ("caps", "identity", "probe", "associate", "loss", "alarm", "harm", "companions", "tls")
#: The name of the list of what the register withholds.
OPT_OUT_LIST = "opt-out register"
#: Dynamic ports (RFC 6335 §6).
DYNAMIC_PORTS = range(49152, 65536)
#: A range is 5–60 s of sending (docs/architecture.md).
RANGE_SECONDS = 10
#: How long a shard takes to send if the configuration does not say how many there are: many times its cool-down, so that the
#: cool-downs add little, and little enough that several vantages finish at about the same time.
SHARD_SECONDS = 60
#: The most shards, and the fewest for each sender, of a plan that chooses them.
MOST_SHARDS, LEAST_SHARDS = 64, 2


@dataclass(frozen=True, slots=True)
class Provenance:
    """When a plan is frozen (ISO 8601, UTC) and by which program: its version, and the requests that it sends, hexadecimal."""

    created: str
    code_version: str
    requests: dict[str, str]


@dataclass(frozen=True, slots=True)
class OptOuts:
    """The name of the opt-out register, and the addresses that it withholds when the plan is frozen; None without a register."""

    register: str = ""
    ranges: Ranges | None = None


@dataclass(frozen=True, slots=True)
class FromLake:
    """What a lake says when a plan is frozen: its opt-outs, and the whole sweeps that a focus begins with."""

    opt_outs: OptOuts = OptOuts()
    begin: WholeSweeps | None = None


@dataclass(frozen=True, slots=True)
class TargetSpace:
    """The addresses to probe, those that are forbidden, and what each list added or removed."""

    ranges: Ranges
    forbidden: Ranges
    included: tuple[RangeList, ...]
    excluded: tuple[RangeList, ...]
    included_again: int

    @property
    def digests(self) -> dict[str, str]:
        """The digests of both sets and of the lists that ship with the program."""
        return {
            "target_space": self.ranges.digest,
            "exclusions": self.forbidden.digest,
            "special_purpose": blocklist.special_purpose().ranges.digest,
            "never_touch": blocklist.never_touch().ranges.digest,
        }


def freeze(
    config: Config,
    base: Path,
    provenance: Provenance,
    atlas: GeoDatabases,
    *,
    lake: FromLake = FromLake(),
    signed: SignedRanges | None = None,
) -> Plan:
    """Fix the plan of a configuration; files are relative to `base`. Raises InputError if there is nothing to probe."""
    space, focus = _narrowed(_target_space(config.targets, base, atlas, lake.opt_outs, signed), config, lake.begin)
    sampled = _sampled(config.sweep.sample, space.ranges.count)
    settings, pace = _settings(config, space.ranges, sampled, atlas)
    plan = Plan(
        sweep=f"{provenance.created.replace('-', '').replace(':', '')}-{config.sweep.name}",
        created=provenance.created,
        code_version=provenance.code_version,
        settings=settings,
        **{section: getattr(config, section) for section in COPIED},
        control=_control(config),
        signed_ranges=signed,
        register=lake.opt_outs.register,
        reference=atlas.reference,
        digests=Digests(**space.digests, configuration=_digest(config)),
        pace=pace,
        included=space.included,
        excluded=space.excluded,
        included_again=space.included_again,
        countries=atlas.countries(space.ranges),
        ranges=tuple(space.ranges.pairs()),
        forbidden=tuple(space.forbidden.pairs()),
        addresses=space.ranges.count,
        sampled_addresses=sampled,
        focus=focus,
        visibility=_visibility(config, space.ranges, sampled, atlas),
        range_targets=settings.rate * RANGE_SECONDS,
        requests=provenance.requests,
    )
    return msgspec.structs.replace(plan, digest=planning.digest(plan))


def _digest(config: Config) -> str:
    return hashlib.sha256(msgspec.json.encode(config, order="sorted")).hexdigest()


def _target_space(
    targets: TargetsSection, base: Path, atlas: GeoDatabases, opt_outs: OptOuts, signed: SignedRanges | None
) -> TargetSpace:
    """Read the lists, and subtract what must not be probed. Raises InputError if nothing remains."""
    include = address_list.read_key(targets.include, targets.include_files, "include", base, atlas.named)
    exclude = address_list.read_key(targets.exclude, targets.exclude_files, "exclude", base, atlas.named)
    included = Ranges.union_of(part.ranges for part in include)
    exclude = [*blocklist.lists(signed, included), *exclude, *_withheld(opt_outs)]
    forbidden = Ranges.union_of(part.ranges for part in exclude)
    ranges = included.subtract(forbidden)
    if not included.count:
        raise InputError(
            "key targets", f"names no IPv4 address{_skipped(include)}; add one to the list or to its files"
        )
    if not ranges.count:
        raise InputError("key targets", f"nothing is left to probe: {_excluding(exclude, included)}")
    added = tuple(RangeList(part.name, part.entry_addresses, part.ranges.digest, part.ipv6) for part in include)
    return TargetSpace(
        ranges,
        forbidden,
        included=added,
        excluded=tuple(_removed(part, included) for part in exclude),
        included_again=sum(part.addresses for part in added) - included.count,
    )


def _narrowed(space: TargetSpace, config: Config, begin: WholeSweeps | None) -> tuple[TargetSpace, Focus | None]:
    """The part of a target space that is probed, and its strata if the configuration has a focus. Raises InputError."""
    section = config.targets.focus
    if section is None or begin is None:
        return space, None
    focus, probed = focused(section, space.ranges, begin, config.sweep.seed)
    return replace(space, ranges=probed), focus


def _excluding(exclude: Sequence[AddressList], included: Ranges) -> str:
    """Which lists have how many of the included addresses, in words."""
    counts = [(part.name, part.ranges.intersect(included).count) for part in exclude]
    taken = ", ".join(f"{name} ({count:,})" for name, count in counts if count)
    return f"all {plural(included.count, 'address is', 'addresses are')} excluded by {taken}"


def _skipped(parts: Sequence[AddressList]) -> str:
    count = sum(part.ipv6 for part in parts)
    return f" (IPv6 entries skipped: {count:,})" if count else ""


def _withheld(opt_outs: OptOuts) -> list[AddressList]:
    """The addresses that the register withholds, as a list."""
    if opt_outs.ranges is None:
        return []
    entry = Entry("opt-outs", opt_outs.register, "opted out", opt_outs.ranges.pairs())
    return [AddressList(OPT_OUT_LIST, (entry,))]


def _removed(part: AddressList, included: Ranges) -> RangeList:
    """An exclusion list, and how many of the included addresses it has."""
    ranges = part.ranges
    return RangeList(part.name, ranges.intersect(included).count, ranges.digest, part.ipv6)


def _sampled(sample: float | int, addresses: int) -> int:
    """The number of addresses in the sample. Raises InputError if it is not between 1 and all of them."""
    size = round(sample * addresses) if isinstance(sample, float) else sample
    if not 1 <= size <= addresses:
        raise InputError(
            "key sweep.sample", f"gives {size} of {addresses} addresses; choose a sample of 1 to {addresses}"
        )
    return size


def _control(config: Config) -> ControlSection:
    """The control section with its port: if none is given, a dynamic one that nothing else goes to."""
    probed = {*config.sweep.ports, *config.companions.ports}
    free = [port for port in DYNAMIC_PORTS if port not in probed]
    port = config.control.port or free[config.sweep.seed % len(free)]
    _require_reachable(config.control)
    return msgspec.structs.replace(config.control, port=port)


def _require_reachable(control: ControlSection) -> None:
    """Refuse control targets that cannot be probed. Raises InputError."""
    blocked = blocklist.ranges(None, Ranges.of(()))
    for text in control.targets:
        name, _, port = text.partition(":")
        address = address_list.parse(name, "key control.targets")[0]
        if not 1 <= int(port) <= 65535 or blocked.contains(np.array([address]))[0]:
            raise InputError(
                "key control.targets",
                f"{text} is not a control target: the port is not valid, or the address is never probed",
            )


def _settings(config: Config, ranges: Ranges, sampled: int, atlas: GeoDatabases) -> tuple[SweepSection, Pace]:
    """The settings that the sweep runs with: its rate keeps the caps, and its shards are chosen unless they are given."""
    given = config.sweep
    sweep = msgspec.structs.replace(given, shards=given.shards or _shards(config, sampled, given.rate))
    rate, pace = _pace(config, sweep, ranges, sampled, atlas)
    if pace.lowered_by and not given.shards:  # at a lower rate the same shards take longer, and more of them fit
        sweep = msgspec.structs.replace(given, shards=_shards(config, sampled, rate))
        rate, pace = _pace(config, sweep, ranges, sampled, atlas)
    return msgspec.structs.replace(sweep, rate=rate), pace


def _visibility(config: Config, ranges: Ranges, sampled: int, atlas: GeoDatabases) -> Visibility | None:
    """The visibility sample, and how each vantage probes it; None if the configuration has none. Raises InputError."""
    section = config.visibility
    if section is None:
        return None
    addresses = visibility.drawn(section, sampled)
    try:
        settings, _ = _settings(visibility.alone(config, section), ranges, addresses, atlas)
    except InputError as error:
        raise InputError(
            error.where, f"{len(section.vantages)} vantages have a part of it each: {error.reason}"
        ) from None
    return Visibility(
        vantages=section.vantages,
        sample=section.sample,
        addresses=addresses,
        rate=settings.rate,
        shards=settings.shards,
    )


def _shards(config: Config, sampled: int, rate: int) -> int:
    """The number of shards that fits the space: SHARD_SECONDS of sending each, within limits, and an address each at least."""
    fitting = math.ceil(sampled * len(config.sweep.ports) / (rate * SHARD_SECONDS))
    return min(max(LEAST_SHARDS * config.probe.processes, min(fitting, MOST_SHARDS)), sampled)


def _pace(config: Config, sweep: SweepSection, ranges: Ranges, sampled: int, atlas: GeoDatabases) -> tuple[int, Pace]:
    """The rate that keeps the caps, and what the largest blocks get. Raises InputError if no rate keeps them."""
    load = planning.load(config, sweep, ranges.count, sampled)
    slash24, networks = caps.slash24(ranges), atlas.networks(ranges)
    lowered_by = ""
    for key, blocks in (("per_slash24_hour", slash24), ("per_network_hour", networks)):
        cap = getattr(config.caps, key)
        if not cap or blocks is None:
            continue
        rate = caps.highest_rate(cap, blocks, load)
        if not rate:
            raise InputError(
                f"key caps.{key}", f"{cap} probes an hour cannot be kept even at one probe a second; raise it"
            )
        if rate < load.rate:
            load, lowered_by = replace(load, rate=rate), f"caps.{key} = {cap}"
    return load.rate, Pace(
        requested=config.sweep.rate,
        lowered_by=lowered_by,
        per_slash24_hour=caps.per_hour(slash24, load),
        per_network_hour=caps.per_hour(networks, load) if networks else None,
    )
