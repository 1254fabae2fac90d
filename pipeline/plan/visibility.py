"""The visibility sample of a sweep: which part of its addresses each vantage of a fleet probes, by a sweep of its own.

The sample is the beginning of the sweep's own order, a uniform random choice of addresses. Each vantage probes it in the same order,
one vantage after another, so that no host has conversations with two of them at once.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from pipeline.config.sections import CapsSection, CompanionsSection, Config, VisibilitySection
from pipeline.errors import InputError
from pipeline.words.plural import plural


class Visibility(msgspec.Struct, frozen=True, kw_only=True):
    """The names of the vantages, and the addresses, rate and shards of the sweep that each of them makes."""

    vantages: tuple[str, ...]
    sample: Annotated[float, Meta(gt=0, le=1)]
    addresses: Annotated[int, Meta(ge=1)]
    rate: Annotated[int, Meta(ge=1)]
    shards: Annotated[int, Meta(ge=1)]

    def fits(self, sampled: int, vantage: str) -> bool:
        """Whether it can be that of a plan that visits so many addresses: of a vantage's own plan, or of the plan of all."""
        return sampled == self.addresses and vantage in self.vantages if vantage else self.addresses <= sampled


def drawn(section: VisibilitySection, sampled: int) -> int:
    """The number of addresses in the sample, of those that the sweep visits. Raises InputError if there is none."""
    addresses = round(section.sample * sampled)
    if not addresses:
        raise InputError(
            "key visibility.sample",
            f"gives none of {plural(sampled, 'address', 'addresses')}; choose {1 / sampled:.2g} or more",
        )
    return addresses


def alone(config: Config, section: VisibilitySection) -> Config:
    """The configuration of the sweep of one vantage: a SYN to each target and nothing besides, within its part of each cap."""
    parts = {key: getattr(config.caps, key) // len(section.vantages) for key in CapsSection.__struct_fields__}
    return msgspec.structs.replace(
        config,
        sweep=msgspec.structs.replace(config.sweep, shards=0),
        caps=CapsSection(**parts),
        loss=msgspec.structs.replace(config.loss, sample=0.0),
        control=msgspec.structs.replace(config.control, sample=0.0),
        harm=None,
        companions=CompanionsSection(),
    )
