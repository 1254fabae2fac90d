"""The plan: what a sweep will do, fixed and hashed before the first packet. This is its format; `freezing` makes one.

The digest covers everything that decides which targets are probed and how, including the bytes of the requests. Two plans that
differ in any of it differ in digest. A worker refuses a plan whose digest is not that of its content. Anybody can compute a digest,
so the lab's key signs it.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

from pipeline.config.sections import (
    AlarmSection,
    AssociateSection,
    CapsSection,
    CompanionsSection,
    Config,
    ControlSection,
    HarmSection,
    IdentitySection,
    LossSection,
    ProbeSection,
    SweepSection,
    TlsSection,
)
from pipeline.engines import Engine
from pipeline.errors import GuardError, InputError
from pipeline.lab.signature import Signature
from pipeline.plan.focus import Focus
from pipeline.plan.visibility import Visibility
from pipeline.space import blocklist
from pipeline.space.caps import Load
from pipeline.space.geo_databases import Reference
from pipeline.space.permutation import Permutation
from pipeline.space.ranges import Ranges, Space
from pipeline.space.shard import Walk
from pipeline.space.signed import SignedRanges
from pipeline.untrusted import bounded

#: The format that this version writes: raised whenever a field is added or means something else (docs/decisions/0013).
FORMAT = 13
#: Formats that it reads, so that an old sweep can be verified and reported. Format 1 had another order of targets.
FORMATS = range(2, FORMAT + 1)
#: The field that distinguishes plans of format 2 with today's order of targets from earlier ones: the format number stayed the same.
ORDER_MARKER = "associate"
#: What the lab's key signs a plan's digest for.
PURPOSE = "plan"
#: Fields that the digest does not cover: itself, and the signature over it.
UNDIGESTED = ("digest", "signature")
#: Values of fields that the plan of an earlier sweep lacks: nothing of the kind was done.
EARLIER: dict[str, dict[str, Any]] = {
    "tls": {"ports": [], "after_close": False},
    "loss": {"sample": 0.0},
    "control": {"sample": 0.0},
    "alarm": {"false_alarms": 0.0},
}


class RangeList(msgspec.Struct, frozen=True):
    """A named list, and how many addresses it adds to the target space (those of several entries counted for each) or removes.

    `ipv6` counts entries that are skipped.
    """

    name: str
    addresses: int
    digest: str
    ipv6: int = 0


class Digests(msgspec.Struct, frozen=True, kw_only=True):
    """SHA-256, hexadecimal, of what decides which addresses are probed; those of the databases are in `Reference`."""

    target_space: str
    exclusions: str
    special_purpose: str
    never_touch: str
    configuration: str


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """The rate that is configured (probes a second), the cap that lowered it, and what the largest blocks get in an hour."""

    requested: int = msgspec.field(name="asked")
    lowered_by: str
    per_slash24_hour: float
    per_network_hour: float | None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides which targets are probed and how."""

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
    companions: CompanionsSection = CompanionsSection()
    tls: TlsSection
    signed_ranges: SignedRanges | None = msgspec.field(default=None, name="own")
    register: str = ""
    reference: Reference
    digests: Digests
    pace: Pace
    included: tuple[RangeList, ...]
    excluded: tuple[RangeList, ...]
    included_again: int = 0
    """How often an address is included beyond the first time, over all entries of all lists."""
    countries: tuple[tuple[str | None, int], ...]
    ranges: tuple[tuple[int, int], ...]
    forbidden: tuple[tuple[int, int], ...]
    addresses: int
    sampled_addresses: int
    focus: Focus | None = None
    """The strata of a focus sweep; `ranges` are what it probes of both."""
    visibility: Visibility | None = None
    """The sample that each vantage probes by a sweep of its own, if there is one."""
    vantage: str = ""
    """The vantage that this is the visibility sweep of; empty for any other sweep."""
    range_targets: int
    requests: dict[str, str]
    digest: str = ""
    signature: Signature | None = None
    """By the lab's key, over the digest; None in plans of earlier versions."""

    @property
    def name(self) -> str:
        """The name of its series: that of the configuration; a visibility sweep has one that no configuration can give."""
        return f"{self.settings.name}.{self.vantage}" if self.vantage else self.settings.name

    @property
    def whole(self) -> str | None:
        """The id of the sweep that a visibility sweep belongs to."""
        return self.sweep.removesuffix(f".{self.vantage}") if self.vantage else None

    @property
    def space_addresses(self) -> int:
        """The addresses of the target space, of which a focus probes a part."""
        return self.focus.addresses if self.focus else self.addresses

    @property
    def targets(self) -> int:
        """The number of (address, port) pairs that the sweep probes."""
        return self.sampled_addresses * len(self.settings.ports)

    @property
    def probes(self) -> int:
        """The expected number of SYNs: one per target, plus second SYNs and SYNs to the control port."""
        return round(self.targets * (1 + self.load.extra))

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


