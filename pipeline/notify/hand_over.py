"""Hand findings of a sealed sweep over: choose for each recipient, encrypt in memory, record who got what, then write the files.

The event is recorded before its files are written: if the program ends in between, the register has a hand-over too many and
never one too few. Nothing is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline import schema
from pipeline.errors import GuardError, InputError
from pipeline.lake import attestation, layout, parts, read, store, turn
from pipeline.lake.layout import ENRICHED, Sweep
from pipeline.lake.store import Location
from pipeline.notify import address_book, edition, formats
from pipeline.notify import hand_over_register as hand_overs
from pipeline.notify.address_book import AddressBook, BookEntry, Recipient
from pipeline.notify.edition import Edition
from pipeline.notify.hand_over_events import Experiment
from pipeline.notify.prepared import Prepared
from pipeline.optout import obeyed, register
from pipeline.optout.edit import now
from pipeline.optout.events import fold
from pipeline.optout.register import today
from pipeline.plan import own_ranges, terms
from pipeline.publish.folder import require_private
from pipeline.space import signed
from pipeline.space.ranges import Ranges
from pipeline.views import connection, linked_marts

TABLE = "notices"
#: The longest experiment, in days: who waits is exposed meanwhile.
LONGEST_TRIAL = 366


@dataclass(frozen=True, slots=True)
class HandOverRequest:
    """What to hand over: to which recipients of the book (all if none is named), and who does it.

    With `decoys`, likely honeypots too. With `wait` days, an experiment begins for recipients without one.
    """

    book: Path
    who: str
    names: tuple[str, ...] = ()
    decoys: bool = False
    wait: int | None = None


def prepare(
    lake: Location, sweep_id: str | None, request: HandOverRequest, *, encrypted: bool = True
) -> list[Prepared]:
    """Choose the services of each recipient and encrypt their files, in memory; without `encrypted`, only choose them.

    Raises InputError and GuardError; nothing was written.
    """
    book = address_book.load(request.book)
    entries = _entries(book, request)
    constituencies = {entry.name: _constituency(entry, request.book.parent) for entry in entries}
    sweep = Sweep.open(layout.find_sealed(lake, sweep_id))
    _require_whole(sweep)
    out, recorded = _opted_out(sweep), hand_overs.recorded(lake)
    begun = hand_overs.NewExperiment(sweep.paths.id, request.wait, request.who) if request.wait else None
    experiments = hand_overs.experiments(recorded, [entry.name for entry in entries], begun)
    with connection.connect(lake) as con:
        desk = _Desk(con, sweep.paths.id, _day(con, sweep.paths.id), book, out, request.decoys)
        selection = [desk.choose(entry, constituencies[entry.name], experiments[entry.name]) for entry in entries]
    if not encrypted:
        return selection
    opened = address_book.open_recipients(request.book, tuple(entries))
    return [
        _encrypted(each, recipient)
        for each, recipient in zip(selection, opened, strict=True)
        if each.edition.services or each.selection.waiting
    ]


def complete(lake: Location, prepared: Sequence[Prepared], output: Path, who: str) -> list[Path]:
    """Record hand-overs in the lake's register and table, and write their files (mode 0600). Return the files."""
    if not prepared:
        return []
    sweep = Sweep.open(layout.find(lake, prepared[0].edition.sweep))
    folder = output / sweep.paths.id
    require_private(output)
    require_private(folder)
    with turn.of(sweep.paths):
        hand_overs.record(lake, prepared, who)
        _note(sweep, prepared)
        for each in prepared:
            for name, data in each.files.items():
                store.write(folder / name, data, private=True)
    return [folder / name for each in prepared for name in each.files]


def _entries(book: AddressBook, request: HandOverRequest) -> list[BookEntry]:
    by_name = {entry.name: entry for entry in book.recipient}
    if unknown := [name for name in request.names if name not in by_name]:
        raise InputError(str(request.book), f"has no recipient {unknown[0]!r}; it has {', '.join(by_name)}")
    if request.wait is not None and not 1 <= request.wait <= LONGEST_TRIAL:
        raise InputError("--wait", f"{request.wait} is not a number of days from 1 to {LONGEST_TRIAL}")
    return [by_name[name] for name in dict.fromkeys(request.names)] or list(by_name.values())


