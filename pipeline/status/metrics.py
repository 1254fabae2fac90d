"""Metrics of a sweep for Prometheus. They are read from the lake at each scrape, so any machine that sees the lake can serve them.

`METRICS` is the whole list; docs/fleet.md is tested against it. Units are base units, counters end in `_total`, and every
sample has its sweep as a label. Aggregates only: no address, and no label that a scanned host controls.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from pipeline.errors import InputError
from pipeline.lake.layout import Sweep
from pipeline.status.snapshot import STATES, Status, SweepStatus

#: The default address of the server: only this machine may scrape.
LOOPBACK = "127.0.0.1"
Samples = dict[str, float]


@dataclass(frozen=True, slots=True)
class SweepMetric:
    """A metric: its name without `_total`, help text, label if it has one, and function from a status to samples by that label."""

    name: str
    help: str
    samples: Callable[[Status], Samples]
    label: str = ""
    counter: bool = False


def _single(value: Callable[[Status], float | None]) -> Callable[[Status], Samples]:
    def samples(status: Status) -> Samples:
        number = value(status)
        return {} if number is None else {"": number}

    return samples


def _leases(status: Status) -> Samples:
    alive = sum(holder.alive for holder in status.holders)
    return {"alive": alive, "dead": len(status.holders) - alive}


METRICS = (
    SweepMetric("census_probes_sent", "First SYNs of finished ranges.", _single(lambda s: s.probes_sent), counter=True),
    SweepMetric(
        "census_responses", "Targets of finished ranges that answered.", _single(lambda s: s.responses), counter=True
    ),
    SweepMetric(
        "census_associations",
        "Answers of finished ranges that spoke DICOM.",
        _single(lambda s: s.associations),
        counter=True,
    ),
    SweepMetric(
        "census_suppressed", "Targets that the register withheld.", _single(lambda s: s.suppressed), counter=True
    ),
    SweepMetric(
        "census_revisited", "Targets visited again after a crash.", _single(lambda s: s.revisited), counter=True
    ),
    SweepMetric(
        "census_late_deadlines",
        "Conversations that the machine was too busy to serve in time.",
        _single(lambda s: s.late_deadlines),
        counter=True,
    ),
    SweepMetric("census_targets", "Targets of the plan.", _single(lambda s: s.targets)),
    SweepMetric("census_ranges", "Ranges of the plan.", _single(lambda s: s.ranges)),
    SweepMetric("census_ranges_done", "Ranges that have a receipt.", _single(lambda s: s.ranges_done)),
    SweepMetric("census_workers", "Workers that have reported just now.", _single(lambda s: s.workers)),
    SweepMetric("census_probes_per_second", "Rate at which all workers send.", _single(lambda s: s.rate)),
    SweepMetric(
        "census_remaining_seconds", "Seconds until all is swept, cool-downs included.", _single(lambda s: s.eta_seconds)
    ),
    SweepMetric("census_done_ratio", "Share of the sweep that is done, by time.", _single(lambda s: s.share)),
    SweepMetric("census_rate_limit", "Probes per second that the register allows.", _single(lambda s: s.limit)),
    SweepMetric("census_loss_ratio", "Share of hosts that the first SYN missed.", _single(lambda s: s.loss)),
    SweepMetric(
        "census_held",
        "1 while the register pauses the sweep, or its own link is down.",
        _single(lambda s: s.state == "held"),
    ),
    SweepMetric("census_leases", "Leases, by whether their holder is alive.", _leases, "holder"),
    SweepMetric(
        "census_state",
        "1 for the state that the sweep is in.",
        lambda s: {state: state == s.state for state in STATES},
        "state",
    ),
    SweepMetric("census_funnel_targets", "Targets that reached a step.", lambda s: dict(s.funnel), "step"),
)


class Collector:
    """Reads the status of a sweep whenever it is scraped."""

    def __init__(self, sweep: Sweep) -> None:
        self._read = SweepStatus(sweep)

    def collect(self) -> Iterator[Metric]:
        """The metrics of `METRICS` as they are now."""
        status = self._read()
        for metric in METRICS:
            labels = ["sweep", *([metric.label] if metric.label else [])]
            family = (CounterMetricFamily if metric.counter else GaugeMetricFamily)(
                metric.name, metric.help, labels=labels
            )
            for value, number in metric.samples(status).items():
                family.add_metric([status.sweep, *([value] if metric.label else [])], float(number))
            yield family


@contextmanager
def served(sweep: Sweep, where: str) -> Iterator[str]:
    """Serve a sweep's metrics at PORT or HOST:PORT during the block; yields the URL. Raises InputError if that is not possible."""
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
