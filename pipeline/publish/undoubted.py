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
    """Both numbers: "37 (48 with likely decoys)"; one if there is no decoy, or if decoys are withheld."""
    if row["decoys"] is None and row["services"]:
        return f"{number(row['services'])} {WITH_DECOYS}"
    more = f" ({number(row['services'])} {WITH_DECOYS})" if row["decoys"] else ""
    return f"{number(leading(row))}{more}"
