"""A small plan, frozen in memory."""

from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config.sections import CapsSection, Config, FocusSection, SweepSection, TargetsSection, VisibilitySection
from pipeline.enrich import databases
from pipeline.plan import freezing
from pipeline.plan.focus import WholeSweeps
from pipeline.plan.freezing import FromLake, Provenance
from pipeline.plan.plan import Plan
from pipeline.space.geo_databases import GeoDatabases

#: The bundled country table, and no networks.
ATLAS = databases.load(None, None)
INCLUDE = ("20.0.0.0/24", "9.255.255.250-10.0.0.5")
EXCLUDE = ("20.0.0.64/26",)


def freeze(
    *,
    include: tuple[str, ...] = INCLUDE,
    include_files: tuple[str, ...] = (),
    exclude: tuple[str, ...] = EXCLUDE,
    sample: float | int = 1.0,
    rate: int = 10,
    caps: CapsSection = CapsSection(),
    places: GeoDatabases = ATLAS,
    visibility: VisibilitySection | None = None,
    focus: FocusSection | None = None,
    services: tuple[str, ...] = (),
) -> Plan:
    """A plan of these settings; with a focus, of one that begins with these services."""
    config = Config(
        sweep=SweepSection(name="trial", ports=(104, 11112), seed=7, rate=rate, shards=3, sample=sample),
        targets=TargetsSection(include=include, include_files=include_files, exclude=exclude, focus=focus),
        caps=caps,
        visibility=visibility,
    )
    provenance = Provenance(created="2026-02-11T10:00:00Z", code_version="1", requests={"104": "00ff"})
    found = np.array([int(IPv4Address(service)) for service in services], np.uint32)
    begin = WholeSweeps(("a",), found) if focus else None
    return freezing.freeze(config, Path(), provenance, places, lake=FromLake(begin=begin))


def focused(
    sample: float = 0.25, services: tuple[str, ...] = ("20.0.3.7", "20.0.3.9", "20.0.9.1"), **more: Any
) -> Plan:
    """The plan of a focus over 256 /24s and a part of another one, with services in two /24s."""
    wide = ("20.0.0.0/16", "20.1.0.0/26")
    focus = FocusSection(name="whole", sample=sample)
    return freeze(**{"include": wide, "exclude": ("20.0.3.0/30",)} | more, focus=focus, services=services)
