"""How likely a service is detected in a country, by the rows of mart `country_loss`."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.publish.estimates import ALL, SecondLook
from pipeline.statistics.looks import Looks
from pipeline.statistics.service_loss import ServiceLooks, at_ratio, common_ratio

Row = Mapping[str, Any]


def look(rows: Sequence[Row], sweep: str, country: str | None = ALL) -> SecondLook | None:
    """What second SYNs say of services in a country, or in all; of a country without a row, what they say of all."""
    row = _row(rows, sweep, country)
    return SecondLook(row["kept"], row["lost"] + row["kept"], "a second SYN", counted=False) if row else None


def alike(rows: Sequence[Row], sweeps: tuple[str, str], countries: Sequence[str | None]) -> tuple[Looks, Looks] | None:
    """The detections of two sweeps in all countries together and in each, as far as they are not unknown alike; None without rows."""
    whole = [_row(rows, sweep, ALL) for sweep in sweeps]
    if None in whole:
        return None
    ratio = common_ratio(*(_service_looks(row) for row in whole if row))
    first, second = (_at_ratio([_row(rows, sweep, name) for name in (ALL, *countries)], ratio) for sweep in sweeps)
    return first, second


def _at_ratio(selection: Sequence[Row | None], ratio: float) -> Looks:
    columns = ([row[name] for row in selection if row] for name in ("host_lost", "host_kept", "part_twice"))
    lost, kept, twice = columns
    return at_ratio(lost, kept, ratio, twice)


def _service_looks(row: Row) -> ServiceLooks:
    looked, effect = row["services_looked"], row["design_effect"]
    rate = row["host_lost"] / (row["host_lost"] + row["host_kept"])
    return ServiceLooks((looked - row["services_again"]) / effect, looked * rate / effect)


def _row(rows: Sequence[Row], sweep: str, country: str | None) -> Row | None:
    """The row of a country in a sweep, else that of all countries."""
    of_sweep = [row for row in rows if row["sweep"] == sweep]
    own = [row for row in of_sweep if not row["of_all"] and country != ALL and row["country"] == country]
    return next(iter([*own, *(row for row in of_sweep if row["of_all"])]), None)
