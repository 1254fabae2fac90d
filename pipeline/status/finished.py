"""Sums over the receipts of a sweep, kept while more of them come: each receipt is added once."""

from collections import Counter
from dataclasses import dataclass, field

from pipeline.record.receipt import Receipt, detection, funnel_counts
from pipeline.record.rounds import Round
from pipeline.statistics import recapture

#: Columns of receipts that are summed.
SUMMED = (
    "probes_sent",
    "responses",
    "associations",
    "handshakes",
    "suppressed",
    "quarantined",
    "spared",
    "revisited",
    "late_deadlines",
)


@dataclass(slots=True)
class FinishedRanges:
    """What is known of the finished ranges of a sweep."""

    columns: Counter[str] = field(default_factory=Counter)
    """Sums of the columns SUMMED, where a null counts as 0, and of the hosts of second SYNs (`detection`)."""
    funnel: Counter[str] = field(default_factory=Counter)
    """As workers count while they run."""
    rounds: Counter[Round] = field(default_factory=Counter)
    """The number of finished ranges in each round."""
    again: int = 0
    """Attempts at these ranges beyond the first of each."""
    probed_until: float = 0.0
    """When the latest range of probes was finished, in seconds since 1970."""
    _keys: set[str] = field(default_factory=set)

    def update(self, receipts: dict[str, Receipt]) -> None:
        """Take the receipts that there are now, by the keys of their ranges."""
        if not self._keys <= receipts.keys():
            self.__init__()  # type: ignore[misc]
        for key in receipts.keys() - self._keys:
            self._add(receipts[key])
            self._keys.add(key)

    def _add(self, receipt: Receipt) -> None:
        self.columns.update({name: getattr(receipt, name) or 0 for name in SUMMED})
        self.funnel.update(funnel_counts(receipt))
        self.rounds[receipt.round] += 1
        self.columns.update(detection([receipt])._asdict())
        self.again += receipt.attempts - 1
        if receipt.round is Round.PROBES:
            self.probed_until = max(self.probed_until, receipt.finished_at / 1e6)

    @property
    def settled(self) -> int:
        """Targets of finished ranges: probed, withheld by the register, or spared."""
        return sum(self.columns[name] for name in ("probes_sent", "suppressed", "spared"))

    @property
    def loss(self) -> float | None:
        """The share of hosts that the first SYN missed, estimated from the second SYNs; None if those got no answer."""
        again, once = self.columns["again"], self.columns["once"]
        return 1 - float(recapture.detection(again, once).value) if once else None
