"""A web server on loopback with the files of a folder; `/away/HOST/…` redirects to another host."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread


class Files(SimpleHTTPRequestHandler):
    """Files, redirects, and no log."""

    def do_GET(self) -> None:
        """Redirect `/away/HOST/PATH` to `http://HOST/PATH` and `/moved/PATH` to `/PATH`; serve everything else."""
        _, first, *rest = self.path.split("/")
        if first not in ("away", "moved"):
            super().do_GET()
            return
        self.send_response(302)
        self.send_header("Location", ("http:/" if first == "away" else "") + "/" + "/".join(rest))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder while the block runs; gives the server's URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
