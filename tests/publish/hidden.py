"""What no publication may have: addresses in every notation, and what peers of the made-up history say of themselves."""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from ipaddress import IPv4Address
from typing import Any

#: Stems of what the peers say: of host names and certificates, of AE titles, of the certificates' organisation.
STEMS = ("stmary", "st mary")
HEX = "(?:0[xX])?[0-9a-fA-F]+"
#: Where a notation may begin and end. Each is found wherever it is, also within a longer text and before a port.
FORMS = (
    re.compile(rf"(?<![0-9a-fA-F])(?=({HEX}([.:-]){HEX}\2{HEX}\2{HEX})(?![0-9a-fA-F]))"),
    re.compile(r"(?<![0-9a-fA-F])(?=([0-9a-fA-F]{1,4}:[0-9a-fA-F]{1,4})(?![0-9a-fA-F]))"),
    re.compile(r"(?<![0-9a-zA-Z])([0-9a-zA-Z]{8,64})(?![0-9a-zA-Z])"),
    re.compile(r"(?<![0-9a-fA-F])(?=((?:[0-9a-fA-F]{2}:){31}[0-9a-fA-F]{2}))"),
    re.compile(r"(?=([0-9a-zA-Z+/]{43}=))"),
)


def notations(ip: int) -> set[str]:
    """An address dotted, padded, backwards, with dashes, in octal or hexadecimal octets, as one number, and at the end of IPv6."""
    octets = IPv4Address(ip).packed
    quads = [[f"{octet:{form}}" for octet in octets] for form in ("d", "03d", "04o", "#x", "x", "02x")]
    quads.append([f"0{octet:o}" if octet else "0" for octet in octets])
    whole = {str(ip), f"{ip:08x}", f"0x{ip:x}", f"{ip:o}", f"0{ip:o}", f"{ip:032b}", octets[::-1].hex()}
    tails = {f"{ip >> 16:x}:{ip & 0xFFFF:x}", f"{ip >> 16:04x}:{ip & 0xFFFF:04x}"}
    return whole | tails | {mark.join(each) for quad in quads for each in (quad, quad[::-1]) for mark in ".-:"}


def title(number: int) -> bytes:
    """The AE title with which a host answers, 16 bytes."""
    return f"STMARY{number % 10**10:010d}".encode()


def reply(number: int) -> dict[str, Any]:
    """What of a host's reply says who it is."""
    return {"called_ae_raw": title(number), "calling_ae_raw": title(number), "raw": b"\x02\0" + title(number)}


@cache
def digests(number: int) -> tuple[bytes, bytes]:
    """The fingerprints of a host's certificate and of its key."""
    return tuple(hashlib.sha256(f"{what} of {number}".encode()).digest() for what in ("certificate", "key"))  # type: ignore[return-value]


def certificate(number: int) -> dict[str, Any]:
    """A host's certificate, signed by itself."""
    name, (whole, key) = f"CN=pacs{number}.stmary.example,O=St Mary Hospital", digests(number)
    said = {
        "subject": name,
        "issuer": name,
        "subject_organization": "St Mary Hospital",
        "issuer_organization": "St Mary Hospital",
    }
    return said | {"san": [f"pacs{number}.stmary.example"], "sha256": whole.hex(), "spki_sha256": key.hex()}


def fingerprints(number: int) -> set[str]:
    """The fingerprints of a host's certificate and key as digits, as OpenSSL writes them, in base64, and cut to 16 digits."""
    both = digests(number)
    return {
        form
        for digest in both
        for form in (digest.hex(), digest.hex(":"), base64.b64encode(digest).decode(), digest.hex()[:16])
    }


def found(texts: Mapping[str, str], numbers: Iterable[int]) -> list[tuple[str, set[str]]]:
    """The files that have anything of these hosts, with what it is."""
    secrets = {form.lower() for number in numbers for form in notations(number) | fingerprints(number)}
    there = []
    for name, text in texts.items():
        words = {word.lower() for form in FORMS for match in form.findall(text) for word in _parts(match)}
        there.append((name, words & secrets | {stem for stem in STEMS if stem in text.lower()}))
    return [(name, words) for name, words in there if words]


def _parts(match: str | tuple[str, ...]) -> tuple[str, ...]:
    return (match,) if isinstance(match, str) else match
