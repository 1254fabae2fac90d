"""The loss of services by country, by SQL and by the same formulas in numpy."""

from typing import Any

import numpy as np
import pytest

from tests.publish import loss_worlds


def by_hand(hosts: Any, again: Any, services: Any, looked: int, missed: int) -> tuple[Any, Any]:
    """The mean loss of services in each country, and the looks that it is known by; without clusters, and without second visits."""
    rate, n = (hosts.sum() - again.sum() + 0.5) / (hosts.sum() + 1), hosts.sum()
    weight, own, noise = hosts / n, (hosts - again) / hosts, rate * (1 - rate)
    spread = (weight * (own - rate) ** 2).sum() - noise * (weight * (1 - weight) / hosts).sum()
    share = spread / (noise * (weight * (1 - weight) * (1 - 1 / hosts)).sum())
    prior = np.minimum(max(1, min(n, 1 / share - 1 if share > 0 else n)), n - hosts + 1)
    lost, kept = hosts - again + rate * prior, again + (1 - rate) * prior
    mean = lost / (lost + kept)
    variance = mean * (1 - mean) / (lost + kept + 1)
    shape, expected = 1 + missed, 1 + looked * (services * mean).sum() / services.sum()
    loss = shape / expected * mean
    of_loss = loss**2 * ((1 + 1 / shape) * (1 + variance / mean**2) - 1)
    return loss, loss * (1 - loss) / of_loss - 1


@pytest.mark.parametrize("spread", [0.0, 0.7])
def test_sql_equals_its_formulas(spread: float) -> None:
    """The mart has the same loss of each country as numpy, whether countries differ or not."""
    worlds = loss_worlds.Worlds(np.random.default_rng(1), 2.0, spread)
    worlds.sweep("s")
    rows = {row["country"]: row for row in worlds.rows(second_visits=None) if not row["of_all"]}
    hosts, again, looked, both = (np.array([row[n] for row in worlds.looks], float) for n in (5, 6, 7, 8))
    services = np.array([row[2] for row in worlds.exposed], float)
    mean, looks = by_hand(hosts, again, services, int(looked.sum()), int((looked - both).sum()))
    for number, country in enumerate(loss_worlds.COUNTRIES):
        row = rows[country]
        assert row["lost"] / (row["lost"] + row["kept"]) == pytest.approx(mean[number])
        assert row["lost"] + row["kept"] == pytest.approx(looks[number])


def test_hosts_that_are_lost_together_say_less() -> None:
    """Where all hosts of a network are lost together, the design effect is their number, and so many times fewer looks are known."""
    worlds = loss_worlds.Worlds(np.random.default_rng(2), 1.0, 0.0)
    lost = worlds.draw.random((2, 400)) < 0.1
    worlds.looks = [
        ("s", country, f"AS{number}", 0, 0, 20, 0 if gone else 20, 0, 0)
        for country, networks in zip(("AA", "BA"), lost.tolist(), strict=True)
        for number, gone in enumerate(networks)
    ]
    worlds.exposed = [("s", "AA", 10)]
    (whole, *_) = sorted(worlds.rows(), key=lambda row: not row["of_all"])
    assert whole["design_effect"] == pytest.approx(20, rel=0.05)
    assert whole["host_lost"] + whole["host_kept"] < 2 * 400 * 1.2


def test_nothing_lost_is_not_certain() -> None:
    """If every look found every host, the loss is small and its interval is not empty."""
    worlds = loss_worlds.Worlds(np.random.default_rng(3), 1.0, 0.0)
    worlds.looks, worlds.exposed = [("s", "AA", "AS1", 50, 50, 50, 50, 5, 5)], [("s", "AA", 7), ("s", "BA", 3)]
    for row in worlds.rows():
        assert 0 < row["lost"] / (row["lost"] + row["kept"]) < 0.05


def test_the_order_of_rows_changes_no_digit() -> None:
    """The same looks in another order give the same numbers to the last bit, however floats are added up."""
    worlds = loss_worlds.Worlds(np.random.default_rng(4), 2.0, 0.7)
    for number in range(20):
        worlds.sweep(f"s{number}")
    first = sorted(map(str, worlds.rows()))
    worlds.looks.reverse()
    worlds.exposed.reverse()
    assert sorted(map(str, worlds.rows())) == first
