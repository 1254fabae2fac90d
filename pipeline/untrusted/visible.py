"""Text from anywhere, made harmless for a terminal: what a reader does not see is written as its code."""

import unicodedata

#: Unicode categories that a reader does not see, or that move or recolour what is seen: controls, formats (RTL marks),
#: surrogates, private use, line and paragraph separators.
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str) -> str:
    """Write every character that does not show itself as its code."""
    if text.isprintable():
        return text
    return "".join(_code(char) if unicodedata.category(char) in HIDDEN else char for char in text)


def lines(text: str) -> str:
    """Text of the program's own in lines: the ends of lines stay, all else that a reader does not see is written as its code."""
    return "\n".join(map(visible, text.split("\n")))


def _code(char: str) -> str:
    number = ord(char)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
