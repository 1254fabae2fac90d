"""The data of a report: its marts, and what follows from them. All texts are safe to show; there is no address."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from pipeline.config.sections import Profile
from pipeline.publish import country_loss, estimates
from pipeline.publish.estimates import ALL, CountryChange, Detection, Estimate, LooksOf, SecondLook, SurvivalStep
from pipeline.publish.scope import Scope
from pipeline.publish.undoubted import leading
from pipeline.statistics.looks import Looks

#: A note warns of a country database that was older than this at the sweep's start, in days.
FRESH_DAYS = 60

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mart:
    """One published mart of one sweep: its columns in order, its rows, and the question it answers."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    question: str


@dataclass(frozen=True)
class Comparison:
    """An earlier sweep of the series, and what changed until `now`, one row for each country, whatever the report is about.

    `loss` and `vantages` are what measures the loss of both sweeps, over all countries, `country_loss` what does by country.
    """

    sweep: str
    now: str
    started: datetime
    rows: tuple[Row, ...]
    loss: tuple[Row, ...] = ()
    vantages: tuple[Row, ...] = ()
    country_loss: tuple[Row, ...] = ()

    @cached_property
    def changes(self) -> list[CountryChange]:
        """What changed: all countries together first, then each."""
        return estimates.changes(self.rows, self._looks(self.sweep), self._looks(self.now), self._alike)

    def smallest_shown(self, change: CountryChange) -> int:
        """The smallest difference that the test of one of its changes would show."""
        names = [ALL, *self._countries]
        before, after = self._alike or (self._looks(self.sweep), self._looks(self.now))
        index = names.index(change.country)
        return estimates.smallest_shown(change, before and before.at(index), after and after.at(index))

    @property
    def _countries(self) -> list[str | None]:
        return [row["country"] for row in self.rows]

    @cached_property
    def _alike(self) -> tuple[Looks, Looks] | None:
        return country_loss.alike(self.country_loss, (self.sweep, self.now), self._countries)

    def _looks(self, sweep: str) -> LooksOf:
        """The second looks at a sweep: in all countries together, then in each; the same for all where none are by country."""
        whole = estimates.second_look(sweep, self.loss, self.vantages)
        names = [ALL, *self._countries]
        return estimates.joined([country_loss.look(self.country_loss, sweep, name) or whole for name in names])


