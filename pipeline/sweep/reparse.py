"""Parse a sweep's stored replies with this version: table `reparsed`, which the views prefer."""

from collections import Counter
from typing import Any

import msgspec
import pyarrow as pa

from pipeline.associate.replay import PARSED_COLUMNS, replay
from pipeline.errors import InputError
from pipeline.lake import attestation, parts, schema_versions, store, turn
from pipeline.lake.layout import SweepPaths
from pipeline.lake.store import Location
from pipeline.record.visit import columns
from pipeline.untrusted import bounded
from pipeline.wire.outgoing import Outgoing
from pipeline.wire.pdu import PARSER_VERSION


class Planned(msgspec.Struct):
    """The fields that reparsing needs of a plan of any version."""

    requests: dict[str, str]
    digest: str = ""


def reparse(paths: SweepPaths) -> Counter[str]:
    """Parse the replies of a sealed sweep again, and count the changed rows by column. Raises InputError if it is not sealed.

    A row is written if a column changes or an older parser judged it.
    """
    sealed = paths.sealed("associations")
    if not sealed.exists():
        raise InputError(paths.id, "is not sealed; `census sweep --resume` finishes it")
    with turn.of(paths):
        attestation.require(paths, attestation.input_faults(paths))
        changed = _reparse(paths, sealed)
        attestation.add(paths, [paths.sealed("reparsed")])
    return changed


def _reparse(paths: SweepPaths, sealed: Location) -> Counter[str]:
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
    reparsed = pa.Table.from_batches([parts.from_rows(rows, "reparsed")])
    parts.write(
        paths.sealed("reparsed"), parts.tidy([reparsed], "reparsed"), "reparsed", paths.id, digest=planned.digest
    )
    return changed


def _planned(paths: SweepPaths) -> Planned:
    try:
        return bounded.json(store.content(paths.plan), Planned, str(paths.plan))
    except OSError as error:
        raise InputError(str(paths.plan), f"has no requests: {error}") from None


def _same(old: Any, new: Any) -> bool:
    """Whether two values of a column are equal; Parquet gives lists for tuples."""
    return bool(_plain(old) == _plain(new))


def _plain(value: Any) -> Any:
    return [_plain(member) for member in value] if isinstance(value, (list, tuple)) else value
