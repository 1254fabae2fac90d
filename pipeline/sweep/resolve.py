"""Look up host names for the addresses of a sweep that spoke DICOM: table `host_names`, a row per address.

Each result goes to a journal next to the table at once, and from there into the table at the end, or at the next start if the
program died. So no address with an answer is looked up again.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Address
from typing import Any

import msgspec
import numpy as np

from pipeline import schema
from pipeline.enrich.partition import Addresses, distinct
from pipeline.errors import CensusError
from pipeline.lake import attestation, parts, read, turn
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.lake.store import Location
from pipeline.optout import register
from pipeline.outcome import NAMED, Naming
from pipeline.reverse_dns import lookup
from pipeline.reverse_dns.stub_resolver import StubResolver

TABLE = "host_names"
#: Addresses looked up at once. The rate limits the messages; this limits the lookups that wait for an answer.
AT_ONCE = 16
#: After this many addresses in a row without an answer, the name server is taken not to serve us.
SILENT = 50

ShowCounts = Callable[[Mapping[str, int]], None]


def resolve(sweep: Sweep, asker: StubResolver, show: ShowCounts) -> dict[str, Any]:
    """Look up every address of `associations` that is not known yet, and return the counts. Opted-out addresses are skipped.

    Raises GuardError, InputError, and CensusError if the name servers do not answer.
    """
    _recover(sweep)
    pending, counts = _pending(sweep)
    show(counts)
    journal = parts.journal(_journal(sweep.paths), TABLE)
    try:
        asyncio.run(_all(asker, iter(pending), _Results(journal, asker, counts, show)))
    finally:
        journal.close()
        _recover(sweep)
    return {
        "sweep": sweep.paths.id,
        "nameservers": list(map(str, asker.servers)),
        "queries_sent": asker.sent,
        **counts,
        "known": {naming.value: count for naming, count in _known(sweep.paths).items()},
    }


class _Results:
    """Writes each result to the journal, counts it, and gives up on servers that never answer."""

    def __init__(self, journal: parts.Journal, asker: StubResolver, counts: Counter[str], show: ShowCounts) -> None:
        self._journal, self._counts, self._show = journal, counts, show
        self._servers, self._silent = ", ".join(map(str, asker.servers)), 0

    def take(self, ip: int, named: lookup.HostNames) -> None:
        """Keep the names of one address. Raises CensusError if the servers never answer."""
        row = msgspec.structs.asdict(named)
        row |= {"ip": ip, "naming": row.pop("outcome"), "asked_at": time.time_ns() // 1000, "nameserver": self._servers}
        self._journal.append(parts.from_rows([row], TABLE))
        self._journal.commit()
        self._counts.update(("asked", named.outcome.value))
        self._show(self._counts)
        self._silent = 0 if named.outcome in NAMED else self._silent + 1
        if self._silent >= SILENT:
            raise CensusError(
                f"{self._servers}: no answer for {SILENT} addresses in a row ({named.outcome.explanation.rstrip('.')}); "
                "check that it is a recursive resolver for this machine, then run the command again: the names learned are kept"
            )


async def _all(asker: StubResolver, pending: Iterator[int], results: _Results) -> None:
    """Look up AT_ONCE addresses at a time; the first error ends them all."""

    async def some() -> None:
        for ip in pending:
            results.take(ip, await lookup.look_up(asker, str(IPv4Address(ip))))

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(some())
    except* CensusError as errors:
        raise errors.exceptions[0] from None


def _pending(sweep: Sweep) -> tuple[list[int], Counter[str]]:
    """Return the addresses to look up, and the counts of addresses by kind."""
    answered = distinct(np.asarray(read.rows(sweep.paths, "associations", ["ip"])["ip"], dtype=np.uint32))
    out = register.opted_out(sweep.plan.register, sweep.paths.lake)
    wanted = answered[~out.contains(answered)] if out else answered
    known = read.rows(sweep.paths, TABLE, ["ip", "naming"])
    done = [
        ip for ip, naming in zip(known["ip"].to_pylist(), known["naming"].to_pylist(), strict=True) if naming in NAMED
    ]
    pending: Addresses = np.setdiff1d(wanted, np.array(done, np.uint32))
    counts = {
        "addresses": answered.size,
        "opted_out": answered.size - wanted.size,
        "known_before": wanted.size - pending.size,
    }
    return pending.tolist(), Counter(
        {**counts, "to_ask": pending.size, "asked": 0, **dict.fromkeys(map(str, Naming), 0)}
    )


def _known(paths: SweepPaths) -> dict[Naming, int]:
    """Count the rows of the table by result."""
    known = Counter(read.rows(paths, TABLE, ["naming"])["naming"].to_pylist())
    return {naming: known[naming] for naming in Naming}


def _journal(paths: SweepPaths) -> Location:
    return paths.sealed(TABLE).with_name("asked.arrows")


def _recover(sweep: Sweep) -> None:
    """Move the journal, if there is one, into the table; the latest result of an address replaces earlier ones."""
    with turn.of(sweep.paths):
        _recover_now(sweep)


def _recover_now(sweep: Sweep) -> None:
    path, plain = _journal(sweep.paths), schema.table(TABLE).arrow
    tables = [parts.read_journal(path, TABLE), read.rows(sweep.paths, TABLE)]
    if len(tables[0]):
        parts.write(
            sweep.paths.sealed(TABLE),
            parts.tidy([rows.cast(plain) for rows in tables], TABLE),
            TABLE,
            sweep.paths.id,
            digest=sweep.plan.digest,
        )
        if sweep.paths.sealed("sweeps").exists():
            attestation.add(sweep.paths, [sweep.paths.sealed(TABLE)])
    parts.forget(path)
