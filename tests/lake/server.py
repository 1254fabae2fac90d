"""The S3 server of the tests as a process: prints its URL, then serves until it is killed."""

import logging
import sys
import threading
from collections.abc import Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

_app = DomainDispatcherApplication(create_backend_app)
_lock = threading.Lock()


def one_at_a_time(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer one request at a time: moto checks a condition and then puts in two steps, S3 does both in one step."""
    with _lock:
        return list(_app(environ, start_response))


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    server = make_server("127.0.0.1", int(sys.argv[1]), one_at_a_time, threaded=True)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