@dataclass(frozen=True)
class Facts:
    """All that is published of a sweep. `packets` has the sums of its receipts, `history` the transitions of its series."""

    sweep: str
    about: Row
    packets: Row
    marts: dict[str, Mart]
    country_source: str | None
    geo_built: date | None
    second_source: str | None = None
    scope: Scope = field(default_factory=Scope)
    comparison: Comparison | None = None
    history: tuple[Row, ...] = ()
    proof: str = ""
    world: tuple[Row, ...] = ()
    """The countries' counts, whatever the report is about."""
    systems: tuple[int, int, int] | None = None
    """Distinct systems by the strict, the middle and the loose rule; None if they are not known or may not be published."""

    encrypted: int | None = None
    """Services inside TLS; None if TLS was not tried, or the number may not be published."""

    focus: Row | None = None
    """The estimates of a focus sweep for its whole space, and what changed in its panel; None in a country's edition."""

    @property
    def country(self) -> str | None:
        """The country of a country's edition."""
        return self.scope.country

    @cached_property
    def ranked(self) -> list[Row]:
        """All countries with a service, the most services besides likely decoys first, with their ranks.

        Of equal ones each has the better rank. Where decoys are withheld, a country counts with them.
        """
        rows = _most_first([row for row in self.world if row["services"] and row["country"]])
        counts = [leading(row) for row in rows]
        return [row | {"rank": 1 + sum(count > leading(row) for count in counts)} for row in rows]

    @property
    def series(self) -> list[Row]:
        """The sweeps of this one's series up to it, oldest first; only this one if it is comparable with no other."""
        return [row for row in self.marts["trend"].rows if row["started_at"] <= self.started]

    @cached_property
    def detection(self) -> Detection | None:
        """How likely this sweep detected a host that was reachable."""
        return estimates.detected(self._second_look(self.sweep))

    @cached_property
    def service_detection(self) -> Detection | None:
        """How likely this sweep detected a service that was reachable, by looks at services; None if there were none."""
        return estimates.detected(country_loss.look(self.marts["country_loss"].rows, self.sweep, self.country or ALL))

    @property
    def services_looked(self) -> tuple[int, int]:
        """How many services one look found, and how many of these the other found too, in all countries."""
        rows = [row for row in self.marts["country_loss"].rows if row["sweep"] == self.sweep and row["of_all"]]
        return (rows[0]["services_looked"], rows[0]["services_again"]) if rows else (0, 0)

    def _second_look(self, sweep: str) -> SecondLook | None:
        return estimates.second_look(sweep, self.marts["loss"].rows, self.marts["vantages"].rows)

    def _service_look(self, sweep: str, country: str | None) -> SecondLook | None:
        """The second look at services in a country, or in all; at all hosts where services were not looked at."""
        return country_loss.look(self.marts["country_loss"].rows, sweep, country) or self._second_look(sweep)

    @cached_property
    def changes(self) -> list[CountryChange]:
        """What changed since the sweep to compare with: all countries together first, then each; or one country alone."""
        then = self.comparison
        if then is None:
            return []
        return [row for row in then.changes if not self.country or row.country == self.country]

    @property
    def smallest_shown(self) -> int:
        """The smallest difference that the test of the first change would show."""
        then = self.comparison
        return then.smallest_shown(self.changes[0]) if then else 0

    @cached_property
    def survival(self) -> list[SurvivalStep]:
        """The share of services that persists from sweep to sweep."""
        return estimates.survival(self.marts["recaptures"].rows)

    @cached_property
    def trend(self) -> list[Estimate]:
        """How many services the counts of the series' sweeps stand for; sweeps of a series are complete."""
        return estimates.trend(
            [row["services"] for row in self.series],
            [self._service_look(row["sweep"], self.country or ALL) for row in self.series],
        )

    @cached_property
    def undoubted_trend(self) -> list[Estimate]:
        """The same besides likely decoys, which loss is taken to miss as often; of all where decoys of a sweep are withheld."""
        if any(row["decoys"] is None for row in self.series):
            return self.trend
        looks = [self._service_look(row["sweep"], self.country or ALL) for row in self.series]
        return estimates.trend([leading(row) for row in self.series], looks)

    @cached_property
    def with_services(self) -> list[Row]:
        """The countries with at least one service, the most services besides likely decoys first."""
        return _most_first([row for row in self.marts["countries"].rows if row["services"]])

    @cached_property
    def by_country(self) -> list[Estimate]:
        """How many services the count of each of these countries stands for."""
        return self.estimates(self.with_services)

    @cached_property
    def reachable(self) -> Estimate:
        """How many services the count of the whole report stands for."""
        return self.estimates([self.totals])[0]

    def estimates(self, rows: Sequence[Row]) -> list[Estimate]:
        """How many services the counts of rows with `services` and `crowding` stand for, given the sample and its loss."""
        counts, crowding = ([row[name] for row in rows] for name in ("services", "crowding"))
        looks = [self._service_look(self.sweep, row.get("country", self.country or ALL)) for row in rows]
        return estimates.estimates(counts, self.about["sampled_share"] or 1.0, looks, crowding)

    @property
    def totals(self) -> Row:
        """The one row of `totals`."""
        return self.marts["totals"].rows[0]

    @property
    def started(self) -> datetime:
        """When the first range began to send."""
        started: datetime = self.about["started_at"]
        return started

    @property
    def knows_networks(self) -> bool:
        """Whether the network of any service is known: without a network database none is."""
        return any(row["networks"] for row in self.marts["sectors"].rows)

    @property
    def sampled(self) -> bool:
        """Whether the sweep visited a sample of its target space."""
        return bool(self.about["sampled_addresses"] < self.about["addresses"])

    @property
    def is_focus(self) -> bool:
        """Whether the sweep probed most where services were before, and a sample of the rest."""
        return self.about["focus"] is not None

    @property
    def is_visibility(self) -> bool:
        """Whether the sweep probed a visibility sample, from one vantage."""
        return self.about["visibility_of"] is not None

    @property
    def geo_age(self) -> int | None:
        """Days from the build of the country database to the sweep's start."""
        return (self.started.date() - self.geo_built).days if self.geo_built else None

    @property
    def geo_stale(self) -> bool:
        """Whether the country database was so old that a note must warn."""
        return self.geo_age is not None and self.geo_age > FRESH_DAYS

    @property
    def sends_echo(self) -> bool:
        """Whether the sweep's profile sends a C-ECHO."""
        return any(profile == self.about["profile"] and profile.sends_echo for profile in Profile)

    @property
    def rate(self) -> float | None:
        """Probes a second while probes were sent: neither in pauses, nor while answers or what follows visits was awaited."""
        seconds = self.packets["sending_seconds"]
        return self.about["probes_sent"] / seconds if seconds else None


def _most_first(rows: Sequence[Row]) -> list[Row]:
    """Rows by their services besides likely decoys; of equal ones, those with more services first."""
    return sorted(rows, key=lambda row: (-leading(row), -row["services"]))
