"""Judge the replies that a sweep kept by the parser of this version: table `reparsed`, which the views prefer."""

from collections import Counter
from typing import Any

import msgspec
import pyarrow as pa

from pipeline.associate.replay import PARSED_COLUMNS, replay
from pipeline.errors import InputError
from pipeline.lake import parts, schema_versions
from pipeline.lake.layout import SweepPaths
from pipeline.record.visit import columns
from pipeline.wire.outgoing import Outgoing
from pipeline.wire.pdu import PARSER_VERSION


class Planned(msgspec.Struct):
    """What is needed of a plan of any version."""

    requests: dict[str, str]
    digest: str = ""


def reparse(paths: SweepPaths) -> Counter[str]:
    """Judge a sealed sweep anew; how many rows differ in each column. Raises InputError if it is not sealed.

    Rows whose every column stays, and that a parser as new as ours judged, get no row.
    """
    sealed = paths.sealed("associations")
    if not sealed.exists():
        raise InputError(paths.id, "is not sealed; `census sweep --resume` finishes it")
    planned = _planned(paths)
    outgoing = Outgoing.from_json(planned.requests, where=f"{paths.plan}, requests")
    known = schema_versions.read(sealed, "associations").to_pylist()
    changed: Counter[str] = Counter()
    rows = []
    for row in known:
        new = columns(replay(outgoing, row))
        differing = [name for name in PARSED_COLUMNS if not _same(row.get(name), new[name])]
        changed.update(differing)
        if differing or row["parser_version"] != PARSER_VERSION:
            rows.append({name: new[name] for name in PARSED_COLUMNS} | {"ip": row["ip"], "port": row["port"]})
    found = pa.Table.from_batches([parts.from_rows(rows, "reparsed")])
    parts.write(paths.sealed("reparsed"), parts.tidy([found], "reparsed"), "reparsed", paths.id, digest=planned.digest)
    return changed


def _planned(paths: SweepPaths) -> Planned:
    try:
        return msgspec.json.decode(paths.plan.read_bytes(), type=Planned)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(str(paths.plan), f"has no requests: {error}") from None


def _same(one: Any, other: Any) -> bool:
    """Whether two values of a column are equal; Parquet gives lists for tuples."""
    return bool(_plain(one) == _plain(other))


def _plain(value: Any) -> Any:
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value
