"""A real S3 server on the loopback, for the tests that need a lake in a bucket.

moto is the only S3 server that the registries at hand can install by name. moto honours `If-None-Match` and `If-Match` on
puts, as a lake requires of its store.
"""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

KEYS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_names = count()


@contextmanager
def serving(port: int = 0) -> Iterator[str]:
    """Run a server while the block runs; yield its URL."""
    command = [sys.executable, str(Path(__file__).with_name("server.py")), str(port)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    assert url.startswith("http://127.0.0.1:")
    try:
        yield url
    finally:
        server.kill()
        server.wait()


def make(endpoint: str) -> str:
    """Make an empty bucket; return its URL."""
    name = f"lake-{next(_names)}-{time.monotonic_ns()}"
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{name}", method="PUT"), timeout=10).close()
    return f"s3://{name}"
