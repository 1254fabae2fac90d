"""Servers that do not speak DICOM, all in one process: `python -m pipeline.testbed.decoys KIND=PORT …`."""

import asyncio
import random
import socket
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable

from pipeline.testbed.hostile import HOSTILE, LINGER_NOTHING

BACKLOG = 4096
#: Bytes read of a request; our association request has about 250.
REQUEST = 65_536
#: How long a decoy keeps a visitor, in seconds; longer than any visitor waits.
PATIENCE = 120.0
SO_ORIGINAL_DST = 80  # linux/netfilter_ipv4.h

BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
BANNER = b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"
#: TPKT (RFC 1006) with an X.224 Connection Confirm, as remote desktops send it ([MS-RDPBCGR] 2.2.1.2).
CONNECTION_CONFIRM = bytes.fromhex("03000013 0ed00000 12340002 00080000 000000")
#: A TLS 1.0 record with the fatal alert protocol_version (RFC 5246 §7.2), the answer of most TLS servers to plain text.
ALERT = bytes.fromhex("1503010002 0246")

Decoy = Callable[[StreamReader, StreamWriter], Awaitable[None]]


def answer(reply: bytes) -> Decoy:
    """Make a decoy that gives every request the same reply, then closes."""

    async def decoy(reader: StreamReader, writer: StreamWriter) -> None:
        if await reader.read(REQUEST):
            writer.write(reply)

    return decoy


async def ssh(reader: StreamReader, writer: StreamWriter) -> None:
    """Send a banner first, and close on anything but SSH."""
    writer.write(BANNER)
    await writer.drain()
    await reader.read(REQUEST)


async def echo(reader: StreamReader, writer: StreamWriter) -> None:
    """Send everything back."""
    while data := await reader.read(REQUEST):
        writer.write(data)
        await writer.drain()


async def silent(reader: StreamReader, writer: StreamWriter) -> None:
    """Read everything, answer nothing."""
    while await reader.read(REQUEST):
        pass


async def reset(reader: StreamReader, writer: StreamWriter) -> None:
    """Reset the connection once it has data."""
    await reader.read(REQUEST)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOTHING)


async def noise(reader: StreamReader, writer: StreamWriter) -> None:
    """Send bytes that are neither a PDU nor a TLS record; always the same ones from one address."""
    source = random.Random(_visited(writer))
    if await reader.read(REQUEST):
        writer.write(bytes([source.randrange(0x80, 0x100)]) + source.randbytes(source.randrange(1, 200)))


async def fin(reader: StreamReader, writer: StreamWriter) -> None:
    """Close the connection once it has data."""
    await reader.read(REQUEST)


DECOYS: dict[str, Decoy] = {
    "http": answer(BAD_REQUEST),
    "ssh": ssh,
    "echo": echo,
    "silent": silent,
    "reset": reset,
    "random": noise,
    "rdp": answer(CONNECTION_CONFIRM),
    "fin": fin,
    "alert": answer(ALERT),
    **HOSTILE,
}


def _visited(writer: StreamWriter) -> bytes:
    """The address that the visitor connected to, before it was redirected here."""
    connection = writer.get_extra_info("socket")
    try:
        return bytes(connection.getsockopt(socket.SOL_IP, SO_ORIGINAL_DST, 16)[4:8])
    except OSError:
        return socket.inet_aton(connection.getsockname()[0])


def _patient(decoy: Decoy) -> Decoy:
    async def visit(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            await asyncio.wait_for(decoy(reader, writer), PATIENCE)
        except (TimeoutError, ConnectionError):
            pass
        writer.close()

    return visit


async def serve(ports: dict[str, int]) -> None:
    """Serve each kind on its port, until killed."""
    starting = (
        asyncio.start_server(_patient(DECOYS[kind]), "0.0.0.0", port, backlog=BACKLOG) for kind, port in ports.items()
    )
    servers = await asyncio.gather(*starting)
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(serve({kind: int(port) for kind, port in (argument.split("=") for argument in sys.argv[1:])}))
