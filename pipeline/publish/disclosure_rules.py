"""What of each published mart distinguishes few services, once it is crossed with a country: the rules of `disclosure`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pipeline.outcome import ACCEPTS_ASSOCIATION
from pipeline.publish.withheld_facts import ACCEPTING as ACCEPTED
from pipeline.publish.withheld_facts import DECOYS, ECHOED, REFUSALS, REJECTED, TITLES


@dataclass(frozen=True, slots=True)
class Crossing:
    """What of a mart distinguishes few services, once it is crossed with a country."""

    kinds: tuple[str, ...] = ()
    """Columns that distinguish the rows of a country; small rows are merged."""
    count: str = "services"
    """What the rows count."""
    parts: tuple[tuple[str, ...], ...] = ()
    """Groups of columns that add up to `services`. A group in front is withheld for the sake of one behind, not the reverse."""
    of: Mapping[str, str] = field(default_factory=dict)
    """Columns that count some of what another one counts. A column that is small in a row is withheld in all rows of the country."""
    steps: tuple[str, ...] = ()
    """Steps of a funnel, each one a row and a part of the step before."""
    derived: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Columns that give another one away, by the other one."""
    small: tuple[str, ...] = ()
    """Columns that are withheld in a country with few services."""
    in_edition: bool = False
    """Only a country's edition crosses the mart with a country."""
    added: tuple[str, ...] = ()
    """Columns of `of` or `small` whose sum over all countries is published, too."""
    facts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What states a fact that is withheld in all marts or in none (`withheld_facts`): columns, or a step and those after it."""
    joined: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Kinds of an edition's rows that state such a fact: these rows are merged."""
    overlapping: bool = False
    """The rows of a country do not add up to a number: what stays too small when it is merged is left out."""
    omitted: frozenset[str] = frozenset()
    """Facts that the rows themselves state: where one of them is withheld, there is no row."""
    apart: str = ""
    """A column of which each value has a row for each country: the rule holds among the rows of one value."""


def _interval(column: str) -> tuple[str, ...]:
    return column, f"{column}_low", f"{column}_high"


