"""Strings that a peer chose, made harmless for where they go. HTML is left to Jinja (autoescape), after `visible`.

They are bounded once, where they are gathered (`shown`).
"""

import re
import unicodedata

#: Unicode categories that a reader does not see, or that move or recolour what he sees: controls, formats (RTL marks),
#: surrogates, private use, line and paragraph separators.
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

#: Characters by which a spreadsheet takes a cell for a formula (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r")

#: A text of somebody else's is shown up to here, in characters: longer ones fill a page and tell no more.
LONGEST = 256

MARKDOWN = re.compile(r"[\\`*_{}\[\]()<>#+!|~&:@=-]")


def visible(text: str) -> str:
    """Write every character that does not show itself as its code."""
    return "".join(_code(char) if unicodedata.category(char) in HIDDEN else char for char in text)


def shown(text: str, longest: int = LONGEST) -> str:
    """A text that somebody else chose, visible and bounded; a longer one says how long it was."""
    return visible(text) if len(text) <= longest else f"{visible(text[:longest])}… ({len(text):,} characters)"


def _code(char: str) -> str:
    number = ord(char)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def csv_cell(value: object) -> object:
    """A value for a CSV file: text that a spreadsheet would run gets an apostrophe; numbers stay as they are."""
    if not isinstance(value, str):
        return value
    text = visible(value)
    return f"'{text}" if text.lstrip().startswith(FORMULA) else text


def markdown(text: str) -> str:
    """A text for a Markdown page: every character with a meaning there becomes an entity."""
    return MARKDOWN.sub(lambda match: f"&#{ord(match[0])};", visible(text))
