"""The plan: what a sweep will do, fixed and hashed before the first packet.

The digest covers everything that decides who is probed and how, the bytes of the requests included. Two plans that differ in
any of it differ in digest; a worker refuses a plan whose digest is not that of its content.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

from pipeline.config import (
    AlarmSection,
    AssociateSection,
    CapsSection,
    Config,
    ControlSection,
    HarmSection,
    IdentitySection,
    LossSection,
    ProbeSection,
    SweepSection,
    TlsSection,
)
from pipeline.errors import GuardError, InputError
from pipeline.space import never
from pipeline.space.atlas import Reference
from pipeline.space.caps import Load
from pipeline.space.permutation import Permutation
from pipeline.space.ranges import Ranges, Space
from pipeline.space.shard import Walk
from pipeline.space.signed import Own

#: Fields of a plan that decide others.
CAUSES = (
    "code_version",
    "reference",
    "settings",
    "caps",
    "identity",
    "probe",
    "associate",
    "loss",
    "control",
    "alarm",
    "harm",
    "tls",
    "requests",
    "digests",
)

#: The format that this version writes: raised whenever a field is added or means something else (docs/decisions/0013).
FORMAT = 4
#: Formats that it reads, so that an old sweep can be verified and reported. Format 1 ordered the targets otherwise.
FORMATS = range(2, FORMAT + 1)
#: The field that tells plans of format 2 with today's order of targets from those before it: the number stayed as both came.
ORDERED = "associate"
#: What holds for sweeps whose plan was frozen before it had the field: nothing of the kind was done.
BEFORE: dict[str, dict[str, Any]] = {
    "tls": {"ports": []},
    "loss": {"sample": 0.0},
    "control": {"sample": 0.0},
    "alarm": {"false_alarms": 0.0},
}

#: How often each engine sends a SYN that nobody answers again, without being told to.
REPEATED = {"ring": 0, "xdp": 0, "connect": 1}
#: Kinds of engines: by two of one kind, a host is asked the same in the same way.
KINDS = {"ring": "ring", "xdp": "ring", "connect": "connect"}


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
    never_touch: str
    configuration: str


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """The rate (probes a second) that was asked for, which cap lowered it, and what the busiest blocks get in an hour."""

    asked: int
    lowered_by: str
    per_slash24_hour: float
    per_network_hour: float | None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides who is probed and how."""

    format: int = FORMAT
    sweep: str
    created: str
    code_version: str
    settings: SweepSection
    caps: CapsSection
    identity: IdentitySection
    probe: ProbeSection
    associate: AssociateSection
    loss: LossSection
    control: ControlSection
    alarm: AlarmSection
    harm: HarmSection | None = None
    tls: TlsSection
    own: Own | None = None
    register: str = ""
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

    @property
    def probes(self) -> int:
        """How many SYNs that takes: one a target, the second ones, and those to the control port; the latter are expectations."""
        return round(self.targets * (1 + self.load.beside))

    @property
    def load(self) -> Load:
        """What the sweep sends."""
        return load(self, self.settings, self.addresses, self.sampled_addresses)

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


def load(what: Config | Plan, sweep: SweepSection, addresses: int, sampled: int) -> Load:
    """What a sweep sends beside the first SYN: a second one to a share of its targets, and a control SYN to a share of its addresses.

    By `connect`, the repetition by which the kernel asks every host again that does not answer.
    """
    beside = what.loss.sample + what.control.sample / len(sweep.ports) + REPEATED[what.probe.engine]
    return Load(addresses, sampled, len(sweep.ports), sweep.shards, sweep.rate, beside)


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
    return _sha256(msgspec.to_builtins(plan))


def _sha256(told: dict[str, Any]) -> str:
    """The digest of a plan as JSON has it, whatever its format."""
    return hashlib.sha256(msgspec.json.encode(told | {"digest": ""}, order="sorted")).hexdigest()


def encode(plan: Plan) -> bytes:
    """The plan as canonical JSON."""
    return msgspec.json.encode(plan, order="sorted")


def decode(data: bytes, where: str) -> Plan:
    """Read a plan of any format of FORMATS. Raises InputError if it is none, GuardError if it was changed after it was frozen."""
    try:
        told = msgspec.json.decode(data, type=dict[str, Any])
        _require_format(told, where)
        plan = msgspec.convert(BEFORE | told, Plan)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise InputError(where, f"is not a plan of `census plan`: {error}") from None
    if field := next(_inconsistent(plan, _sha256(told)), None):
        raise GuardError(
            f"{where}: the plan does not add up (field {field}): it was changed after it was frozen; plan again"
        )
    return plan


def _require_format(told: dict[str, Any], where: str) -> None:
    """Raise InputError for a plan of a format that this version does not read, msgspec.ValidationError for one of none."""
    number = msgspec.convert(told.get("format", FORMAT), int)
    if number in FORMATS and (number > FORMATS[0] or ORDERED in told):
        return
    older = number <= FORMATS[0]
    raise InputError(
        where,
        f"is a plan of format {number}, {'before 24 November 2026' if older else 'of a later version'}; this version reads "
        f"formats {FORMATS[0]} to {FORMATS[-1]}. Use the version that froze it; `census sql` reads its tables",
    )


def barred(plan: Plan) -> Ranges:
    """Addresses of the plan that this program never probes: there are some if its lists have grown, or if the plan is forged.

    Such a plan can be read, so that an old sweep can be reported; it must not be run.
    """
    targets = Ranges.of(plan.ranges)
    return targets.intersect(never.ranges(plan.own, targets))


def _inconsistent(plan: Plan, found: str) -> Iterator[str]:
    """The fields that are not what the rest of the plan makes them; `found` is the digest of what the file holds."""
    ranges, forbidden = Ranges.of(plan.ranges), Ranges.of(plan.forbidden)
    holds = {
        "digest": plan.digest == found,
        "ranges": not ranges.intersect(forbidden).count,
        "addresses": plan.addresses == ranges.count,
        "sampled_addresses": 1 <= plan.sampled_addresses <= plan.addresses,
        "digests.target_space": plan.digests.target_space == ranges.digest,
        "digests.exclusions": plan.digests.exclusions == forbidden.digest,
    }
    yield from (field for field, kept in holds.items() if not kept)
