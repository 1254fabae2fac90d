"""The headings of tables about rates, bounds, transitions, concentration and ages."""

#: Mart → title and (column, heading) pairs.
STRUCTURE: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "rates": (
        "Services per address in use",
        (
            ("country", "Country"),
            ("undoubted", "Services"),
            ("services", "With likely decoys"),
            ("undoubted_per_announced", "Per million announced"),
            ("per_million_announced", "The same with likely decoys"),
            ("undoubted_per_responsive", "Per million that answered"),
            ("per_million_responsive", "With likely decoys, of those"),
            ("announced", "Addresses announced"),
            ("responsive", "Addresses that answered"),
        ),
    ),
    "country_bounds": (
        "Countries by two databases",
        (
            ("country", "Country"),
            ("services", "Services, first database"),
            ("least", "At least"),
            ("most", "At most"),
        ),
    ),
    "as_published": (
        "As other studies count",
        (
            ("study", "Study"),
            ("published", "Year"),
            ("figure", "What it counted"),
            ("counted_as", "Rule"),
            ("unit", "Counted are"),
            ("port", "Port"),
            ("country", "Country"),
            ("published_count", "Published"),
            ("counted", "This sweep, by that rule"),
            ("source", "Source"),
        ),
    ),
    "stayers": (
        "Services that stayed",
        (
            ("country", "Country"),
            ("stayed", "Stayed"),
            ("opened", "Opened to strangers"),
            ("closed", "Closed to strangers"),
            ("renewed", "Another version"),
            ("replaced", "Another program"),
            ("tls_adopted", "Adopted TLS"),
        ),
    ),
    "concentration": (
        "Concentration, without likely decoys",
        (
            ("country", "Country"),
            ("undoubted", "Services"),
            ("configurations", "Configurations"),
            ("largest_share", "Commonest configuration"),
            ("ten_largest_share", "Ten commonest"),
            ("effective_networks", "Effective networks"),
            ("without_largest", "Without the largest network"),
        ),
    ),
    "software_ages": (
        "Age of the declared versions, without likely decoys",
        (
            ("country", "Country"),
            ("undoubted", "Services"),
            ("dated", "Known date"),
            ("median_age", "Median age in years"),
            ("older", "Older than five years"),
            ("older_share", "Share of known dates"),
            ("older_share_low", "95\u00a0% CI low"),
            ("older_share_high", "95\u00a0% CI high"),
            ("undated", "Unknown date"),
        ),
    ),
    "returns": (
        "Services that were missing and came back",
        (
            ("sweep", "Missing in sweep"),
            ("absent", "Missing"),
            ("back_next", "Back in the next sweep"),
            ("back_later", "Back in any later one"),
            ("back_share", "Share"),
            ("back_share_low", "95\u00a0% CI low"),
            ("back_share_high", "95\u00a0% CI high"),
        ),
    ),
    "visibility": (
        "What each vantage sees",
        (
            ("country", "Country"),
            ("vantage_name", "Vantage"),
            ("seen_any", "Seen by any"),
            ("visible", "Seen by this one"),
            ("missed_alone", "Missed by it alone"),
            ("visible_share", "Share"),
            ("visible_low", "95\u00a0% CI low"),
            ("visible_high", "95\u00a0% CI high"),
        ),
    ),
    "vantage_bounds": (
        "Three or more vantages",
        (
            ("sweep", "Sweep"),
            ("places", "Vantages"),
            ("seen_any", "Seen by any"),
            ("seen_once", "Seen by one alone"),
            ("seen_by_two", "Seen by exactly two"),
            ("bound_low", "At least"),
        ),
    ),
}
