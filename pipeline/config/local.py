"""Facts of one vantage: its interface, source addresses, next hop and public addresses.

A fleet shares one plan, and no two of its machines have these in common. So a vantage's environment may give them; then those of the
plan are not used. What the plan says is used only where the machine confirms it (`pipeline/worker/egress.py`).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

import msgspec

from pipeline.config.sections import ProbeSection
from pipeline.errors import InputError
from pipeline.words.plural import plural

INTERFACE, SOURCE, GATEWAY_MAC = "CENSUS_INTERFACE", "CENSUS_SOURCE", "CENSUS_GATEWAY_MAC"
#: The addresses that scanned networks see, where a NAT replaces the sources: one for all of them, or one for each in their order.
PUBLIC_ADDRESS = "CENSUS_PUBLIC_ADDRESS"
KEYS = {INTERFACE: "interface", SOURCE: "source", GATEWAY_MAC: "gateway_mac"}


@dataclass(frozen=True, slots=True)
class LocalFacts:
    """How this vantage sends: the plan's section `[probe]` with the facts of this machine."""

    probe: ProbeSection
    from_environment: bool
    """The environment gives interface, source or next hop, so the plan's own are not used."""
    public_addresses: tuple[str, ...] = ()

    @property
    def seen(self) -> tuple[str, ...]:
        """The dotted addresses that scanned networks see, as far as they are given."""
        return self.public_addresses or self.probe.sources

    def source(self, sender: int) -> str:
        """The dotted source address of a sender; empty if the kernel is to choose it."""
        sources = self.probe.sources
        return sources[sender % len(sources)] if sources else ""

    def public(self, sender: int) -> str:
        """The dotted address that scanned networks see of a sender; empty if it is not given."""
        return self.public_addresses[sender % len(self.public_addresses)] if self.public_addresses else ""

    def named(self, key: str) -> str:
        """Where a key's value comes from, for error messages."""
        variable = next(name for name, of in KEYS.items() if of == key)
        return variable if self.from_environment else f"key probe.{key}"


def facts(probe: ProbeSection, environment: Mapping[str, str] = os.environ) -> LocalFacts:
    """The facts of this vantage for a plan's section `[probe]`. Raises InputError that names a wrong variable."""
    values = {variable: environment[variable] for variable in KEYS if environment.get(variable)}
    section = _replaced(probe, values) if values else probe
    if len(section.sources) > probe.processes:
        raise InputError(
            SOURCE,
            f"gives {plural(len(section.sources), 'address', 'addresses')}, and the plan has "
            f"{plural(probe.processes, 'sender')}; plan with [probe] senders",
        )
    public = _addresses(environment.get(PUBLIC_ADDRESS, ""), PUBLIC_ADDRESS)
    if len(public) > 1 and len(public) != len(section.sources):
        raise InputError(
            PUBLIC_ADDRESS,
            f"gives {plural(len(public), 'address', 'addresses')} for {plural(len(section.sources), 'source')}; give one, "
            "or one for each",
        )
    return LocalFacts(section, bool(values), public)


def _replaced(probe: ProbeSection, values: Mapping[str, str]) -> ProbeSection:
    """The section with these facts, and without those of another machine."""
    local = {"interface": values.get(INTERFACE, ""), "gateway_mac": values.get(GATEWAY_MAC, "")}
    document = msgspec.to_builtins(probe) | local | {"source": _addresses(values.get(SOURCE, ""), SOURCE) or ""}
    try:
        return msgspec.convert(document, ProbeSection)
    except msgspec.ValidationError:
        raise InputError(
            GATEWAY_MAC, f"{values.get(GATEWAY_MAC)!r} is not a hardware address; e.g. {GATEWAY_MAC}=02:00:00:00:00:01"
        ) from None


def _addresses(text: str, where: str) -> tuple[str, ...]:
    """Dotted addresses, separated by commas or blanks. Raises InputError."""
    try:
        return tuple(str(IPv4Address(part)) for part in text.replace(",", " ").split())
    except ValueError as error:
        raise InputError(where, f"is not a list of IPv4 addresses: {error}; e.g. {where}=192.0.2.7") from None
