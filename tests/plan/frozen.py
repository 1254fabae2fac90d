"""A small plan, frozen in memory."""

from pathlib import Path

from pipeline.config.sections import CapsSection, Config, SweepSection, TargetsSection
from pipeline.enrich import databases
from pipeline.plan import freezing
from pipeline.plan.freezing import Provenance
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
) -> Plan:
    config = Config(
        sweep=SweepSection(name="trial", ports=(104, 11112), seed=7, rate=rate, shards=3, sample=sample),
        targets=TargetsSection(include=include, include_files=include_files, exclude=exclude),
        caps=caps,
    )
    provenance = Provenance(created="2026-02-11T10:00:00Z", code_version="1", requests={"104": "00ff"})
    return freezing.freeze(config, Path(), provenance, places)
