"""The laboratory's table and its conversations; that it runs servers of strangers is left to `python -m tests.lab`."""

import socket
import threading

from tests import captures
from tests.lab.conversations import CASES, converse
from tests.lab.products import SERVERS, load

PRODUCTS = load()
CAPTURED = [row for path in captures.FILES if path.stem == "fixtures-lab" for row in captures.read(path)]


def test_every_capture_is_of_a_product() -> None:
    """The laboratory's captures are of products in its table, each with all conversations that are not left out."""
    cases: dict[str, set[str]] = {}
    for row in CAPTURED:
        cases.setdefault(captures.name(row), set()).add(row["case"])
    whole = {name: {str(case) for case in CASES if case.number not in PRODUCTS[name].without} for name in cases}
    assert cases == whole
    assert len(cases) > 15


def test_captures_tell_the_version() -> None:
    """What a capture says of its product has the version that the table asks for."""
    for row in CAPTURED:
        assert PRODUCTS[captures.name(row)].installation.version in row["product"]


def test_programs_of_ours_exist() -> None:
    """Each script that a product is started by is there, and a command has no unknown place to fill in."""
    for product in PRODUCTS.values():
        assert not product.script or (SERVERS / product.script).is_file(), product.id
        rest = " ".join(product.command)
        for name in ("{port}", "{folder}", "{bin}"):
            rest = rest.replace(name, "")
        assert "{" not in rest, product.id


def test_an_unread_request() -> None:
    """A peer that closes without an answer is recorded as that, after what was sent to it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        closer = threading.Thread(target=lambda: server.accept()[0].makefile("rb").read(35))
        closer.start()
        events = converse(CASES[-1], server.getsockname()[1], "ANY")
        closer.join()
    assert [event["ev"] for event in events] == ["send", "fin"]
    assert bytes.fromhex(events[0]["hex"]) == CASES[-1].plain
