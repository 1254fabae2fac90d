"""A sweep's state for Prometheus: read from the lake at each scrape, so whoever sees the lake can serve it.

`METRICS` is the whole list; docs/fleet.md is tested against it. Base units, counters end in `_total`, and every sample carries
its sweep. Aggregates only: no address, no label of a peer's making.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from pipeline.errors import InputError
from pipeline.lake.layout import Sweep
from pipeline.status.snapshot import STATES, Status, SweepStatus

#: Who may scrape, if nobody says otherwise.
LOOPBACK = "127.0.0.1"
Samples = dict[str, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric: its name without `_total`, what it tells, a label if it has one, and its samples by that label."""

    name: str
    help: str
    samples: Callable[[Status], Samples]
    label: str = ""
    counter: bool = False


def _one(value: Callable[[Status], float | None]) -> Callable[[Status], Samples]:
    def samples(found: Status) -> Samples:
        known = value(found)
        return {} if known is None else {"": known}

    return samples


def _leases(found: Status) -> Samples:
    alive = sum(holder.alive for holder in found.holders)
    return {"alive": alive, "dead": len(found.holders) - alive}


METRICS = (
    Measured("census_probes_sent", "First SYNs of finished ranges.", _one(lambda s: s.probes_sent), counter=True),
    Measured(
        "census_responses", "Targets of finished ranges that answered.", _one(lambda s: s.responses), counter=True
    ),
    Measured(
        "census_associations",
        "Answers of finished ranges that spoke DICOM.",
        _one(lambda s: s.associations),
        counter=True,
    ),
    Measured("census_suppressed", "Targets that the register withheld.", _one(lambda s: s.suppressed), counter=True),
    Measured("census_revisited", "Targets visited again after a crash.", _one(lambda s: s.revisited), counter=True),
    Measured("census_targets", "Targets of the plan.", _one(lambda s: s.targets)),
    Measured("census_ranges", "Ranges of the plan.", _one(lambda s: s.ranges)),
    Measured("census_ranges_done", "Ranges that have a receipt.", _one(lambda s: s.ranges_done)),
    Measured("census_workers", "Workers that have reported just now.", _one(lambda s: s.workers)),
    Measured("census_probes_per_second", "What all workers send.", _one(lambda s: s.rate)),
    Measured("census_remaining_seconds", "Until the last probe, at this rate.", _one(lambda s: s.eta_seconds)),
    Measured("census_loss_ratio", "Share of hosts that the first SYN missed.", _one(lambda s: s.loss)),
    Measured("census_held", "1 while the register holds the sweep back.", _one(lambda s: s.state == "held")),
    Measured("census_leases", "Leases, by whether their holder lives.", _leases, "holder"),
    Measured(
        "census_state", "1 for the state that the sweep is in.", lambda s: {n: n == s.state for n in STATES}, "state"
    ),
    Measured("census_funnel_targets", "Targets that reached a step.", lambda s: dict(s.funnel), "step"),
)


class Collector:
    """Looks at a sweep whenever it is scraped."""

    def __init__(self, sweep: Sweep) -> None:
        self._look = SweepStatus(sweep)

    def collect(self) -> Iterator[Metric]:
        """The metrics of `METRICS` as they are now."""
        found = self._look()
        for measured in METRICS:
            labels = ["sweep", *([measured.label] if measured.label else [])]
            family = (CounterMetricFamily if measured.counter else GaugeMetricFamily)(
                measured.name, measured.help, labels=labels
            )
            for value, number in measured.samples(found).items():
                family.add_metric([found.sweep, *([value] if measured.label else [])], float(number))
            yield family


@contextmanager
def served(sweep: Sweep, where: str) -> Iterator[str]:
    """Serve a sweep's metrics at PORT or HOST:PORT while the block runs; yields the address. Raises InputError."""
    host, _, port = where.rpartition(":")
    registry = CollectorRegistry()
    registry.register(Collector(sweep))
    try:
        server, thread = start_http_server(int(port), host or LOOPBACK, registry)
    except (ValueError, OSError, OverflowError) as error:
        raise InputError("--metrics", f"{where} is not a free PORT or HOST:PORT ({error})") from None
    try:
        yield f"http://{host or LOOPBACK}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
