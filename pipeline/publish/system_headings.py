"""The headings of tables about systems over time."""

#: Mart → title and (column, heading) pairs.
SYSTEMS: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "system_changes": (
        "Systems from sweep to sweep",
        (
            ("sweep", "Sweep"),
            ("systems", "Systems"),
            ("systems_stayed", "Stayed at their address"),
            ("systems_moved_key", "Moved, by key"),
            ("systems_moved_identity", "Moved, by identity"),
            ("systems_new", "New"),
            ("systems_before", "Two sweeps ago"),
            ("systems_ended", "Of these, not recognised since"),
            ("missed_links", "Of these, only moved"),
            ("false_links", "Confused"),
            ("ended_low", "Ended, at least"),
            ("ended_high", "Ended, at most"),
        ),
    ),
    "link_errors": (
        "How often systems are recognised",
        (
            ("sweep", "Up to sweep"),
            ("key_moves", "Moves that keys show"),
            ("key_moves_linked", "Recognised without keys"),
            ("link_recall", "Share"),
            ("link_recall_low", "95\u00a0% CI low"),
            ("link_recall_high", "95\u00a0% CI high"),
            ("links_judged", "Links that keys judge"),
            ("links_right", "Right"),
            ("link_precision", "Share right"),
            ("link_precision_low", "Share right, 95\u00a0% CI low"),
            ("link_precision_high", "Share right, 95\u00a0% CI high"),
        ),
    ),
    "system_survival": (
        "Systems of the first sweep that still exist",
        (
            ("sweep", "Sweep"),
            ("days", "Days later"),
            ("systems_first", "Systems at first"),
            ("systems_followed", "Followed until then"),
            ("ended_here", "Of these, ended"),
            ("exists_share", "Share that exists"),
            ("exists_low", "95\u00a0% CI low"),
            ("exists_high", "95\u00a0% CI high"),
            ("exists_least", "At least, with linkage error"),
            ("exists_most", "At most, with linkage error"),
        ),
    ),
}