def load(source: Config | Plan, sweep: SweepSection, addresses: int, sampled: int) -> Load:
    """What a sweep sends. Besides the first SYN, a share of the targets gets a second one, and a share of the addresses a control SYN.

    With `connect` the kernel also repeats each SYN that is not answered. Companion SYNs go to addresses that spoke DICOM.
    """
    extra = source.loss.sample + source.control.sample / len(sweep.ports) + source.probe.engine.retransmits
    return Load(
        addresses, sampled, len(sweep.ports), sweep.shards, sweep.rate, extra,
        len(source.companions.ports), source.companions.latest,
    )  # fmt: skip


def with_engine(plan: Plan, engine: Engine) -> Plan:
    """A plan with another engine; without second and control SYNs if that cannot send them."""
    plan = msgspec.structs.replace(plan, probe=msgspec.structs.replace(plan.probe, engine=engine))
    if engine.extra_probes:
        return plan
    loss, control = (msgspec.structs.replace(section, sample=0.0) for section in (plan.loss, plan.control))
    return msgspec.structs.replace(plan, loss=loss, control=control)


def digest(plan: Plan) -> str:
    """SHA-256 over the plan's canonical JSON without its own digest and signature, hexadecimal."""
    return _sha256(document(plan))


def document(plan: Plan) -> dict[str, Any]:
    """A plan as JSON has it."""
    fields: dict[str, Any] = msgspec.to_builtins(plan)
    return fields


def _sha256(document: dict[str, Any]) -> str:
    """The digest of a plan as JSON has it, whatever its format."""
    content = {name: value for name, value in document.items() if name not in UNDIGESTED} | {"digest": ""}
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def encode(plan: Plan) -> bytes:
    """The plan as canonical JSON."""
    return msgspec.json.encode(plan, order="sorted")


def decode(data: bytes, where: str) -> Plan:
    """Read a plan of any format of FORMATS. Raises InputError if it is not a plan, GuardError if it was changed after freezing."""
    try:
        document = bounded.decode(data, dict[str, Any])
        _require_format(document, where)
        plan = msgspec.convert(document | _completed(document), Plan)
    except (bounded.NotJson, msgspec.ValidationError) as error:
        raise InputError(where, f"is not a plan of `census plan`: {error}") from None
    if field := next(_inconsistent(plan, _sha256(document)), None):
        raise GuardError(
            f"{where}: the plan does not add up (field {field}): it was changed after it was frozen; plan again"
        )
    return plan


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    """The sections of a plan that earlier versions lacked wholly or in part, with what they did."""
    sections = {name: document.get(name, {}) for name in EARLIER}
    return {name: EARLIER[name] | given if isinstance(given, dict) else given for name, given in sections.items()}


def _require_format(document: dict[str, Any], where: str) -> None:
    """Raise InputError for a format that this version does not read, msgspec.ValidationError for something that is not a format."""
    number = msgspec.convert(document.get("format", FORMAT), int)
    if number in FORMATS and (number > FORMATS[0] or ORDER_MARKER in document):
        return
    older = number <= FORMATS[0]
    raise InputError(
        where,
        f"is a plan of format {number}, {'before 24 November 2026' if older else 'of a later version'}; this version reads "
        f"formats {FORMATS[0]} to {FORMATS[-1]}. Use the version that froze it; `census sql` reads its tables",
    )


def blocklisted(plan: Plan) -> Ranges:
    """Addresses of the plan that are on the blocklist: its lists have grown since, or the plan is forged.

    Such a plan can be read, so that an old sweep can be reported, but it must not be run.
    """
    targets = Ranges.of(plan.ranges)
    return targets.intersect(blocklist.ranges(plan.signed_ranges, targets))


def _inconsistent(plan: Plan, content_digest: str) -> Iterator[str]:
    """The fields that contradict the rest of the plan; `content_digest` is computed from the file."""
    ranges, forbidden = Ranges.of(plan.ranges), Ranges.of(plan.forbidden)
    consistent = {
        "digest": plan.digest == content_digest,
        "ranges": not ranges.intersect(forbidden).count,
        "addresses": plan.addresses == ranges.count,
        "settings.shards": plan.settings.shards >= 1,
        "sampled_addresses": 1 <= plan.sampled_addresses <= plan.addresses,
        "digests.target_space": plan.digests.target_space == ranges.digest,
        "digests.exclusions": plan.digests.exclusions == forbidden.digest,
        "focus": plan.focus is None or plan.focus.fits(ranges),
        "visibility": plan.visibility is None or plan.visibility.fits(plan.sampled_addresses, plan.vantage),
    }
    yield from (field for field, agrees in consistent.items() if not agrees)
