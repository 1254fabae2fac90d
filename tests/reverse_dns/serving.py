"""Real name servers on loopback for the tests: dnsmasq, and a server that answers by a function, over UDP and TCP."""

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

from pipeline.reverse_dns.server import NameServer
from tests.associate.serving import free_port

#: A server's answer to a query, given whether it arrived over TCP; None is silence.
Answer = Callable[[dns.message.Message, bool], dns.message.Message | bytes | None]


@contextmanager
def dnsmasq(*records: str) -> Iterator[NameServer]:
    """dnsmasq with only these records (its own options, without the dashes)."""
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
        yield NameServer("127.0.0.1", port)
    finally:
        server.terminate()
        server.wait()


def both() -> tuple[socket.socket, socket.socket]:
    """A UDP and a listening TCP socket on the same port."""
    while True:
        tcp, udp = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with suppress(OSError):
            udp.bind(tcp.getsockname())
            return udp, tcp
        tcp.close()
        udp.close()


@contextmanager
def answering_server(answer: Answer) -> Iterator[tuple[NameServer, list[tuple[float, str]]]]:
    """A server that answers by a function, and the list of (time, name) of its queries."""
    queries: list[tuple[float, str]] = []
    udp, tcp = both()
    with udp, tcp:
        ended = threading.Event()

        def handle(data: bytes, stream: bool) -> bytes | None:
            query = dns.message.from_wire(data)
            queries.append((time.monotonic(), query.question[0].name.to_text()))
            reply = answer(query, stream)
            return reply.to_wire(max_size=65535) if isinstance(reply, dns.message.Message) else reply

        def datagrams() -> None:
            while not ended.is_set():
                data, peer = udp.recvfrom(65535)
                if data and (reply := handle(data, stream=False)) is not None:
                    udp.sendto(reply, peer)

        def streams() -> None:
            while not ended.is_set():
                peer, _ = tcp.accept()
                with peer, suppress(OSError):
                    peer.settimeout(5)
                    size = int.from_bytes(peer.recv(2), "big")
                    if size and (reply := handle(peer.recv(size), stream=True)) is not None:
                        peer.sendall(len(reply).to_bytes(2, "big") + reply)

        threads = [threading.Thread(target=each) for each in (datagrams, streams)]
        for thread in threads:
            thread.start()
        try:
            yield NameServer(*udp.getsockname()), queries
        finally:
            ended.set()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last, socket.socket() as knock:
                last.sendto(b"", udp.getsockname())
                knock.connect(tcp.getsockname())
            for thread in threads:
                thread.join()


def reply_with(
    query: dns.message.Message, kind: str, *values: str, rcode: int = dns.rcode.NOERROR
) -> dns.message.Message:
    """An answer to a query with these records, or an empty one."""
    reply = dns.message.make_response(query)
    reply.set_rcode(dns.rcode.Rcode(rcode))
    if values:
        reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", kind, *values))
    return reply
