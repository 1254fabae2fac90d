"""A bad network in front of a real S3 server: it loses requests, loses replies to requests carried out, or answers 503."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

BUSY = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Proxy(ThreadingHTTPServer):
    """Forwards to a server; `faults` lists the faults of the next requests with a method: lose_request, lose_reply, busy."""

    daemon_threads = True

    def __init__(self, endpoint: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream = urlsplit(endpoint).netloc
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.faults: list[tuple[str, str]] = []
        self.met: list[str] = []


class Handler(BaseHTTPRequestHandler):
    """One request, which a fault may keep from the server or from its reply."""

    server: Proxy

    def forward(self) -> None:
        """Carry a request to the server and the reply back, unless the next fault prevents it."""
        fault = ""
        if self.server.faults and self.server.faults[0][0] == self.command:
            fault = self.server.faults.pop(0)[1]
            self.server.met.append(fault)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.close_connection = True
        if fault == "busy":
            self.wfile.write(BUSY)
        if fault in ("busy", "lose_request"):
            return
        ask = http.client.HTTPConnection(self.server.upstream, timeout=20)
        ask.request(self.command, self.path, body, dict(self.headers))
        reply = ask.getresponse()
        data = reply.read()
        ask.close()
        if fault == "lose_reply":
            return
        self.send_response(reply.status)
        for name, value in reply.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = forward

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def before(endpoint: str) -> Iterator[Proxy]:
    """Run a proxy in front of a server while the block runs."""
    proxy = Proxy(endpoint)
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()
