"""Replies of peers, and the request that they answer."""

import struct

from pipeline.wire.outgoing import encode

OUTGOING = encode(calling_ae="CENSUS", class_uid="2.25.1")

REJECT = bytes.fromhex("03000000000400010107")
ABORT = bytes.fromhex("07000000000400000202")
RELEASE_RP = bytes.fromhex("06000000000400000000")
RELEASE_RQ = bytes.fromhex("05000000000400000000")
ECHO_RSP = bytes.fromhex(
    "040000000054 00000050 01 03 00000000 04000000 42000000"
    "00000200 12000000 312e322e3834302e31303030382e312e3100"
    "00000001 02000000 3080 00002001 02000000 0100 00000008 02000000 0101 00000009 02000000 0000"
)
HTTP = b"HTTP/1.1 400 Bad Request\r\n\r\n"
TLS_ALERT = bytes.fromhex("15030100020228")


def accept(*, result: int = 0, called: bytes = b"ANY-SCP", extra: bytes = b"") -> bytes:
    """An A-ASSOCIATE-AC to our request."""
    syntax = b"1.2.840.10008.1.2"
    context = struct.pack(">BBHBBBBBBH", 0x21, 0, 8 + len(syntax), 1, 0, result, 0, 0x40, 0, len(syntax)) + syntax
    body = struct.pack(">HH16s16s32x", 1, 0, called.ljust(16), b"CENSUS".ljust(16)) + context + extra
    return struct.pack(">BBL", 2, 0, len(body)) + body


ACCEPT = accept()
