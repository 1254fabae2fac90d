"""The sections of the configuration, with their keys, defaults and limits (docs/configuration.md)."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from pipeline.config.values import AeTitle, Endpoint, Line, Mac, Name, Port, Resolver, Section, Url
from pipeline.engines import Engine

#: How much later than planned a companion SYN may leave, in seconds: a range may be cut off, or the register pause.
COMPANIONS_LATE = 600.0


class Profile(StrEnum):
    """What a sweep does with a host that answers: the one list of what follows from `[sweep] profile`."""

    ASSOCIATE = "associate"
    ECHO = "echo"
    TLS = "tls"
    CAPABILITIES = "capabilities"

    @property
    def sends_echo(self) -> bool:
        """Whether a C-ECHO follows an accepted association; in SQL, `asks_echo(profile)`."""
        return self is Profile.ECHO

    @property
    def proposes_capabilities(self) -> bool:
        """Whether the request proposes every service of `wire.capabilities`, and not Verification alone."""
        return self is Profile.CAPABILITIES

    @property
    def makes_second_visits(self) -> bool:
        """Whether hosts that ended the connection after our plain request, or answered it with TLS, are visited again, inside TLS."""
        return self is Profile.TLS

    @property
    def needs_signature(self) -> bool:
        """Whether the owner of the target ranges must have signed them (section `[own]`)."""
        return self is Profile.CAPABILITIES


class SweepSection(Section, frozen=True):
    """`[sweep]`: what to do. `rate` is in probes a second; `sample` is a share (0.01) or a number of addresses (1000000).

    With 0 `shards` the plan chooses how many.
    """

    name: Name
    ports: Annotated[tuple[Port, ...], Meta(min_length=1, max_length=64)]
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    rate: Annotated[int, Meta(ge=1, le=15_000_000)]
    shards: Annotated[int, Meta(ge=0, le=512)] = 0
    sample: float | int = 1.0
    profile: Profile = Profile.ASSOCIATE


class FocusSection(Section, frozen=True):
    """`[targets.focus]`: probe the /24s where the last `sweeps` whole sweeps of the series `name` found services, and a share `sample`
    of all other /24s (docs/focus.md)."""

    name: Name
    sample: Annotated[float, Meta(gt=0, le=1)]
    sweeps: Annotated[int, Meta(ge=1, le=100)] = 1


class TargetsSection(Section, frozen=True):
    """`[targets]`: CIDR blocks, dashed ranges and addresses, here or in files (relative to this one) with one entry a line."""

    include: tuple[str, ...] = ()
    include_files: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    exclude_files: tuple[str, ...] = ()
    focus: FocusSection | None = None


class VisibilitySection(Section, frozen=True):
    """`[visibility]`: each of `vantages` probes the same random share `sample` of the addresses, by a sweep of its own."""

    vantages: Annotated[tuple[Name, ...], Meta(min_length=2, max_length=64)]
    sample: Annotated[float, Meta(gt=0, le=1)] = 0.01


class CapsSection(Section, frozen=True):
    """`[caps]`: the most probes an hour to a /24, or to the addresses of one autonomous system; 0 is no cap.

    The plan's rate is lowered until both caps are kept.
    """

    per_slash24_hour: Annotated[int, Meta(ge=0)] = 0
    per_network_hour: Annotated[int, Meta(ge=0)] = 0


class IdentitySection(Section, frozen=True):
    """`[identity]`: who is scanning. The first four keys are required, except in a testbed and on loopback.

    Before a sweep the program looks up the reverse DNS of the source, the page at `url` and its `/.well-known/probing.txt`, using
    `resolver` (an address, with `:port` if that is not 53; the system's if empty). It reports what is missing; with `strict` it
    then refuses to sweep.
    """

    ae_title: AeTitle = "DICOM-CENSUS"
    contact: Line = ""
    url: Url = ""
    authorised_by: Line = ""
    resolver: Resolver = ""
    strict: bool = False


class ProbeSection(Section, frozen=True):
    """`[probe]`: how to send. Interface, source and next hop are those of the default route unless they are given.

    `senders` is the number of processes that send, at one common rate and from separate source ports. They take the addresses in
    `source` in turn, and there are never fewer senders than addresses. `engine` is how SYNs leave.
    """

    interface: str = ""
    source: str | Annotated[tuple[str, ...], Meta(min_length=1, max_length=64)] = ""
    senders: Annotated[int, Meta(ge=1, le=64)] = 1
    gateway_mac: Mac = ""
    engine: Engine = Engine.AUTO
    cooldown: Annotated[float, Meta(ge=0.5, le=60)] = 8.0

    @property
    def sources(self) -> tuple[str, ...]:
        """The source addresses, dotted; empty if the address of the default route is to be used."""
        sources = (self.source,) if isinstance(self.source, str) else self.source
        return tuple(source for source in sources if source)

    @property
    def processes(self) -> int:
        """The number of senders."""
        return max(self.senders, len(self.sources))


class AssociateSection(Section, frozen=True):
    """`[associate]`: the number of associator processes, and the most conversations at once in each and with one /24.

    An address never has more than one conversation at a time. With 0 processes, associators on other machines do all the work.
    """

    processes: Annotated[int, Meta(ge=0, le=64)] = 1
    at_once: Annotated[int, Meta(ge=1, le=20_000)] = 1000
    per_slash24: Annotated[int, Meta(ge=1, le=256)] = 16


class TlsSection(Section, frozen=True):
    """`[tls]`: ports that get a TLS hello and never a plain request; `rate` is the second visits a second of profile `tls`.

    With `after_close`, a host that only closed the connection after the plain request gets a second visit too.
    """

    ports: tuple[Port, ...] = (2762,)
    rate: Annotated[int, Meta(ge=1, le=10_000)] = 50
    after_close: bool = True


class OwnSection(Section, frozen=True):
    """`[own]`: ranges that their owner signed (docs/own-ranges.md); files are relative to this one."""

    owner: str = ""
    ranges: str = ""
    signature: str = ""
    public_key: str = ""


class LossSection(Section, frozen=True):
    """`[loss]`: a share `sample` of the targets gets a second SYN after `delay` seconds, to estimate how many hosts are missed."""

    sample: Annotated[float, Meta(ge=0, le=1)] = 0.01
    delay: Annotated[float, Meta(ge=0.5, le=60)] = 3.0


class ControlSection(Section, frozen=True):
    """`[control]`: a share `sample` of the addresses gets a SYN on a port where nothing should answer; 0 for none.

    Without `port`, the sweep's seed selects one of the dynamic ports (RFC 6335 §6). `targets` are hosts of the lab, as
    "ADDRESS:PORT". They get a SYN every `interval` seconds, and the sweep stops if one no longer answers.
    """

    sample: Annotated[float, Meta(ge=0, le=1)] = 0.01
    port: Annotated[int, Meta(ge=0, le=65535)] = 0
    targets: Annotated[tuple[Endpoint, ...], Meta(max_length=100)] = ()
    interval: Annotated[float, Meta(ge=0.5, le=3600)] = 60.0


class AlarmSection(Section, frozen=True):
    """`[alarm]`: stop a sweep whose hit rate drops by more than the fraction `fall`, and by more than chance explains.

    `false_alarms` is the highest probability that a whole sweep is stopped without cause; 0 switches the alarm off.
    """

    false_alarms: Annotated[float, Meta(ge=0, lt=1)] = 0.001
    fall: Annotated[float, Meta(ge=0, lt=1)] = 0.25


class HarmSection(Section, frozen=True):
    """`[harm]`: measure what visits do to hosts (docs/harm.md); without the section there is no harm check.

    A share `sample` of the addresses is not visited at once: half of it `delay` seconds after its answer, half twice as long. All
    of these, and every host that spoke DICOM, get a SYN `delay` seconds after the visit to check that they still answer. `margin`
    is the share of hosts that visits may silence at most; a report judges by it whether its numbers are large enough.
    """

    sample: Annotated[float, Meta(gt=0, le=1)] = 0.01
    delay: Annotated[float, Meta(ge=0.5, le=86_400)] = 600.0
    margin: Annotated[float, Meta(gt=0, lt=1)] = 0.001


class CompanionsSection(Section, frozen=True):
    """`[companions]`: which other TCP ports are open at addresses that spoke DICOM; no port, no such step.

    Each of `ports` gets one SYN without data, `delay` seconds after the DICOM visit or up to twice as long; an answer is reset.
    """

    ports: Annotated[tuple[Port, ...], Meta(max_length=16)] = ()
    delay: Annotated[float, Meta(ge=0.5, le=3600)] = 600.0

    def offset(self, number: int) -> float:
        """Seconds from the visit to the SYN to the port of this number: an address never gets all of them at once."""
        return self.delay * (1 + number / len(self.ports))

    @property
    def latest(self) -> float:
        """Seconds from the visit after which none of them is sent any more: by then another host may have the address."""
        return 2 * self.delay + COMPANIONS_LATE if self.ports else 0.0


class LakeSection(Section, frozen=True):
    """`[lake]`: where the tables go: a folder, relative to the working directory, or `s3://BUCKET/PREFIX`."""

    url: str = "lake"


class OptoutSection(Section, frozen=True):
    """`[optout]`: the opt-out register that the sweep obeys, relative to this file; `optout.jsonl` in the lake if empty."""

    register: str = ""


class GeoSection(Section, frozen=True):
    """`[geo]`: databases of countries and networks (an mmdb, or a Parquet table) and of announced prefixes; relative to this file."""

    country: str = ""
    asn: str = ""
    announced: str = ""


class ReleaseSection(Section, frozen=True):
    """`[release]`: what a data set says of itself, and how fine its rows are (docs/release.md); it changes no plan.

    `licence` is an SPDX id. A creator is "Family, Given" or the name of a body, with an ORCID in brackets if there is one. With
    `microdata` a row for each service is released, of which at least `k` are alike.
    """

    title: Line = ""
    creators: tuple[Line, ...] = ()
    publisher: Line = ""
    licence: Line = ""
    doi: Line = ""
    url: Url = ""
    microdata: bool = False
    k: Annotated[int, Meta(ge=2, le=10_000)] = 5


class Config(Section, frozen=True):
    """The whole file."""

    sweep: SweepSection
    targets: TargetsSection = TargetsSection()
    visibility: VisibilitySection | None = None
    caps: CapsSection = CapsSection()
    identity: IdentitySection = IdentitySection()
    probe: ProbeSection = ProbeSection()
    associate: AssociateSection = AssociateSection()
    loss: LossSection = LossSection()
    control: ControlSection = ControlSection()
    alarm: AlarmSection = AlarmSection()
    harm: HarmSection | None = None
    companions: CompanionsSection = CompanionsSection()
    tls: TlsSection = TlsSection()
    own: OwnSection = OwnSection()
    lake: LakeSection = LakeSection()
    optout: OptoutSection = OptoutSection()
    geo: GeoSection = GeoSection()
    release: ReleaseSection = ReleaseSection()
