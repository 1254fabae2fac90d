"""The report of an audit: each service in an owner's signed ranges *with* its address, why it matters and what to do. Confidential."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from pipeline.outcome import ACCEPTS_ASSOCIATION, Outcome
from pipeline.plan import terms
from pipeline.plan.plan import Plan
from pipeline.publish import advice
from pipeline.publish.advice import FACTS, Advice, Severity
from pipeline.publish.cells import EXPLANATIONS
from pipeline.publish.data import Row
from pipeline.publish.escape import csv_cell, shown
from pipeline.publish.gather import select
from pipeline.space import address_list
from pipeline.words.plural import plural

TEMPLATE = "audit.html.j2"
CONFIDENTIAL = "CONFIDENTIAL"
#: The names of the files keep the marking wherever they are carried.
HTML, CSV = "audit-confidential.html", "audit-confidential.csv"

#: The transfer syntaxes that our request offers (PS3.6 Annex A).
TRANSFER = {"1.2.840.10008.1.2": "Implicit VR Little Endian", "1.2.840.10008.1.2.1": "Explicit VR Little Endian"}
#: How a service treats AE titles, by outcome; a rejection by its source and reason.
TITLES = {
    **dict.fromkeys(map(str, ACCEPTS_ASSOCIATION), "accepted our titles, which it cannot know"),
    str(Outcome.ABORTED): "aborted the association: not known",
}
REJECTED = {(1, 7): "rejected the called title", (1, 3): "rejected the calling title"}
COLUMNS = (
    "marking", "owner", "sweep", "address", "port", "severity", "finding", "title", "why", "do", "source", "outcome",
    "outcome_means", "ae_titles", "encrypted", "tls_version", "client_certificate", "accepted", "transfer_syntaxes",
    "declares", "behaves_as", "implementation_class_uid", "implementation_version_name", "doubts", "answered_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Service:
    """A target that answered: its row of `own_services` with every text safe to show, and the advice on it."""

    row: Row
    advice: tuple[Advice, ...]

    @property
    def severity(self) -> Severity:
        """The severity of its most severe finding."""
        return self.advice[0].severity if self.advice else Severity.INFO

    @property
    def endpoint(self) -> str:
        """Address and port."""
        return f"{self.row['address']}:{self.row['port']}"

    @property
    def anchor(self) -> str:
        """Its name on the page."""
        return f"at-{self.endpoint.replace(':', '-')}"

    @property
    def declares(self) -> str:
        """What it claims to be: product or toolkit as far as rules know them, else its own version name."""
        known = (f"{self.row[key] or ''} {self.row[f'{key}_version'] or ''}".strip() for key in ("product", "toolkit"))
        return " on ".join(filter(None, known)) or self.row["implementation_version_name"] or ""

    @property
    def titles(self) -> str:
        """How it treated the AE titles that we used."""
        if self.row["outcome"] != "rejected":
            return TITLES.get(self.row["outcome"], "")
        return REJECTED.get((self.row["rj_source"], self.row["rj_reason"]), "rejected for another reason")

    @property
    def encryption(self) -> str:
        """How TLS went."""
        if not self.row["handshake"]:
            return "none"
        if not self.row["encrypted"]:
            return f"TLS, not completed: {self.row['handshake']}"
        until = self.row["not_after"]
        parts = [self.row["tls_version"], self.row["cipher"], f"certificate until {until:%Y-%m-%d}" if until else ""]
        return ", ".join([*filter(None, parts), f"client certificate: {self.row['client_certificate']}"])

    @property
    def syntaxes(self) -> list[str]:
        """The transfer syntaxes that it selected, by name."""
        return [TRANSFER.get(uid, uid) for uid in self.row["transfer_syntaxes"]]

    def lines(self) -> Iterator[tuple[str, str]]:
        """What the audit learned, as label and text."""
        outcome = self.row["outcome"]
        yield "Outcome", f"{outcome}: {EXPLANATIONS.get(outcome, '')}"
        yield "AE titles", self.titles
        yield "Encryption", self.encryption
        yield "Declares", self.declares
        yield "Class UID", self.row["implementation_class_uid"] or ""
        yield "Version name", self.row["implementation_version_name"] or ""
        yield "Accepted", "; ".join(self.row["offered"])
        yield "Transfer syntaxes", ", ".join(self.syntaxes)
        yield "Behaves as", ", ".join(self.row["behaviour_rules"])
        yield "Doubts", ", ".join([*self.row["mismatch"], *self.row["suspicions"]])
        yield "Answered", f"{self.row['answered_at']:%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True, slots=True)
class Audit:
    """The data of an audit's report."""

    sweep: str
    owner: str
    signed: tuple[str, ...]
    services: tuple[Service, ...]
    started: datetime
    finished: datetime
    method: tuple[tuple[str, str], ...]

    @property
    def dicom(self) -> int:
        """How many services speak DICOM."""
        return sum(service.row["dicom"] for service in self.services)

    def counts(self) -> dict[Severity, int]:
        """Severity → services of which it is the most severe."""
        return {severity: sum(service.severity == severity for service in self.services) for severity in Severity}

    def findings(self) -> list[tuple[Advice, list[Service]]]:
        """Each rule that applies to some service, the most severe first, with these services."""
        of_rules = [(rule, [service for service in self.services if rule in service.advice]) for rule in advice.load()]
        return [(rule, services) for rule, services in of_rules if services]

    def headline(self) -> str:
        """The first sentence."""
        if not self.services:
            return "Nothing answered an unknown client"
        addresses = len({service.row["ip"] for service in self.services if service.row["dicom"]})
        if not self.dicom:
            return "No DICOM service answered an unknown client"
        return f"{plural(self.dicom, 'DICOM service')} on {plural(addresses, 'address', 'addresses')} answered an unknown client"


