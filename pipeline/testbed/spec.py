"""The specification of a testbed: which server stands on which addresses, and what a visitor must find there.

It is both the plan of the simulated Internet and its ground truth, so a sweep of it can be judged host by host.
"""

import tomllib
from collections import Counter
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from pipeline.config import AeTitle, Name, Port, Section
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
]
#: Played without a process: the kernel answers (RST; ICMP host unreachable).
KernelKind = Literal["closed", "unreachable"]

#: More addresses than this on one stand is a slip of the pen: each is a route and a row in a map.
MAX_ADDRESSES = 65_536


class Server(Section, frozen=True):
    """`[[server]]`: one process. `callers` are the only calling AE titles it accepts, `check_called` makes it know its name.

    The accepted outcome is judged under the profile `echo`; under `associate` an `echoed` becomes an `accepted`.
    """

    name: Name
    kind: RealKind | DecoyKind | HostileKind | KernelKind
    ae_title: AeTitle = "ANY-SCP"
    check_called: bool = False
    callers: tuple[AeTitle, ...] = ()


class Stand(Section, frozen=True):
    """`[[stand]]`: a server answers on these addresses at this port. Without an outcome, no response is to be found."""

    server: Name
    port: Port
    addresses: Annotated[tuple[str, ...], Meta(min_length=1)]
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")]
    outcome: Outcome | None = None
    rj: tuple[int, int, int] | None = None
    excluded: bool = False


class Spec(Section, frozen=True):
    """The whole file."""

    server: tuple[Server, ...] = ()
    stand: tuple[Stand, ...] = ()
    internet: Internet | None = None


def load(path: Path) -> Spec:
    """Read and check a specification. Raises InputError naming file, key and reason."""
    try:
        spec = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Spec, strict=True)
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"is not TOML: {error}") from None
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$.")
        raise InputError(f"{path}, key {place.rstrip('`')}" if place else str(path), reason) from None
    _check(path, spec)
    return spec


def addresses(stand: Stand) -> list[IPv4Address]:
    """Return the addresses of a stand in the order given: single ones, dashed ranges and CIDR blocks."""
    return [address for text in stand.addresses for address in _expand(text)]


def taken(spec: Spec) -> Ranges:
    """The addresses that servers have, and simulated hosts have not."""
    return Ranges.of((int(address), int(address)) for stand in spec.stand for address in addresses(stand))


def _expand(text: str) -> Iterator[IPv4Address]:
    if "/" in text:
        first, last = IPv4Network(text)[0], IPv4Network(text)[-1]
    else:
        start, _, end = text.partition("-")
        first, last = IPv4Address(start), IPv4Address(end or start)
    if not 0 <= int(last) - int(first) < MAX_ADDRESSES:
        raise ValueError(f"{text} must run upwards and hold at most {MAX_ADDRESSES} addresses")
    return (IPv4Address(number) for number in range(int(first), int(last) + 1))


def _check(path: Path, spec: Spec) -> None:
    """Refuse what types cannot: unknown or repeated names, bad addresses, two servers on one door, doors without truth."""
    if not spec.stand and spec.internet is None:
        raise InputError(str(path), "describes no host; write [[server]] and [[stand]], or [internet]")
    if spec.internet is not None:
        Population(spec.internet, taken(spec))
    kinds = {server.name: server.kind for server in spec.server}
    if len(kinds) != len(spec.server):
        raise InputError(f"{path}, key server", f"names a server twice: {_repeated(s.name for s in spec.server)}")
    doors: Counter[tuple[IPv4Address, int]] = Counter()
    for number, stand in enumerate(spec.stand):
        where = f"{path}, key stand[{number}]"
        if stand.server not in kinds:
            raise InputError(f"{where}.server", f"there is no [[server]] {stand.server!r}; known: {', '.join(kinds)}")
        if (stand.outcome is None) != (kinds[stand.server] in get_args(KernelKind)):
            raise InputError(
                f"{where}.outcome", "is required for every kind except closed and unreachable, which have none"
            )
        if (stand.rj is None) == (stand.outcome is Outcome.REJECTED):
            raise InputError(
                f"{where}.rj",
                "is [result, source, reason] of a rejection; give it where outcome is `rejected`, and nowhere else",
            )
        try:
            doors.update((address, stand.port) for address in addresses(stand))
        except (AddressValueError, NetmaskValueError, ValueError) as error:
            raise InputError(f"{where}.addresses", str(error)) from None
    if twice := [f"{address}:{port}" for (address, port), count in doors.items() if count > 1]:
        raise InputError(f"{path}, key stand", f"gives {twice[0]} to two servers; give it to one")


def _repeated(names: Iterator[str]) -> str:
    return ", ".join(name for name, count in Counter(names).items() if count > 1)
