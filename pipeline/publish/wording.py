"""How numbers and lists are written in sentences and cells."""


def number(value: float | None) -> str:
    """A number for people: thousands separated, other fractions to three digits, a dash for null."""
    if value is None:
        return "–"
    if isinstance(value, int) or value >= 1000:
        return f"{value:,.0f}"
    return f"{value:#.3g}".rstrip(".") if value else "0"


def percent(share: float) -> str:
    """A share as a percentage with one decimal."""
    return f"{100 * share:.1f} %"


def listed(parts: list[str]) -> str:
    """Parts of a sentence: "a", "a and b", "a, b, and c"."""
    *first, last = parts
    return f"{', '.join(first)}{',' if len(first) > 1 else ''} and {last}" if first else last