#: What stands for all kinds of rows.
EVERY = "*"
#: A mart that is never about a part of a country's services.
FREE = Crossing()
ACCEPTING = {"accepting": "services"}
OF_ACCEPTING = {ACCEPTED: ("accepting",)}
DOUBTED = {"mismatched": "services", "suspected": "services"}
IMPLEMENTATION = ("toolkit", "toolkit_version", "product", "product_version", "class_uid_root", "class_uid_hash")
DECLARED = ("implementation_version_name", "implementation_class_uid")
REJECTION = ("meaning", "rj_result", "rj_source", "rj_reason")
SYSTEMS = ("addresses", "certain", "probable", "possible")
TLS = {"over_tls": ("completed", *_interval("share")), "completed": ("over_tls", *_interval("share"))}
OPEN = {"companions_open": "companions_probed", "companions_closed": "companions_probed"}
OPEN_OR_NOT = ("companions_open", "companions_closed", "companions_silent", *_interval("share"))
UNDOUBTED: dict[str, tuple[str, ...]] = {
    "decoys": ("addresses_undoubted", "per_million_undoubted"), "addresses_undoubted": ("decoys", "per_million_undoubted"),
}  # fmt: skip
#: Addresses without likely decoys, by each denominator.
BY_DENOMINATOR = ("undoubted_per_announced", "undoubted_per_responsive")
#: The services of a country that are of one kind; any of them that is withheld takes all that it gives away with it.
CONCENTRATED = {
    "undoubted": "services", "largest": "undoubted", "ten_largest": "undoubted", "without_largest": "undoubted",
}  # fmt: skip
GIVEN_AWAY = (*CONCENTRATED, "configurations", "largest_share", "ten_largest_share", "effective_networks")
#: The services of a country by the age of what they declare, and what follows from these counts.
AGED = {"undoubted": "services", "dated": "undoubted", "older": "dated"}
OLDER = ("older", *_interval("older_share"))
AGES = ("undoubted", "dated", "undated", "median_age", *OLDER)
#: What one vantage saw; any of its counts gives the others away.
SEEN = ("visible", "missed_alone", *_interval("visible")[1:], "visible_share", "design_effect")
#: What services that stayed did.
STAYED = ("opened", "closed", "renewed", "replaced", "tls_adopted")
#: The parts of a country's services by doubts; the last two are likely decoys.
DOUBTS = ("odd", "unsuspected", "honeypot", "answers_everything")
#: The steps of a funnel that count services, and the facts that they state.
STEPS = ("speaks_dicom", "accepts_association", "echoes")
OF_STEPS = {ACCEPTED: ("accepts_association",), ECHOED: ("echoes",)}
#: How services answered, as facts.
ANSWERED = {
    ACCEPTED: ("accepting", "echoed"), REFUSALS: ("rejected", "aborted"), ECHOED: ("echoed",), DECOYS: ("decoys",),
}  # fmt: skip
#: The outcomes that state how services answered.
REFUSING = ("rejected", "aborted")
ACCEPTING_OUTCOMES = tuple(outcome.value for outcome in ACCEPTS_ASSOCIATION)
OUTCOMES = {ACCEPTED: (*ACCEPTING_OUTCOMES, *REFUSING), REFUSALS: REFUSING, ECHOED: ACCEPTING_OUTCOMES}
#: Marts that a country's edition lacks: of systems over time, which would give away how many of its services are likely decoys.
FOLLOWED = ("link_errors", "system_changes", "system_survival")
#: Their counts without likely decoys.
SYSTEM_COUNTS = (
    "systems", "systems_stayed", "systems_moved_key", "systems_moved_identity", "systems_new", "systems_entered", "systems_before",
    "systems_ended", "ended_low", "ended_high",
)  # fmt: skip
#: Every published mart → its rule.
RULES: Mapping[str, Crossing] = MappingProxyType(
    {
        **dict.fromkeys(("harm_arms", "changes", "change_totals", "recaptures", "cohorts", "vantages", "loss"), FREE),
        **dict.fromkeys(("country_loss", "companion_kinds", "as_published", "returns", "vantage_bounds"), FREE),
        "link_errors": FREE,
        "system_changes": Crossing(facts={DECOYS: SYSTEM_COUNTS}),
        "system_survival": Crossing(facts={DECOYS: ("systems_first", "systems_followed", "ended_here")}),
        "totals": Crossing(facts=ANSWERED),
        "trend": Crossing(facts=OF_ACCEPTING | {DECOYS: ("decoys",)}),
        "funnel": Crossing(steps=STEPS, facts=OF_STEPS, in_edition=True),
        "networks": Crossing(facts=OF_ACCEPTING),
        "countries": Crossing(
            parts=(("rejected",), ("aborted",), ("accepting",)), derived={"accepting": ("echoed",)} | UNDOUBTED,
            of={"decoys": "services", "echoed": "accepting", "addresses_undoubted": "addresses"}, small=("crowding",),
            facts=ANSWERED | {DECOYS: ("decoys", "addresses_undoubted", "per_million_undoubted")},
        ),
        "rates": Crossing(
            of={"undoubted": "services", "addresses_undoubted": "addresses"},
            facts={DECOYS: ("undoubted", "addresses_undoubted", *BY_DENOMINATOR)},
            derived={"undoubted": ("addresses_undoubted", *BY_DENOMINATOR), "addresses_undoubted": ("undoubted", *BY_DENOMINATOR)},
        ),
        "concentration": Crossing(
            of=CONCENTRATED, derived={column: tuple(GIVEN_AWAY) for column in CONCENTRATED}, facts={DECOYS: GIVEN_AWAY},
        ),
        # Only who accepts declares a version: the number of dated services is a bound of those.
        "software_ages": Crossing(
            of=AGED, derived={"undoubted": AGES, "dated": AGES[1:], "older": OLDER}, added=("dated", "older"),
            facts={DECOYS: AGES, ACCEPTED: AGES[1:]},
        ),
        "visibility": Crossing(
            of={"visible": "seen_any", "missed_alone": "seen_any"}, derived={"visible": SEEN, "missed_alone": SEEN},
            added=("visible", "missed_alone"), facts={DECOYS: ("seen_any", *SEEN)}, apart="vantage_name",
        ),
        "stayers": Crossing(of=dict.fromkeys(STAYED, "stayed"), added=STAYED),
        "country_bounds": Crossing(small=("least", "most")),
        "country_trend": Crossing(
            of=ACCEPTING | {"decoys": "services"}, added=("accepting", "decoys"), facts=OF_ACCEPTING | {DECOYS: ("decoys",)},
        ),
        "country_funnel": Crossing(steps=STEPS, facts=OF_STEPS),
        "country_databases": Crossing(small=("both",)),
        "ports": Crossing(kinds=("port",), of=ACCEPTING, facts=OF_ACCEPTING),
        "sectors": Crossing(kinds=("sector", "confidence"), of=ACCEPTING, facts=OF_ACCEPTING),
        "network_kinds": Crossing(kinds=("network_kind", "confidence"), of=ACCEPTING, facts=OF_ACCEPTING),
        "suspicions": Crossing(kinds=("suspicion",), of={"exposed": "services"}, overlapping=True, omitted=frozenset({DECOYS})),
        "system_counts": Crossing(small=SYSTEMS, added=("probable", "possible")),
        "ae_control": Crossing(
            parts=(REJECTED, ("aborted",), ("accepting",)), derived={"accepting": ("anyone", *_interval("open_share"))},
            facts={ACCEPTED: ("accepting", "anyone", *_interval("open_share")), REFUSALS: (*REJECTED, "aborted"), TITLES: REJECTED},
        ),
        "doubts": Crossing(
            parts=(DOUBTS[:2], DOUBTS[2:]), facts={DECOYS: DOUBTS},
        ),
        "tls_share": Crossing(
            of={"over_tls": "services", "completed": "handshakes", "needs_certificate": "handshakes"}, derived=TLS,
            small=("handshakes", "needs_certificate"), added=("over_tls",),
        ),
        "outcomes": Crossing(kinds=("outcome",), count="targets", in_edition=True, joined=OUTCOMES),
        "implementations": Crossing(kinds=IMPLEMENTATION, of=ACCEPTING | DOUBTED, in_edition=True, facts=OF_ACCEPTING),
        "products": Crossing(kinds=DECLARED, of=ACCEPTING | DOUBTED, in_edition=True, facts=OF_ACCEPTING),
        "rejections": Crossing(kinds=REJECTION, in_edition=True, joined={TITLES: (EVERY,)}, omitted=frozenset({REFUSALS})),
        "companion_ports": Crossing(of=OPEN, derived=dict.fromkeys(OPEN, OPEN_OR_NOT), in_edition=True),
    }
)  # fmt: skip
