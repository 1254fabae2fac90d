"""The lower bound of services by three or more vantages, in worlds where some addresses block some vantages."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.views import views
from tests.analysis import lake
from tests.publish import demo

WORLDS = 1_000
#: Vantages, the chance to be seen by one that is not blocked, and how many addresses block a vantage.
KINDS = [(3, 0.97, 0.1), (3, 0.97, 0.3), (3, 0.6, 0.0), (4, 0.95, 0.2)]


def seen(draw: np.random.Generator, services: int, kind: tuple[int, float, float]) -> NDArray[np.bool_]:
    """Which vantages saw each service: some block some vantages for good, and the others are lost now and then."""
    vantages, chance, blocked = kind
    open_to = draw.random((services, vantages)) >= blocked
    return np.asarray(open_to & (draw.random((services, vantages)) < chance))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_bound_holds(kind: tuple[int, float, float]) -> None:
    """At least so many services are there: in 95 % of worlds or more, and it finds some of those that every vantage missed."""
    draw, services = np.random.default_rng(11), 2_000
    times = [seen(draw, services, kind).sum(axis=1) for _ in range(WORLDS)]
    worlds = [tuple(int((each == n).sum()) for n in (1, 2)) for each in times]
    con = lake.connect()
    values = ", ".join(f"({n}, {once}, {two})" for n, (once, two) in enumerate(worlds))
    missed = con.execute(
        f"SELECT floor(chao_missed_low({kind[0]}, once, two)) FROM (VALUES {values}) AS worlds (n, once, two) ORDER BY n"
    ).fetchnumpy()
    (least,) = missed.values()
    found = np.array([(each > 0).sum() for each in times])
    assert np.mean(found + least <= services) >= 0.95
    assert np.mean(least) > 0.1 * np.mean(services - found)


def test_networks_are_missed_together() -> None:
    """Where whole networks block vantages, the mart counts its services as fewer, and the bound still holds in 95 % of worlds."""
    draw, networks, each = np.random.default_rng(12), 60, 5
    worlds = 40
    tables: dict[str, list[dict[str, Any]]] = {"sweeps": [], "methods": [], "associations": [], "locations": []}
    for world in range(worlds):
        saw = np.repeat(seen(draw, networks, (3, 0.97, 0.25)), each, axis=0)
        for vantage in range(3):
            sweep = f"w{world:02}-{vantage}"
            tables["sweeps"].append(
                demo.sweep_row(1_000_000, 9)
                | {"sweep": sweep, "name": sweep, "vantages": [f"192.0.2.{vantage}"], "started_at": lake.WHEN}
            )
            tables["methods"].append({"sweep": sweep, "method_digest": f"m{world}", "space_digest": "s"})
            for number in np.flatnonzero(saw[:, vantage]).tolist():
                tables["associations"].append({"sweep": sweep, "ip": number * 512, "port": 104, "outcome": "accepted"})
                tables["locations"].append({"sweep": sweep, "ip": number * 512, "country": "DE", "asn": number // each})
    con = lake.connect(**tables)
    rows = con.execute("SELECT design_effect, bound_low, places FROM vantage_bounds").fetchall()
    assert len(rows) == worlds and all(places == 3 for *_, places in rows)
    assert np.median([effect for effect, *_ in rows]) == pytest.approx(each, rel=0.3)
    assert np.mean([low <= networks * each for _, low, _ in rows]) >= 0.95
    assert "vantage_bounds" in views.SERIES
