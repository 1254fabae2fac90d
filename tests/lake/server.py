"""The S3 server of the tests as a process: prints its URL, then serves until it is killed."""

import logging
import sys
import threading
from collections.abc import Iterable
from functools import cache
from typing import Any

from moto import backends
from moto.core import serialize
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

# For each request moto looks through its own folder, twice, and for each listed object it parses a time that it wrote itself.
_modules = tuple(backends.list_of_moto_modules())
backends.list_of_moto_modules = lambda: _modules
serialize.parse_to_aware_datetime = cache(serialize.parse_to_aware_datetime)

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