def gather(con: duckdb.DuckDBPyConnection, plan: Plan) -> Audit:
    """Read the data of the sealed sweep of a plan."""
    (about,) = select(con, "FROM sweeps WHERE sweep = ?", plan.sweep)
    (sums,) = select(
        con, "SELECT coalesce(sum(suppressed), 0)::BIGINT AS withheld FROM receipts WHERE sweep = ?", plan.sweep
    )
    services = [_service(row) for row in select(con, "FROM own_services WHERE sweep = ? ORDER BY ip, port", plan.sweep)]
    signed = terms.split(plan.signed_ranges.ranges)[1] if plan.signed_ranges else []
    return Audit(
        sweep=plan.sweep,
        owner=shown(plan.signed_ranges.owner) if plan.signed_ranges else "",
        signed=tuple(shown(line) for line in signed if address_list.partition(line)[0]),
        services=tuple(sorted(services, key=lambda service: advice.RANK[service.severity])),
        started=about["started_at"],
        finished=about["finished_at"],
        method=tuple(_method(plan, about, sums["withheld"])),
    )


def _service(row: Row) -> Service:
    safe = {key: _safe(value) for key, value in row.items()}
    facts: Mapping[str, object] = {name: row.get(name) for name in FACTS} | {
        "accepted_roles": frozenset(row["accepted_roles"]),
        "declares": any(row[key] for key in ("product", "toolkit", "implementation_version_name")),
    }
    return Service(safe, advice.of(facts))


def _safe(value: Any) -> Any:
    """A value with its texts visible and bounded."""
    if isinstance(value, list):
        return [_safe(part) for part in value]
    return shown(value) if isinstance(value, str) else value


def _method(plan: Plan, about: Row, withheld: int) -> Iterator[tuple[str, str]]:
    yield "Sweep", plan.sweep
    yield "Dates", f"{about['started_at']:%Y-%m-%d %H:%M} to {about['finished_at']:%Y-%m-%d %H:%M} UTC"
    yield "Signed by", shown(plan.signed_ranges.owner if plan.signed_ranges else "")
    agreed = terms.split(plan.signed_ranges.ranges)[0] if plan.signed_ranges else {}
    for title, name in (
        ("Signed for", "auditor"),
        ("Signed profiles", "profile"),
        ("Signed from", "from"),
        ("Signed until", "until"),
    ):
        yield title, shown(agreed.get(name, "not stated: an earlier version did not require it"))
    yield "Authorised by", shown(plan.identity.authorised_by)
    yield "Addresses", f"{plan.sampled_addresses:,} visited of {plan.addresses:,} in the plan"
    yield "Not probed", f"{withheld:,} targets in the opt-out register, and the addresses of [targets] exclude"
    yield "Ports", ", ".join(map(str, plan.settings.ports))
    yield "Profile", plan.settings.profile
    yield "Our titles", f"calling {plan.identity.ae_title}, called ANY-SCP"
    yield "Plan digest", plan.digest


def files(audit: Audit) -> dict[str, str]:
    """The report's files: name → content."""
    return {HTML: html(audit), CSV: csv_text(audit)}


def html(audit: Audit) -> str:
    """The page: everything in one file, nothing loaded from anywhere, no script."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template(TEMPLATE).render(audit=audit)


def csv_text(audit: Audit) -> str:
    """A row for each finding of each service, marked confidential; cells that a spreadsheet would run are made text."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for service in audit.services:
        for finding in service.advice:
            writer.writerow({key: csv_cell(value) for key, value in _line(audit, service, finding).items()})
    return stream.getvalue()


def _line(audit: Audit, service: Service, finding: Advice) -> Row:
    row = service.row
    lines = dict(service.lines())
    return {
        "marking": CONFIDENTIAL, "owner": audit.owner, "sweep": audit.sweep, "severity": finding.severity.value,
        "finding": finding.id, "title": finding.title, "why": finding.why, "do": finding.do, "source": finding.source,
        "outcome_means": lines["Outcome"].partition(": ")[2], "ae_titles": service.titles,
        "accepted": lines["Accepted"], "transfer_syntaxes": lines["Transfer syntaxes"],
        "declares": service.declares, "behaves_as": lines["Behaves as"], "doubts": lines["Doubts"], "answered_at": lines["Answered"],
    } | {key: row[key] for key in COLUMNS if key in row and key not in ("sweep", "transfer_syntaxes", "answered_at")}  # fmt: skip


def summary(audit: Audit) -> Iterator[tuple[str, str, str, str]]:
    """A line for each service: severity, address and port, the product that it declares, and its findings."""
    for service in audit.services:
        yield service.severity, service.endpoint, service.declares, ", ".join(finding.id for finding in service.advice)