def _constituency(entry: BookEntry, base: Path) -> Ranges | None:
    """The signed ranges of an entry, None if it has a country. Raises GuardError unless their owner signed them for today."""
    if entry.constituency is None:
        return None
    own = own_ranges.read(entry.constituency, base)
    if own is None:
        raise InputError(
            f"recipient {entry.name}", "its constituency names no list; give owner, ranges, signature, public_key"
        )
    agreed = terms.read(own.ranges)
    if agreed.owner != own.owner:
        raise GuardError(
            f"recipient {entry.name}: {agreed.owner!r} signed, and its key constituency.owner is {own.owner!r}"
        )
    if not agreed.valid_on(today()):
        raise GuardError(
            f"recipient {entry.name}: the owner's signature holds from {agreed.begin} until {agreed.until}, and today is {today()} "
            "(UTC): ranges change hands, so have the owner sign the list again"
        )
    return signed.verified(own)


def _require_whole(sweep: Sweep) -> None:
    """Raise unless a sweep is enriched, and as it was signed."""
    if not sweep.paths.sealed(ENRICHED).exists():
        raise InputError(
            f"sweep {sweep.paths.id}", "is not enriched, so countries are unknown; `census enrich LAKE` first"
        )
    attestation.require(sweep.paths, attestation.faults(sweep.paths, marts=linked_marts.in_use(sweep.paths)))


def _opted_out(sweep: Sweep) -> Ranges:
    """What is opted out today, by every register that the lake's sweeps obey now and by that of the sweep's own plan."""
    lake = sweep.paths.lake
    registers = {named.register.where: named.register for named in obeyed.find_all(str(lake))}
    own = register.of(sweep.plan.register, lake)
    histories = [register.load_continued(each)[1] for each in {**registers, own.where: own}.values()]
    return Ranges.union_of(fold(history.events, today()).ranges for history in histories)


@dataclass(frozen=True, slots=True)
class _Desk:
    """What all hand-overs of one run share."""

    con: duckdb.DuckDBPyConnection
    sweep: str
    day: date
    book: AddressBook
    out: Ranges
    decoys: bool

    def choose(self, entry: BookEntry, ranges: Ranges | None, experiment: Experiment | None) -> Prepared:
        """Choose the services of a recipient: of its country, or in its signed ranges."""
        if ranges is None:
            services = edition.of_country(self.con, self.sweep, entry.country or "")
        else:
            services = edition.of_ranges(self.con, self.sweep, ranges)
        selection = edition.choose(services, self.out, experiment.key if experiment else None, decoys=self.decoys)
        informed = Edition(
            lab=self.book.lab,
            contact=self.book.contact,
            recipient=entry.name,
            scope=entry.scope,
            sweep=self.sweep,
            day=self.day,
            services=selection.informed,
            decoys_left_out=selection.decoys,
            opted_out=selection.opted_out,
            waiting=len(selection.waiting),
        )
        return Prepared(entry, informed, selection, experiment)


def _day(con: duckdb.DuckDBPyConnection, sweep: str) -> date:
    """The day on which a sweep ended (UTC)."""
    ((finished,),) = con.execute("SELECT finished_at::DATE FROM sweeps WHERE sweep = ?", [sweep]).fetchall()
    return date.fromisoformat(str(finished))


def _encrypted(prepared: Prepared, recipient: Recipient) -> Prepared:
    clear = formats.files(prepared.edition, recipient.entry.formats)
    files = {f"{name}{recipient.key.suffix}": recipient.key.encrypt(data) for name, data in clear}
    return replace(prepared, key=f"{recipient.key.kind} {recipient.key.fingerprint}", files=files)


def _note(sweep: Sweep, prepared: Sequence[Prepared]) -> None:
    """Add to the table who was informed of which service and who was not; what an earlier hand-over decided stays."""
    decided = now()
    rows = [
        {
            "ip": service.ip,
            "port": service.port,
            "recipient": each.recipient.name,
            "notice": notice,
            "decided_at": decided,
        }
        for each in prepared
        for service, notice in each.selection.notices(experiment=each.experiment is not None)
    ]
    before = read.rows(sweep.paths, TABLE)
    made = parts.tidy(
        [before.cast(schema.table(TABLE).arrow), pa.Table.from_batches([parts.from_rows(rows, TABLE)])], TABLE
    )
    parts.write(sweep.paths.sealed(TABLE), made, TABLE, sweep.paths.id, digest=sweep.plan.digest)
    attestation.add(sweep.paths, [sweep.paths.sealed(TABLE)])
