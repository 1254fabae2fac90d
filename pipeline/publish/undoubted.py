"""Counts without likely decoys, with both numbers side by side. Decoys that are withheld are not left out."""

from collections.abc import Mapping
from typing import Any

from pipeline.publish.wording import number

WITH_DECOYS = "with likely decoys"
#: What a figure says of countries whose decoys are withheld.
WITHHELD = "Where too few are decoys, or are none, to be shown apart, decoys are included."


def undoubted(row: Mapping[str, Any]) -> int | None:
    """The services of a row besides likely decoys; None if that is withheld."""
    return None if row["decoys"] is None else row["services"] - row["decoys"]


def leading(row: Mapping[str, Any]) -> int:
    """The number that comes first: services besides likely decoys, or all of them if that is withheld."""
    services: int = row["services"]
    return services - (row["decoys"] or 0)


def both(row: Mapping[str, Any]) -> str:
    """Both numbers of services: "37 (48 with likely decoys)"; one if there is no decoy, or if decoys are withheld."""
    return both_of(undoubted(row), row["services"])


def both_of(without: float | None, every: float | None) -> str:
    """A number without likely decoys, which may be withheld, and the one with them if it is another."""
    if without is None and every:
        return f"{number(every)} {WITH_DECOYS}"
    more = f" ({number(every)} {WITH_DECOYS})" if without != every and without is not None else ""
    return f"{number(every if without is None else without)}{more}"
