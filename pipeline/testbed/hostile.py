"""Peers of the decoys' process that begin like DICOM: most waste time or memory, some return other AE titles or our request."""

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable, Iterator

#: SO_LINGER on, 0 s: close by RST.
LINGER_NOTHING = struct.pack("ii", 1, 0)
REQUEST = 65_536
#: Seconds per byte; an acceptance of about 200 bytes then takes longer than any visitor waits.
BYTE_SECONDS = 1.0
CHUNK = 65_536
CONTEXTS = 10_000
#: A record with what looks like a complete ServerHello of TLS 1.3 (RFC 8446 §4.1.3).
TLS_SERVER_HELLO = bytes.fromhex("1603030031 0200002d 0303") + bytes(32) + bytes.fromhex("00 1301 00 0005 ff01000100")

#: Maximum length 16384, an implementation class UID of this project and a version name (PS3.7 Annex D.3.3).
USER_INFORMATION = (
    bytes.fromhex("50000021 51000004 00004000") + b"\x52\0\0\x08" + b"2.25.999" + b"\x55\0\0\x09" + b"TESTBED_1"
)

Hostile = Callable[[StreamReader, StreamWriter], Awaitable[None]]


def accept(request: bytes, contexts: int = 1) -> bytes:
    """Make an A-ASSOCIATE-AC (PS3.8 §9.3.3) with the request's AE titles; the ids of many contexts repeat."""
    syntax = b"1.2.840.10008.1.2"
    transfer = struct.pack(">BBH", 0x40, 0, len(syntax)) + syntax
    items = b"".join(
        struct.pack(">BBHBBBB", 0x21, 0, 4 + len(transfer), (2 * n + 1) % 256, 0, 0, 0) + transfer
        for n in range(contexts)
    )
    name = b"1.2.840.10008.3.1.1.1"
    body = struct.pack(">HH", 1, 0) + request[10:42] + bytes(32) + struct.pack(">BBH", 0x10, 0, len(name)) + name
    body += items + USER_INFORMATION
    return struct.pack(">BBL", 2, 0, len(body)) + body


async def dribble(reader: StreamReader, writer: StreamWriter) -> None:
    """Accept, one byte per second."""
    for byte in accept(await reader.read(REQUEST)):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(BYTE_SECONDS)


async def endless(reader: StreamReader, writer: StreamWriter) -> None:
    """Begin an acceptance of 2 GiB and send without end."""
    request = await reader.read(REQUEST)
    writer.write(struct.pack(">BBL", 2, 0, 1 << 31) + accept(request)[6:])
    while True:
        writer.write(bytes(CHUNK))
        await writer.drain()


async def longest(reader: StreamReader, writer: StreamWriter) -> None:
    """Announce an acceptance of 2^32 − 1 bytes, and send nothing more."""
    await reader.read(REQUEST)
    writer.write(struct.pack(">BBL", 2, 0, (1 << 32) - 1))
    await asyncio.Future()


async def contexts(reader: StreamReader, writer: StreamWriter) -> None:
    """Accept ten thousand presentation contexts, of which one was proposed."""
    writer.write(accept(await reader.read(REQUEST), CONTEXTS))
    await writer.drain()
    await asyncio.Future()


async def tls_endless(reader: StreamReader, writer: StreamWriter) -> None:
    """Send handshake records without end."""
    await reader.read(REQUEST)
    while True:
        writer.write(TLS_SERVER_HELLO * 100)
        await writer.drain()


def resets(whole: int, share: float) -> Hostile:
    """Make a peer that gives `whole` complete answers and a share of the next one, then resets."""

    async def peer(reader: StreamReader, writer: StreamWriter) -> None:
        request = await reader.read(REQUEST)
        for number, answer in enumerate(answers(request)):
            if number == whole:
                writer.write(answer[: int(share * len(answer))])
                await writer.drain()
                await asyncio.sleep(0.05)
                break
            writer.write(answer)
            await reader.read(REQUEST)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOTHING)
        writer.close()

    return peer


def answers(request: bytes) -> Iterator[bytes]:
    """The answers of a complete conversation: acceptance, C-ECHO response (PS3.7 §9.3.5), release."""
    yield accept(request)
    yield bytes.fromhex(
        "040000000054 00000050 01 03 00000000 04000000 42000000"
        "00000200 12000000 312e322e3834302e31303030382e312e3100"
        "00000001 02000000 3080 00002001 02000000 0100 00000008 02000000 0101 00000009 02000000 0000"
    )
    yield bytes.fromhex("06000000000400000000")


async def mirror(reader: StreamReader, writer: StreamWriter) -> None:
    """Send the request back as an acceptance, with swapped AE titles."""
    request = await reader.read(REQUEST)
    writer.write(b"\2" + request[1:10] + swapped(request[10:42]) + request[42:])
    await writer.drain()
    await asyncio.Future()


def swapped(titles: bytes) -> bytes:
    """The calling AE title before the called one."""
    return titles[16:] + titles[:16]


def retitled(titles: Callable[[bytes], bytes]) -> Hostile:
    """Make a peer that gives all answers of a conversation, but accepts with other AE titles than the 32 bytes we sent."""

    async def peer(reader: StreamReader, writer: StreamWriter) -> None:
        request = await reader.read(REQUEST)
        for answer in answers(request[:10] + titles(request[10:42])):
            writer.write(answer)
            await writer.drain()
            await reader.read(REQUEST)

    return peer


HOSTILE: dict[str, Hostile] = {
    "dribble": dribble,
    "endless": endless,
    "longest": longest,
    "contexts": contexts,
    "tls-endless": tls_endless,
    "reset-for-request": resets(0, 0),
    "reset-in-accept": resets(0, 0.5),
    "reset-for-echo": resets(1, 0),
    "reset-in-echo": resets(1, 0.5),
    "reset-for-release": resets(2, 0),
    "reset-in-release": resets(2, 0.5),
    "mirror": mirror,
    "titles-nul": retitled(lambda _sent: bytes(32)),
    "titles-swapped": retitled(swapped),
    "titles-lower": retitled(bytes.lower),
    "titles-own": retitled(lambda _sent: b"ARCHIVE".ljust(16) + b"OTHER".ljust(16)),
}
