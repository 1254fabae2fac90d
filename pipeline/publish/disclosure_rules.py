"""What of each published mart distinguishes few services, once it is crossed with a country: the rules of `disclosure`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


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


def _interval(column: str) -> tuple[str, ...]:
    return column, f"{column}_low", f"{column}_high"


#: A mart that is never about a part of a country's services.
FREE = Crossing()
ACCEPTING = {"accepting": "services"}
DOUBTED = {"mismatched": "services", "suspected": "services"}
IMPLEMENTATION = ("toolkit", "toolkit_version", "product", "product_version", "class_uid_root", "class_uid_hash")
DECLARED = ("implementation_version_name", "implementation_class_uid")
REJECTED = ("rejected_called", "rejected_calling", "rejected_otherwise")
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
#: Every published mart → its rule.
RULES: Mapping[str, Crossing] = MappingProxyType(
    {
        **dict.fromkeys(("totals", "funnel", "harm_arms", "networks", "changes", "change_totals"), FREE),
        **dict.fromkeys(("trend", "recaptures", "cohorts", "vantages", "loss", "country_loss", "companion_kinds", "returns", "vantage_bounds"), FREE),
        "countries": Crossing(
            parts=(("rejected",), ("aborted",), ("accepting",)), derived={"accepting": ("echoed",)} | UNDOUBTED,
            of={"decoys": "services", "echoed": "accepting", "addresses_undoubted": "addresses"}, small=("crowding",),
        ),
        "as_published": FREE,
        "rates": Crossing(
            of={"undoubted": "services", "addresses_undoubted": "addresses"},
            derived={"undoubted": ("addresses_undoubted", *BY_DENOMINATOR), "addresses_undoubted": ("undoubted", *BY_DENOMINATOR)},
        ),
        "concentration": Crossing(of=CONCENTRATED, derived={column: tuple(GIVEN_AWAY) for column in CONCENTRATED}),
        "stayers": Crossing(of=dict.fromkeys(("opened", "closed", "renewed", "replaced", "tls_adopted"), "stayed")),
        "country_bounds": Crossing(small=("least", "most")),
        "country_trend": Crossing(of=ACCEPTING | {"decoys": "services"}),
        "country_funnel": Crossing(steps=("speaks_dicom", "accepts_association", "echoes")),
        "country_databases": Crossing(small=("both",)),
        "ports": Crossing(kinds=("port",), of=ACCEPTING),
        "sectors": Crossing(kinds=("sector", "confidence"), of=ACCEPTING),
        "network_kinds": Crossing(kinds=("network_kind", "confidence"), of=ACCEPTING),
        "suspicions": Crossing(kinds=("suspicion",), of={"exposed": "services"}),
        "system_counts": Crossing(small=SYSTEMS),
        "ae_control": Crossing(
            parts=(REJECTED, ("aborted",), ("accepting",)), derived={"accepting": ("anyone", *_interval("open_share"))}
        ),
        "doubts": Crossing(parts=(("odd", "unsuspected"), ("honeypot", "answers_everything"))),
        "tls_share": Crossing(
            of={"over_tls": "services", "completed": "handshakes", "needs_certificate": "handshakes"}, derived=TLS,
            small=("handshakes", "needs_certificate"),
        ),
        "outcomes": Crossing(kinds=("outcome",), count="targets", in_edition=True),
        "implementations": Crossing(kinds=IMPLEMENTATION, of=ACCEPTING | DOUBTED, in_edition=True),
        "products": Crossing(kinds=DECLARED, of=ACCEPTING | DOUBTED, in_edition=True),
        "rejections": Crossing(kinds=REJECTION, in_edition=True),
        "companion_ports": Crossing(of=OPEN, derived=dict.fromkeys(OPEN, OPEN_OR_NOT), in_edition=True),
    }
)  # fmt: skip
