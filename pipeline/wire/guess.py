"""What a reply that is not DICOM looks like, judged from its first bytes by a table. A guess is a hint, not a fact."""

import re

#: (name, what the reply begins with); the first row that matches names the protocol.
RULES: tuple[tuple[str, re.Pattern[bytes]], ...] = tuple(
    (name, re.compile(begins_with, re.DOTALL))
    for name, begins_with in (
        # A record: content type 20 to 23, version 3.0 to 3.4 (RFC 8446 §5.1).
        ("tls", rb"[\x14-\x17]\x03[\x00-\x04]"),
        # TPKT (RFC 1006 §6): 03 00, u16 length of at least 7, then X.224's header length and CC, DR, ER or DT.
        # It begins like an A-ASSOCIATE-RJ, whose u32 length of 4 makes that u16 zero.
        ("rdp", rb"\x03\x00(?:[\x01-\xff].|\x00[\x07-\xff]).[\xd0\x80\x70\xf0]"),
        ("http", rb"HTTP/\d"),
        ("rtsp", rb"RTSP/\d"),
        ("sip", rb"SIP/\d"),
        ("ssh", rb"SSH-\d"),
        ("smtp", rb"220[ -][^\r\n]*SMTP|554[ -][^\r\n]*SMTP"),
        ("ftp", rb"(?i:220[ -][^\r\n]*FTP|530[ -][^\r\n]*(?:FTP|login))|220-"),
        ("pop3", rb"\+OK|-ERR [^\r\n]*POP"),
        ("imap", rb"\* (?:OK|BYE|PREAUTH)"),
        ("redis", rb"-(?:ERR|NOAUTH|DENIED) "),
        ("vnc", rb"RFB \d{3}\.\d{3}"),
        # IAC and one of SB, WILL, WON'T, DO, DON'T (RFC 854).
        ("telnet", rb"\xff[\xfa-\xfe]"),
        # u24 length, sequence number 0, protocol 10 or error 255.
        ("mysql", rb"[^\x00-\x0f].\x00\x00[\x0a\xff]"),
        ("smb", rb"\x00.{3}[\xfe\xff]SMB"),
        ("html", rb"(?i:\s*<(?:!doctype html|html|head|\?xml))"),
        ("socks", rb"\x05[\x00-\x02\xff]\Z|\x00[\x5a-\x5d].{6}\Z"),
        ("text", rb"[\t\r\n\x1b -~]{4,}\Z"),
    )
)


def guess(data: bytes) -> str | None:
    """Name the protocol that the first bytes of a reply look like."""
    return next((name for name, begins_with in RULES if begins_with.match(data)), None)
