"""The specification of a testbed: the addresses of each server, and the outcome that a visitor must get there.

It is both the plan of the simulated Internet and its ground truth, so a sweep of it can be judged host by host.
"""

from collections import Counter
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from pipeline.config import toml_file
from pipeline.config.values import AeTitle, Name, Port, Section
from pipeline.errors import InputError
from pipeline.outcome import Outcome
from pipeline.space.ranges import Ranges
from pipeline.testbed.internet.population import Internet, Population

RealKind = Literal["storescp", "dcmqrscp", "orthanc", "pynetdicom", "storescp-tls", "tls"]
DecoyKind = Literal["http", "ssh", "echo", "silent", "reset", "random", "rdp", "fin", "alert"]
HostileKind = Literal[
    "dribble",
    "endless",
    "longest",
    "contexts",
    "tls-endless",
    "reset-for-request",
    "reset-in-accept",
    "reset-for-echo",
    "reset-in-echo",
    "reset-for-release",
    "reset-in-release",
    "mirror",
    "titles-nul",
    "titles-swapped",
    "titles-lower",
    "titles-own",
]
#: Kinds without a process: the kernel answers (RST; ICMP host unreachable).
KernelKind = Literal["closed", "unreachable"]

#: More addresses in one range are probably a mistake: each is a route and a row in a map.
MAX_ADDRESSES = 65_536


class Server(Section, frozen=True):
    """`[[server]]`: one process. `callers` are the only calling AE titles it accepts; `check_called` makes it check the called one.

    Outcomes are those of the profile `echo`; under `associate`, `echoed` becomes `accepted`.
    """

    name: Name
    kind: RealKind | DecoyKind | HostileKind | KernelKind
    ae_title: AeTitle = "ANY-SCP"
    check_called: bool = False
    callers: tuple[AeTitle, ...] = ()


class Placement(Section, frozen=True):
    """`[[stand]]`: a server answers on these addresses and port. Without an outcome there must be no response."""

    server: Name
    port: Port
    addresses: Annotated[tuple[str, ...], Meta(min_length=1)]
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$", description='a country code, e.g. "GB"')]
    outcome: Outcome | None = None
    rj: tuple[int, int, int] | None = None
    excluded: bool = False


class Spec(Section, frozen=True):
    """The whole file."""

    server: tuple[Server, ...] = ()
    placements: tuple[Placement, ...] = msgspec.field(name="stand", default=())
    internet: Internet | None = None


def load(path: Path) -> Spec:
    """Read and check a specification. Raises InputError naming file, key and reason."""
    spec = toml_file.read(path, Spec)
    _check(path, spec)
    return spec


def addresses(placement: Placement) -> list[IPv4Address]:
    """The addresses of a placement in the order given: single ones, dashed ranges and CIDR blocks."""
    return [address for text in placement.addresses for address in _expand(text)]


def placed_addresses(spec: Spec) -> Ranges:
    """The addresses of servers, on which there are no simulated hosts."""
    return Ranges.of((int(address), int(address)) for placement in spec.placements for address in addresses(placement))


def _expand(text: str) -> Iterator[IPv4Address]:
    if "/" in text:
        first, last = IPv4Network(text)[0], IPv4Network(text)[-1]
    else:
        start, _, end = text.partition("-")
        first, last = IPv4Address(start), IPv4Address(end or start)
    if not 0 <= int(last) - int(first) < MAX_ADDRESSES:
        raise ValueError(f"{text} must ascend and have at most {MAX_ADDRESSES} addresses")
    return (IPv4Address(number) for number in range(int(first), int(last) + 1))


def _check(path: Path, spec: Spec) -> None:
    """Raise InputError for what types cannot check: names, addresses, and two servers on one endpoint."""
    if not spec.placements and spec.internet is None:
        raise InputError(str(path), "describes no host; write [[server]] and [[stand]], or [internet]")
    if spec.internet is not None:
        Population(spec.internet, placed_addresses(spec))
    kinds = {server.name: server.kind for server in spec.server}
    if len(kinds) != len(spec.server):
        raise InputError(f"{path}, key server", f"has a server name twice: {_repeated(s.name for s in spec.server)}")
    endpoints: Counter[tuple[IPv4Address, int]] = Counter()
    for number, placement in enumerate(spec.placements):
        where = f"{path}, key stand[{number}]"
        if placement.server not in kinds:
            raise InputError(
                f"{where}.server",
                f"{placement.server!r} is not the name of a [[server]]; use one of {', '.join(kinds)}",
            )
        if (placement.outcome is None) != (kinds[placement.server] in get_args(KernelKind)):
            raise InputError(
                f"{where}.outcome", "is required for every kind except closed and unreachable, which have none"
            )
        if (placement.rj is None) == (placement.outcome is Outcome.REJECTED):
            raise InputError(
                f"{where}.rj",
                "is [result, source, reason] of a rejection; give it where outcome is `rejected`, and nowhere else",
            )
        try:
            endpoints.update((address, placement.port) for address in addresses(placement))
        except (AddressValueError, NetmaskValueError, ValueError) as error:
            raise InputError(f"{where}.addresses", str(error)) from None
    if shared := [f"{address}:{port}" for (address, port), count in endpoints.items() if count > 1]:
        raise InputError(f"{path}, key stand", f"gives {shared[0]} to two servers; give it to one")


def _repeated(names: Iterator[str]) -> str:
    return ", ".join(name for name, count in Counter(names).items() if count > 1)
