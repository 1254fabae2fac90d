"""Strings that a peer or a database chose, made harmless for where they go. HTML is left to Jinja (autoescape), after `visible`.

They are bounded once, where they are gathered (`shown`). Only foreign text is escaped, never a sentence of the report.
"""

import re

from pipeline.untrusted.visible import visible

#: Characters that make a spreadsheet take a cell for a formula (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r")

#: Foreign text is shown up to this length, in characters: a longer one fills a page and adds nothing.
LONGEST = 256

#: What has a meaning within a line of Markdown, as GitHub reads it: emphasis, code, links, HTML, table cells, mentions, formulas;
#: an underscore at the edge of a word, a colon that could begin a URL's slashes or end an emoji, the dot of a bare `www.`.
MARKDOWN = re.compile(r"(?i)[\\`*\[\]<>|~&@#$]|(?<![^\W_])_|_(?![^\W_])|:(?=[\w/])|(?<=www)\.")


def shown(text: str, longest: int = LONGEST) -> str:
    """Foreign text, visible and bounded; if it is cut, its length is added."""
    return visible(text) if len(text) <= longest else f"{visible(text[:longest])}… ({len(text):,} characters)"


def csv_cell(value: object) -> object:
    """A value for a CSV file: text that a spreadsheet would run gets an apostrophe; numbers stay as they are."""
    if not isinstance(value, str):
        return value
    text = visible(value)
    return f"'{text}" if text.lstrip().startswith(FORMULA) else text


def markdown(text: str) -> str:
    """Foreign text for within a line of Markdown: every character with a meaning there becomes an entity."""
    return MARKDOWN.sub(lambda match: f"&#{ord(match[0])};", visible(text))
