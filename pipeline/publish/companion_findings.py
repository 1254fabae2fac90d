"""What a report says about companion ports: its sentence, and its table of countries.

A country's row is shown if enough addresses got a companion SYN there, whatever they answered. Fewer do not make a share, and go
into one row of at least two countries, so that none of them follows from the total.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.publish.wording import listed, number, percent
from pipeline.words.plural import plural

Row = dict[str, Any]

#: What stands in place of the country in the row of all countries, and in that of those too small to be shown.
TOTAL = "All countries"
MERGED = "(merged: too few to show apart)"
COUNTS = ("companions_probed", "web", "hl7", "none_open")
#: What a companion port is of, by the macro `companion_kind`, and how a sentence names it.
KINDS = {"web": "a web port", "hl7": "an HL7 port"}


def merge_few(rows: Sequence[Row], min_cell: int) -> list[Row]:
    """Merge the countries with fewer than `min_cell` addresses into one row of at least two countries and `min_cell` addresses.

    The only country of a sweep stays.
    """
    ordered = sorted(rows, key=lambda row: row["companions_probed"])
    few = sum(probed < min_cell for probed in _probed(ordered))
    if not few or len(ordered) < 2:
        return list(rows)
    enough = (n for n in range(max(few, 2), len(ordered)) if sum(_probed(ordered[:n])) >= min_cell)
    merged = ordered[: next(enough, len(ordered))]
    shown = [row for row in rows if row not in merged]
    return [*shown, _sum(merged, MERGED if shown else TOTAL)]


def with_total(rows: Sequence[Row]) -> list[Row]:
    """The rows of countries under one of all of them; unchanged if it would say the same."""
    return [_sum(rows, TOTAL), *rows] if len(rows) > 1 else list(rows)


def sentence(kinds: Sequence[Row], ports: Sequence[Row]) -> Iterator[str]:
    """Which other ports are open at DICOM hosts: the kinds first, then each open port. Nothing if no SYN left, or all is withheld."""
    if not kinds or not ports or any(row["companions_open"] is None for row in ports):
        return
    total = _sum(kinds, TOTAL)
    hosts = f"{plural(total['companions_probed'], 'address', 'addresses')} that spoke DICOM"
    opened = [row for row in ports if row["companions_open"]]
    if not opened:
        tried = [str(row["port"]) for row in ports]
        closed = f"one of the ports {listed(tried)}" if len(tried) > 1 else f"port {tried[0]}"
        yield f"At none of the {hosts} was {closed} open. A port was tried once."
        return
    tried_kinds = {row["companion"] for row in ports}
    shares = [
        f"{_count(total[kind], total[f'{kind}_share'])} have {words} open as well"
        for kind, words in KINDS.items()
        if kind in tried_kinds
    ]
    begin = f"Of the {hosts}, {listed(shares)}: " if shares else f"Of the {hosts}, some have other ports open as well: "
    yield f"{begin}{listed([_port(row) for row in opened])}. A port was tried once; what listens there was not looked at."


def _count(count: int, share: float) -> str:
    return f"{number(count)} ({percent(share)})" if count else "none"


def _port(row: Row) -> str:
    use = f" ({row['port_use']})" if row["port_use"] else ""
    return f"port {row['port']}{use} at {number(row['companions_open'])}"


def _probed(rows: Sequence[Row]) -> list[int]:
    return [row["companions_probed"] for row in rows]


def _sum(rows: Sequence[Row], label: str) -> Row:
    """Rows of countries as one."""
    counts = {column: sum(row[column] for row in rows) for column in COUNTS}
    shares = {f"{kind}_share": counts[kind] / counts["companions_probed"] for kind in KINDS}
    return {"country": label} | counts | shares
