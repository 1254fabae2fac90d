"""Protocol guesses and the judgement of a reply's first bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.guess import REFLECTION, RULES, Opening, guess, opening

REQUEST = bytes.fromhex("0100000000f500010000") + b"ANY-SCP".ljust(16) + b"CENSUS".ljust(16) + bytes(32)

GREETINGS = (
    ("tls", b"\x15\x03\x01\x00\x02\x02\x28"),
    ("rdp", bytes.fromhex("030000130ed000001234000200080002000000")),
    ("http", b"HTTP/1.1 400 Bad Request\r\n"),
    ("rtsp", b"RTSP/1.0 400 Bad Request\r\n"),
    ("sip", b"SIP/2.0 400 Bad Request\r\n"),
    ("ssh", b"SSH-2.0-OpenSSH_9.6\r\n"),
    ("smtp", b"220 mail.example ESMTP\r\n"),
    ("ftp", b"220 (vsFTPd 3.0.5)\r\n"),
    ("pop3", b"+OK ready\r\n"),
    ("imap", b"* OK ready\r\n"),
    ("redis", b"-ERR unknown command\r\n"),
    ("vnc", b"RFB 003.008\n"),
    ("telnet", b"\xff\xfd\x18"),
    ("mysql", b"\x4a\x00\x00\x00\x0a8.0.36\x00"),
    ("smb", b"\x00\x00\x00\x40\xfeSMB"),
    ("html", b"<!DOCTYPE html>"),
    ("socks", b"\x05\xff"),
    ("text", b"who are you?\r\n"),
    (None, b"\x00\x01\x02"),
    (None, b""),
    (None, bytes.fromhex("03000000000400010107")),
)

OPENINGS = (
    (b"\x02", Opening.DICOM, Opening.DICOM),
    (b"\x07", Opening.DICOM, Opening.DICOM),
    (b"\x03\x00\x00\x00\x00", Opening.UNDECIDED, Opening.DICOM),
    (bytes.fromhex("03000000000400010107"), Opening.DICOM, Opening.DICOM),
    (bytes.fromhex("030000130ed0"), Opening.OTHER, Opening.OTHER),
    (b"\x03\x00\x00\x13", Opening.UNDECIDED, Opening.DICOM),
    (b"\x01", Opening.UNDECIDED, Opening.OTHER),
    (REQUEST[:6], Opening.UNDECIDED, Opening.REFLECTED),
    (REQUEST[:REFLECTION], Opening.REFLECTED, Opening.REFLECTED),
    (REQUEST + b"more", Opening.REFLECTED, Opening.REFLECTED),
    (REQUEST[:10] + bytes(32) + REQUEST[42:], Opening.REFLECTED, Opening.REFLECTED),
    (b"\x01\x00\x00\x00\x01\x00", Opening.OTHER, Opening.OTHER),
    (b"\x16", Opening.UNDECIDED, Opening.OTHER),
    (b"\x16\x03", Opening.UNDECIDED, Opening.OTHER),
    (b"\x16\x03\x03", Opening.TLS, Opening.TLS),
    (b"\x16\x04", Opening.OTHER, Opening.OTHER),
    (b"H", Opening.OTHER, Opening.OTHER),
    (b"\x05\x00\x00\x00\x00\x04", Opening.OTHER, Opening.OTHER),
)


@pytest.mark.parametrize(("name", "data"), GREETINGS)
def test_known_greetings(name: str | None, data: bytes) -> None:
    """Each protocol of the table is recognised by a real greeting."""
    assert guess(data) == name


def test_every_rule_has_a_greeting() -> None:
    """Each rule of the table has a known answer."""
    assert {name for name, _ in RULES} == {name for name, _ in GREETINGS if name}


@pytest.mark.parametrize(("data", "so_far", "at_the_end"), OPENINGS)
def test_openings(data: bytes, so_far: Opening, at_the_end: Opening) -> None:
    """First bytes stay undecided while they may still become DICOM, TLS or our own, and are decided when no more will arrive."""
    assert opening(data, REQUEST) is so_far
    assert opening(data, REQUEST, complete=True) is at_the_end


@given(st.binary(max_size=40))
def test_more_bytes_never_change_a_decision(data: bytes) -> None:
    """Once an opening is decided, more bytes do not change the decision."""
    judged = [opening(data[:end], REQUEST) for end in range(1, len(data) + 1)]
    assert len({one for one in judged if one is not Opening.UNDECIDED}) <= 1


@given(st.binary(max_size=300))
def test_any_bytes_give_a_guess(data: bytes) -> None:
    """Any bytes give a name of the table or none."""
    assert guess(data) in {None, *(name for name, _ in RULES)}
