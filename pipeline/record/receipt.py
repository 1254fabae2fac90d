"""A receipt, and the counts and parts that it is made of: the durable proof that a range is done.

Fields are the columns of `schemas/receipts.toml`, and the keys of the JSON file that a receipt is.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from pipeline.record.rounds import Round


class Part(msgspec.Struct, frozen=True):
    """A Parquet file as receipts and manifests name it."""

    table: str
    file: str
    rows: int
    sha256: str


class OutcomeCount(msgspec.Struct, frozen=True):
    """How many targets of a range had an outcome."""

    outcome: str
    targets: int


class Counts(msgspec.Struct, kw_only=True):
    """What the processes of a worker count of one range, while it runs: the only part of a receipt that changes."""

    engine: str | None = None
    """What its SYNs leave through; None in rounds that have none of their own."""
    round: Round = Round.PROBES
    vantage: str = ""
    register_digest: str | None = ""
    probes_sent: int = 0
    second_probes: int = 0
    control_probes: int = 0
    suppressed: int = 0
    spared: int = 0
    quarantined: int = 0
    answers: int = 0
    duplicates: int = 0
    seen_twice: int = 0
    first_only: int = 0
    second_only: int = 0
    took: int | None = 0
    took_twice: int | None = 0
    second_visits: int | None = 0
    greetings: int = 0
    syn_retransmits: int = 0
    connects: int = 0
    suppressed_visits: int = 0
    late_deadlines: int | None = 0
    held_back: int = 0
    harm_probes: int = 0
    companion_probes: int = 0
    resets: int = 0
    unreachable: int = 0
    ring_invalid: int = 0
    ring_dropped: int = 0
    ring_truncated: int | None = 0
    ring_corrupt: int | None = 0
    ring_rejected: int = 0
    frames_taken: int | None = None
    stalls: int = 0
    started_at: int = 0
    """Microseconds since the epoch."""
    send_seconds: float = 0.0
    paused_seconds: float = 0.0


class Receipt(Counts, kw_only=True):
    """The proof that a range is done. It is written once and never changed."""

    shard: int = 0
    range: int = 0
    first_index: int = 0
    last_index: int = 0
    plan_digest: str = ""
    code_version: str = ""
    host: str = ""
    testbed: bool | None = None
    """Whether it ran in a closed testbed; None if an older version wrote it."""
    attempts: int = 1
    finished_at: int = 0
    probes_abandoned: int | None = 0
    revisited: int | None = 0
    responses: int = 0
    associations: int = 0
    handshakes: int = 0
    control_answers: int = 0
    control_checks: int = 0
    second_answers: int = 0
    harm_checks: int = 0
    companions: int = 0
    outcomes: tuple[OutcomeCount, ...] = ()
    parts: tuple[Part, ...] = ()


def funnel_counts(receipt: Receipt) -> Counter[str]:
    """Return what a receipt says, counted as workers count while they run: probed, suppressed, responsive, and each outcome."""
    counted = Counter(probed=receipt.probes_sent, suppressed=receipt.suppressed, responsive=receipt.responses)
    counted.update({row.outcome: row.targets for row in receipt.outcomes})
    return counted


class DetectedHosts(NamedTuple):
    """How many hosts were detected `once`, and how many of these `again`, by their other SYN."""

    again: int
    once: int


def detection(receipts: Iterable[Receipt]) -> DetectedHosts:
    """Count the hosts of receipts that were detected once and again; the view `loss` counts them likewise.

    Hosts are targets that took our request: a network that answers every SYN says nothing of services. Receipts of an older version
    only count answers to SYNs.
    """
    pairs = [
        (receipt.seen_twice, receipt.seen_twice + receipt.second_only)
        if receipt.took is None or receipt.took_twice is None
        else (receipt.took_twice, receipt.took)
        for receipt in receipts
    ]
    return DetectedHosts(sum(again for again, _ in pairs), sum(once for _, once in pairs))


class VisitCounts(msgspec.Struct, kw_only=True):
    """What an associator counts of one range; a sender's own counts have the same fields."""

    connects: int = 0
    syn_retransmits: int = 0
    suppressed_visits: int = 0
    late_deadlines: int = 0


def joined(sender: Counts, visits: Sequence[VisitCounts]) -> Counts:
    """Return the counts of a range's sender with those of its associators added."""
    totals = {
        name: getattr(sender, name) + sum(getattr(count, name) for count in visits)
        for name in VisitCounts.__struct_fields__
    }
    return msgspec.structs.replace(sender, **totals)


def second_looks(receipts: Sequence[Receipt]) -> list[dict[str, object]]:
    """Count how often a second SYN confirmed the first, for each vantage that sent any."""
    vantages = sorted({r.vantage for r in receipts if r.second_probes})
    names = ("seen_twice", "first_only", "second_only")
    return [
        {"vantage": vantage} | {name: sum(getattr(r, name) for r in receipts if r.vantage == vantage) for name in names}
        for vantage in vantages
    ]
