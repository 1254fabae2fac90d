"""Texts in a PDU: UIDs (PS3.5 §9.1) and version names (PS3.7 §D.3.3.2.3), sanitised and checked.

The text that is kept has no control characters, so that no terminal acts on it. The raw bytes are kept as sent.
"""

import re

from pipeline.wire.warning import ParseWarning, Warnings

#: The most characters of a UID and of a version name; more is a warning.
UID_LIMIT, NAME_LIMIT = 64, 16
#: Characters kept of a text that exceeds its limit; `raw` has all of it.
TEXT_KEPT = 128
#: Padding of texts. An item's UID has none (PS3.8 Annex F); in a command set one NUL may make it even (PS3.5 §9.1).
PADDING = b"\0 "
#: Components of digits without leading zeros, separated by dots.
IS_UID = re.compile(rb"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*").fullmatch
#: Up to 16 printable characters, of which the last is not a space.
IS_NAME = re.compile(rb"[ -~]{0,15}[!-~]").fullmatch
_PRINTABLE = re.compile(rb"[ -~]*").fullmatch
_NOT_PRINTABLE = re.compile("[^ -~]")


def text(value: bytes) -> str:
    """Text without trailing padding; what is not printable ASCII becomes U+FFFD."""
    return _NOT_PRINTABLE.sub("\ufffd", value.rstrip(PADDING)[:TEXT_KEPT].decode("latin-1"))


def uid(value: bytes) -> tuple[str, Warnings]:
    """Read a UID; its text, and warnings."""
    if len(value) <= UID_LIMIT and IS_UID(value):
        return value.decode(), ()
    unpadded = value.rstrip(PADDING)
    return text(unpadded), _applying(
        (not unpadded, ParseWarning.UID_EMPTY),
        (len(unpadded) > UID_LIMIT, ParseWarning.UID_LONG),
        (bool(unpadded) and IS_UID(unpadded) is None, ParseWarning.UID_FORM),
        (unpadded != value, ParseWarning.PADDED),
    )


def name(value: bytes) -> tuple[str, Warnings]:
    """Read a version name; its text, and warnings."""
    if IS_NAME(value):
        return value.decode(), ()
    unpadded = value.rstrip(PADDING)
    return text(unpadded), _applying(
        (not unpadded, ParseWarning.NAME_EMPTY),
        (len(unpadded) > NAME_LIMIT, ParseWarning.NAME_LONG),
        (_PRINTABLE(unpadded) is None, ParseWarning.NAME_FORM),
        (unpadded != value, ParseWarning.PADDED),
    )


def _applying(*rules: tuple[bool, ParseWarning]) -> Warnings:
    """The warnings whose condition is true."""
    return tuple(warning for applies, warning in rules if applies)
