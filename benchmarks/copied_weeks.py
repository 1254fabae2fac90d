"""A longer history of the weeks of a short one, there and back, so that ten years take minutes to write.

Each week has the tables and marts of a week that was drawn and enriched, with another date. Services begin and end as in the short
history, forwards or backwards; those that are in all of its weeks stay for ever. The marts that link weeks are built until the history
has repeated once, and are copied from then on: their rows name earlier weeks, but there are as many as there would be.
"""

import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import cycle, islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import weeks
from pipeline.lake import layout, parts
from pipeline.lake.layout import SweepPaths
from pipeline.views import linked_marts, marts


def extend(lake: Path, count: int) -> None:
    """Copy the sweeps of a lake until there are this many, and build the marts that link them."""
    drawn = layout.sweeps(lake)
    for week, of in enumerate(islice(_there_and_back(drawn), count)):
        if week >= len(drawn):
            copy(of, weeks.BEGIN + timedelta(weeks=week))
    period, placed = max(1, 2 * len(drawn) - 2), list(linked_marts.place(layout.sweeps(lake)).values())
    for week, each in enumerate(placed):
        if week < len(drawn) + period and not each.complete:
            linked_marts.build_placed(each)
        elif not each.complete:
            shutil.copytree(str(placed[week - period].folder), str(each.folder), copy_function=os.link)


def _there_and_back(drawn: list[SweepPaths]) -> Iterator[SweepPaths]:
    return cycle([*drawn, *drawn[-2:0:-1]])


def copy(of: SweepPaths, started: datetime) -> None:
    """Add a week, if it is not there: the tables and marts of another one, by links, and the row of the sweep with another date."""
    paths = SweepPaths(of.lake, f"{started:%Y%m%dT%H%M%SZ}-weekly")
    if paths.plan.parent.exists():
        return
    lake = Path(str(of.lake))
    for folder in lake.glob(f"*/sweep={of.id}"):
        if folder.parent.name not in ("plans", "marts", "sweeps"):
            shutil.copytree(folder, folder.with_name(f"sweep={paths.id}"), copy_function=os.link)
    row = pq.read_table(str(of.sealed("sweeps")), partitioning=None)
    at = row.schema.get_field_index("started_at")
    row = row.set_column(at, row.schema.field(at), pa.array([started], row.schema.field(at).type))
    parts.write(paths.sealed("sweeps"), row, "sweeps", paths.id)
    shutil.copytree(str(marts.folder(of)), str(marts.folder(paths)), copy_function=os.link)
    shutil.copytree(str(of.plan.parent), str(paths.plan.parent), copy_function=os.link)
