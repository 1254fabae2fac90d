"""Texts in a PDU: UIDs (PS3.5 §9.1) and version names (PS3.7 §D.3.3.2.3), made tame and judged.

What is kept never holds a control character, so that no terminal acts on it; the raw bytes have what was sent.
"""

import re

from pipeline.wire.warning import ParseWarning, Warnings

#: A UID has at most 64 characters, a version name 16; more is a warning.
UID_LIMIT, NAME_LIMIT = 64, 16
#: What is kept of a text that exceeds its limit; `raw` has all of it.
TEXT_KEPT = 128
#: A UID is not to be padded in an item (PS3.8 Annex F); in a command set, one NUL makes it even (PS3.5 §9.1).
PADDING = b"\0 "
#: Components of digits without leading zeros, separated by dots.
IS_UID = re.compile(rb"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*").fullmatch
IS_NAME = re.compile(rb"[ -~]*").fullmatch
_NOT_PRINTABLE = re.compile("[^ -~]")


def text(value: bytes) -> str:
    """Text without trailing padding; what is not printable ASCII becomes U+FFFD."""
    return _NOT_PRINTABLE.sub("\ufffd", value.rstrip(PADDING)[:TEXT_KEPT].decode("latin-1"))


def uid(value: bytes) -> tuple[str, Warnings]:
    """Read a UID."""
    bare = value.rstrip(PADDING)
    return text(bare), _odd(
        (not bare, ParseWarning.UID_EMPTY),
        (len(bare) > UID_LIMIT, ParseWarning.UID_LONG),
        (bool(bare) and IS_UID(bare) is None, ParseWarning.UID_FORM),
        (bare != value, ParseWarning.PADDED),
    )


def name(value: bytes) -> tuple[str, Warnings]:
    """Read a version name."""
    bare = value.rstrip(PADDING)
    return text(bare), _odd(
        (not bare, ParseWarning.NAME_EMPTY),
        (len(bare) > NAME_LIMIT, ParseWarning.NAME_LONG),
        (IS_NAME(bare) is None, ParseWarning.NAME_FORM),
        (bare != value, ParseWarning.PADDED),
    )


def _odd(*rules: tuple[bool, ParseWarning]) -> Warnings:
    """The warnings whose condition holds."""
    return tuple(warning for holds, warning in rules if holds)
