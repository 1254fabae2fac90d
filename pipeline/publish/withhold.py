"""What a peer says about itself may name it: strings that hold an address or a host name are not published."""

import re

WITHHELD = "(withheld: looks like an address or a host name)"

#: Four numbers with dots that are not part of a longer UID.
ADDRESS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)")
ADDRESS_6 = re.compile(r"(?i)(?:\b[0-9a-f]{1,4}:){3,}|::[0-9a-f]")
#: Labels with dots whose last one is of letters: `pacs.example.org`; not `dcm4che-5.29.2`, not `1.2.840.10008`.
HOST = re.compile(r"(?i)(?<![\w.-])[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.[a-z]{2,24}(?![\w-])")


def withhold(text: str) -> str:
    """The text, or a note in its place."""
    return WITHHELD if any(pattern.search(text) for pattern in (ADDRESS, ADDRESS_6, HOST)) else text
