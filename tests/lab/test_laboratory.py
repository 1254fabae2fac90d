"""The laboratory's table and its conversations; that it runs servers of strangers is left to `python -m tests.lab`."""

import socket
import threading

import pytest

from pipeline.enrich import ruleset
from tests import captures
from tests.enrich import trials
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


#: Versions that a server declares of itself, where that is not the version of its package.
DECLARED = {
    "ctn-simple_storage-3.2.0": "11MAR2003",
    "dcmjs-dimse-0.0.15": "0.1",
    "dcmjs-dimse-0.1.31": "0.1",
    "dcmjs-dimse-0.2.7": "0.2",
    "dcmjs-dimse-0.3.1": "0.2",
    "odil-0.12.1": "0",
    "odil-0.12.2": "0",
    "odil-0.13.0": "0",
    "orthanc-1.9.1-default": "3.6.5",
    "orthanc-1.12.7-default": "3.6.9",
    "orthanc-1.13.0-default": "3.7.0",
    "pynetdicom-2.1.1-default": "2.1.0",
}
#: Products on pynetdicom, whose version is pynetdicom's, and products that declare no version.
OTHERS = ("dicomrecon", "dimsechord", "pyconquest", "pylantir", "sautiris", "server-d-pnd-123")
SILENT = ("pixelmed", "pydcm", "pynetdicom2", "tiny-pacs")


@pytest.fixture(scope="module")
def said() -> dict[str, trials.Said]:
    """What the rules say of each server that accepted the request with its own title."""
    answers = trials.said(ruleset.load())
    right = [one for one in answers if one.answer.capture in PRODUCTS and one.answer.features["class_uid_declared"]]
    return {one.answer.capture: one for one in right if one.answer.row["outcome"] != "accepted"}


def test_the_rules_know_every_captured_server(said: dict[str, trials.Said]) -> None:
    """Each server that accepts is known by its toolkit and version, with no doubt about any."""
    assert len(said) > 50
    for name, one in said.items():
        declared = DECLARED.get(name, "3.0.4" if name.startswith(OTHERS) else PRODUCTS[name].installation.version)
        assert one.identity.toolkit == one.answer.product.toolkit, name
        assert one.identity.toolkit_version == (None if name.startswith(SILENT) else declared), name
        assert one.suspicions == () and one.match.mismatch == (), name


def test_an_unread_request() -> None:
    """A peer that closes without an answer is recorded as that, after what was sent to it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        closer = threading.Thread(target=lambda: server.accept()[0].makefile("rb").read(35))
        closer.start()
        events = converse(CASES[-1], server.getsockname()[1], "ANY")
        closer.join()
    assert [event["ev"] for event in events] == ["send", "fin"]
    assert bytes.fromhex(events[0]["hex"]) == CASES[-1].plain
