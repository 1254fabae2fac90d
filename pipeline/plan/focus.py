"""The focus of a sweep: which /24s it probes because services were there, and which as a random sample of all others.

A focus plan probes the addresses of both strata, each once, as any other plan probes its target space. So walk, shards, caps, proof
and opt-outs know nothing of strata. This states what the estimates need: the strata, and the probability of each to be probed.
"""

from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from pipeline.config.sections import FocusSection
from pipeline.errors import InputError
from pipeline.space import strata
from pipeline.space.ranges import Ranges
from pipeline.words.plural import plural

Slash24s = Annotated[int, Meta(ge=0, le=strata.SLASH24S)]
#: Ranges of a plan, from the first address to the last, included.
Pairs = tuple[tuple[int, int], ...]
#: The first and the last IPv4 address.
EVERYTHING = (0, 2**32 - 1)


@dataclass(frozen=True, slots=True)
class WholeSweeps:
    """The whole sweeps that a focus begins with, and the addresses where they found a service."""

    sweeps: tuple[str, ...]
    services: NDArray[np.uint32]


class Focus(msgspec.Struct, frozen=True, kw_only=True):
    """The strata of a focus plan; `space` is what they divide, and `known` the part of it in /24s where services were."""

    sweeps: tuple[str, ...]
    sample: Annotated[float, Meta(gt=0, le=1)]
    space: Pairs
    known: Pairs
    addresses: int
    """Those of `space`."""
    known_slash24s: Slash24s
    other_slash24s: Slash24s
    sampled_slash24s: Slash24s

    @property
    def inclusion(self) -> float:
        """The probability of an address outside of `known` to be probed."""
        return self.sampled_slash24s / self.other_slash24s if self.other_slash24s else 1.0

    def probed(self, seed: int) -> Ranges:
        """The addresses of both strata, drawn again with the seed of the sweep."""
        again = strata.split(Ranges.of(self.space), Ranges.of(self.known), self.sample, seed)
        return again.known.union(again.drawn)

    def fits(self, ranges: Ranges) -> bool:
        """Whether the strata can be those of a plan over these addresses."""
        space, known = Ranges.of(self.space), Ranges.of(self.known)
        within = not (known.subtract(ranges).count or ranges.subtract(space).count)
        if not within or not Ranges.of([EVERYTHING]).contains(np.array([space.first[0], space.last[-1]])).all():
            return False
        drawn = ranges.subtract(known)
        return (self.known_slash24s, self.sampled_slash24s, self.addresses, self.sampled_slash24s) == (
            len(strata.slash24s(known)),
            len(strata.slash24s(drawn)),
            space.count,
            round(self.sample * self.other_slash24s),
        )


def focused(section: FocusSection, space: Ranges, begin: WholeSweeps, seed: int) -> tuple[Focus, Ranges]:
    """Divide a target space, and return its strata and the addresses to probe. Raises InputError if the sample is empty."""
    slash24s = np.unique(begin.services >> np.uint32(8)).astype(np.int64) << 8
    parts = strata.split(space, Ranges.covering(slash24s, slash24s + 255), section.sample, seed)
    if parts.others and not parts.sampled:
        raise InputError(
            "key targets.focus.sample",
            f"gives none of {plural(parts.others, '/24')} without earlier services; choose {1 / parts.others:.2g} or more",
        )
    focus = Focus(
        sweeps=begin.sweeps,
        sample=section.sample,
        space=tuple(space.pairs()),
        known=tuple(parts.known.pairs()),
        addresses=space.count,
        known_slash24s=parts.known_slash24s,
        other_slash24s=parts.others,
        sampled_slash24s=parts.sampled,
    )
    return focus, parts.known.union(parts.drawn)
