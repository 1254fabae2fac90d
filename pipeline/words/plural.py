"""Counts with their nouns, for people."""


def plural(count: int, one: str, several: str = "") -> str:
    """Return a count with its noun: "1 service", "2 services"; `several` if an s is not all that changes: "ranges are"."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"
