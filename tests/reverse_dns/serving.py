"""Real name servers on loopback for the tests: dnsmasq, and one that answers whatever a test says, by UDP and TCP."""

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rrset

from pipeline.reverse_dns.server import Server
from tests.associate.serving import free_port

#: What a server says to a query, and whether it is asked by TCP; None is silence.
Says = Callable[[dns.message.Message, bool], dns.message.Message | bytes | None]


@contextmanager
def dnsmasq(*records: str) -> Iterator[Server]:
    """dnsmasq, which knows these records (its own options, without the dashes) and nothing else."""
    port = free_port()
    command = [
        "dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", f"--port={port}",
        "--listen-address=127.0.0.1", "--bind-interfaces", "--user=", "--group=", "--pid-file=",
        *(f"--{record}" for record in records),
    ]  # fmt: skip
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        query, until = dns.message.make_query("localhost.", "A"), time.monotonic() + 10
        while True:
            with suppress(dns.exception.Timeout, ConnectionRefusedError):
                dns.query.udp(query, "127.0.0.1", timeout=0.5, port=port)
                break
            assert time.monotonic() < until and server.poll() is None, server.stderr and server.stderr.read()
        yield Server("127.0.0.1", port)
    finally:
        server.terminate()
        server.wait()


def both() -> tuple[socket.socket, socket.socket]:
    """A UDP and a listening TCP socket of one port that is free for both."""
    while True:
        tcp, udp = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with suppress(OSError):
            udp.bind(tcp.getsockname())
            return udp, tcp
        tcp.close()
        udp.close()


@contextmanager
def saying(says: Says) -> Iterator[tuple[Server, list[tuple[float, str]]]]:
    """A server that answers as a function does, and the list of (when, which name) that it was asked."""
    asked: list[tuple[float, str]] = []
    udp, tcp = both()
    with udp, tcp:
        ended = threading.Event()

        def heard(data: bytes, stream: bool) -> bytes | None:
            query = dns.message.from_wire(data)
            asked.append((time.monotonic(), query.question[0].name.to_text()))
            told = says(query, stream)
            return told.to_wire(max_size=65535) if isinstance(told, dns.message.Message) else told

        def datagrams() -> None:
            while not ended.is_set():
                data, peer = udp.recvfrom(65535)
                if data and (told := heard(data, stream=False)) is not None:
                    udp.sendto(told, peer)

        def streams() -> None:
            while not ended.is_set():
                peer, _ = tcp.accept()
                with peer, suppress(OSError):
                    peer.settimeout(5)
                    size = int.from_bytes(peer.recv(2), "big")
                    if size and (told := heard(peer.recv(size), stream=True)) is not None:
                        peer.sendall(len(told).to_bytes(2, "big") + told)

        threads = [threading.Thread(target=each) for each in (datagrams, streams)]
        for thread in threads:
            thread.start()
        try:
            yield Server(*udp.getsockname()), asked
        finally:
            ended.set()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last, socket.socket() as knock:
                last.sendto(b"", udp.getsockname())
                knock.connect(tcp.getsockname())
            for thread in threads:
                thread.join()


def answering(
    query: dns.message.Message, kind: str, *values: str, rcode: int = dns.rcode.NOERROR
) -> dns.message.Message:
    """An answer to a query with these records; with none, an empty one."""
    told = dns.message.make_response(query)
    told.set_rcode(dns.rcode.Rcode(rcode))
    if values:
        told.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", kind, *values))
    return told
