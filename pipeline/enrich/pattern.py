"""Regular expressions for texts of hostile peers: only patterns that cannot take long, over text of bounded length.

A quantifier may follow only a single character or class, so none is nested in another, and a pattern has at most two
open-ended ones. Matching n characters then takes at most about n³ / 6 steps.
"""

import re
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as syntax  # type: ignore[attr-defined]
from typing import Any

from pipeline.errors import InputError

#: A version name has 16 characters (PS3.7 §D.3.3.2.3); the decoder keeps 128 of a longer one.
TEXT_LIMIT = 64
OPEN_ENDED = 2
#: The most repetitions of a quantifier that counts as bounded.
BOUNDED = 8
SINGLE = frozenset({codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY})
PLAIN = SINGLE | {codes.AT, codes.SUBPATTERN, codes.MAX_REPEAT}


def compiled(text: str, where: str) -> re.Pattern[str]:
    """Compile a pattern for a whole text, from ^ to $. Raises InputError if it is invalid or not safe."""
    if not (text.startswith("^") and text.endswith("$")):
        raise InputError(where, f"{text!r} must match the whole text, from ^ to $")
    try:
        parsed = syntax.parse(text, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise InputError(where, f"{text!r} is not a regular expression: {error}") from None
    if _open_ended(parsed, text, where) > OPEN_ENDED:
        raise InputError(where, f"{text!r} has more than {OPEN_ENDED} open-ended quantifiers")
    return re.compile(text, re.ASCII)


def fullmatch(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """Match a whole text; a text of more than TEXT_LIMIT characters never matches."""
    return pattern.fullmatch(text) if len(text) <= TEXT_LIMIT else None


def _open_ended(parsed: Any, text: str, where: str) -> int:
    """How many open-ended quantifiers a parsed pattern has. Raises InputError for constructs that are not allowed."""
    return sum(_weight(kind, value, text, where) for kind, value in parsed)


def _weight(kind: Any, value: Any, text: str, where: str) -> int:
    if kind not in PLAIN:
        raise InputError(where, f"{text!r} uses {str(kind).lower()}, which is not allowed in version name patterns")
    if kind == codes.SUBPATTERN:
        return _open_ended(value[-1], text, where)
    if kind != codes.MAX_REPEAT:
        return 0
    least, most, repeated = value
    if len(repeated) != 1 or repeated[0][0] not in SINGLE:
        raise InputError(where, f"{text!r} repeats more than one character or class")
    return int(most != least and most > BOUNDED)
