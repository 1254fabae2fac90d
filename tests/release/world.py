"""Made-up services of five countries, the marts that a report publishes of them, and the same services a week later."""

import random
from collections import Counter
from typing import Any

from pipeline.publish.data import Mart
from pipeline.publish.disclosure import disclosed
from pipeline.release.anonymity import Kind

#: Services by country, and how rare the rarest values are there.
SIZES = {"US": 220, "GB": 120, "DE": 60, "FR": 13, "SG": 4, None: 6}
OWNERS = (
    ("healthcare", "strong", "hospital", "medium"), ("hosting", "weak", "hosting", "weak"), ("access", "weak", "access", "weak"),
    ("education", "medium", "university", "medium"),
)  # fmt: skip
PRODUCTS, PORTS, ANSWERS = (
    ("Orthanc", "DCMTK", "dcm4che", "Conquest"),
    ("104", "11112", "2762"),
    ("accepted", "rejected", "aborted"),
)
Services = list[tuple[int, Kind]]


def services(draw: random.Random) -> Services:
    """Services by number, each with its kind."""
    made = [_kind(draw, country) for country, size in SIZES.items() for _ in range(size)]
    return list(enumerate(made))


def _kind(draw: random.Random, country: str | None) -> Kind:
    (owner,) = draw.choices(OWNERS, (60, 25, 12, 3))
    (product,) = draw.choices(PRODUCTS, (70, 20, 8, 2))
    (port,) = draw.choices(PORTS, (70, 27, 3))
    (answer,) = draw.choices(ANSWERS, (70, 25, 5))
    return (country, *owner, product, port, answer, draw.random() < 0.05)


def later(draw: random.Random, before: Services, changes: dict[str | None, int]) -> Services:
    """The services a week later: of each country so many are gone, and half as many are new."""
    now, number = list(before), len(before)
    for country, n in changes.items():
        gone = draw.sample([service for service in now if service[1][0] == country], n)
        now = [service for service in now if service not in gone]
        for _ in range(n // 2):
            number += 1
            now.append((number, _kind(draw, country)))
    return now


def marts(made: Services, min_cell: int) -> dict[str, Mart]:
    """What a report publishes of these services, by the rules of disclosure."""
    kinds = [kind for _, kind in made]
    rows: dict[str, list[dict[str, Any]]] = {
        "countries": [_country(country, [k for k in kinds if k[0] == country]) for country in {k[0] for k in kinds}],
        "ports": _rows(kinds, {"port": 6}),
        "sectors": _rows(kinds, {"sector": 1, "confidence": 2}),
        "network_kinds": _rows(kinds, {"network_kind": 3, "confidence": 4}),
    }
    return {
        name: Mart(name, (), tuple(disclosed(name, each, min_cell, edition=False)), "") for name, each in rows.items()
    }


def _country(country: object, kinds: list[Kind]) -> dict[str, Any]:
    answers = Counter(kind[7] for kind in kinds)
    return {
        "country": country, "services": len(kinds), "accepting": answers["accepted"], "rejected": answers["rejected"],
        "aborted": answers["aborted"], "echoed": None, "decoys": sum(bool(kind[8]) for kind in kinds), "crowding": 1.0,
        "addresses": len(kinds), "addresses_undoubted": sum(not kind[8] for kind in kinds),
    }  # fmt: skip


def _rows(kinds: list[Kind], columns: dict[str, int]) -> list[dict[str, Any]]:
    groups = Counter((kind[0], *(kind[n] for n in columns.values())) for kind in kinds)
    accepting = Counter((kind[0], *(kind[n] for n in columns.values())) for kind in kinds if kind[7] == "accepted")
    return [
        {"country": key[0], **dict(zip(columns, key[1:], strict=True)), "services": n, "accepting": accepting[key]}
        for key, n in groups.items()
    ]
