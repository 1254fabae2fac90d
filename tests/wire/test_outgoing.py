"""The whitelist of byte templates."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pipeline
from pipeline.errors import GuardError, InputError
from pipeline.wire.outgoing import VERSION_NAME, Outgoing, class_uid, encode
from pipeline.wire.pdu import Frame, decode
from pipeline.wire.warning import Verdict
from tests.wire import oracle, reference
from tests.wire.rows import row
from tests.wire.vectors import DATA, FULL_REQUEST, associate, item

URL = "https://example.org/census"

#: Golden bytes: a change here starts a new series of censuses.
GOLDEN = Outgoing(
    request=bytes.fromhex(
        "01 00 000000f5"  # A-ASSOCIATE-RQ, 245 bytes
        "0001 0000"  # protocol version 1
        "414e592d534350202020202020202020"  # called AE title ANY-SCP
        "43454e53555320202020202020202020"  # calling AE title CENSUS
        "0000000000000000000000000000000000000000000000000000000000000000"
        "10 00 0015 312e322e3834302e31303030382e332e312e312e31"  # application context
        "20 00 0045 01 00 00 00"  # presentation context 1
        "30 00 0011 312e322e3834302e31303030382e312e31"  # Verification
        "40 00 0011 312e322e3834302e31303030382e312e32"  # Implicit VR Little Endian
        "40 00 0013 312e322e3834302e31303030382e312e322e31"  # Explicit VR Little Endian
        "50 00 004b"  # user information
        "51 00 0004 00003fff"  # maximum length 16383
        "52 00 002c 322e32352e323230323332383039373237343135393739353332383637343731313939353632313532303337"
        "55 00 000f 4449434f4d5f43454e5355535f3031"  # DICOM_CENSUS_01
    ),
    echo=bytes.fromhex(
        "04 00 0000004a 00000046 01 03"  # P-DATA-TF, one value on context 1: command, last
        "0000 0000 04000000 38000000"  # group length 56
        "0000 0200 12000000 312e322e3834302e31303030382e312e3100"  # affected SOP class: Verification
        "0000 0001 02000000 3000"  # command field: C-ECHO-RQ
        "0000 1001 02000000 0100"  # message id 1
        "0000 0008 02000000 0101"  # no data set
    ),
    release_request=bytes.fromhex("05 00 00000004 00000000"),
    release_reply=bytes.fromhex("06 00 00000004 00000000"),
    abort=bytes.fromhex("07 00 00000004 00 00 00 00"),
)


def test_golden_bytes() -> None:
    """The codec gives exactly the bytes that censuses have always sent."""
    assert encode(calling_ae="CENSUS", class_uid=class_uid(URL)) == GOLDEN


def test_every_byte_of_the_request() -> None:
    """The request has exactly these fields: no user identity, no asynchronous operations."""
    uid = b"2.25.220232809727415979532867471199562152037"
    syntaxes = item(0x40, b"1.2.840.10008.1.2") + item(0x40, b"1.2.840.10008.1.2.1")
    user = item(0x51, b"\0\0\x3f\xff") + item(0x52, uid) + item(0x55, b"DICOM_CENSUS_01")
    assert GOLDEN.request == associate(
        1,
        item(0x10, b"1.2.840.10008.3.1.1.1"),
        item(0x20, b"\1\0\0\0" + item(0x30, b"1.2.840.10008.1.1") + syntaxes),
        item(0x50, user),
    )


def test_the_request_is_read_back() -> None:
    """The decoder, the reference reader and pynetdicom read the intended fields from the request."""
    fields = {
        "pdu": "A-ASSOCIATE-RQ",
        "protocol_version": 1,
        "called_ae": "ANY-SCP".ljust(16),
        "calling_ae": "CENSUS".ljust(16),
        "application_context": "1.2.840.10008.3.1.1.1",
        "contexts": [[1, "1.2.840.10008.1.1", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"]]],
        "max_pdu": 16383,
        "implementation_class_uid": class_uid(URL),
        "implementation_version_name": "DICOM_CENSUS_01",
        "item_order": [0x10, 0x20, 0x50, 0x51, 0x52, 0x55],
    }
    assert row(GOLDEN.request) == reference.read(GOLDEN.request) == fields
    assert oracle.read(GOLDEN.request) == fields | {"called_ae": "ANY-SCP", "calling_ae": "CENSUS"}
    assert all(decode(Frame(data[0], data[6:])).verdict is Verdict.SOUND for data in GOLDEN.templates.values())


def test_names_the_census() -> None:
    """The request carries our version name, and a class UID derived from the lab's URL."""
    assert VERSION_NAME.encode() in GOLDEN.request
    assert class_uid(URL) == "2.25.220232809727415979532867471199562152037"
    assert class_uid(URL).encode() in GOLDEN.request


def test_titles() -> None:
    """The AE titles are read back out of the request as sent."""
    assert (GOLDEN.called_ae, GOLDEN.calling_ae) == (b"ANY-SCP".ljust(16), b"CENSUS".ljust(16))


def test_what_is_proposed() -> None:
    """The abstract syntax of each presentation context is read back out of the request as sent."""
    assert GOLDEN.proposed == {1: "1.2.840.10008.1.1"}
    several = encode(calling_ae="CENSUS", class_uid="2.25.1", proposed=["1.2.840.10008.1.1", "1.2.840.10008.5.1.4.31"])
    assert several.proposed == {1: "1.2.840.10008.1.1", 3: "1.2.840.10008.5.1.4.31"}


def test_templates_are_allowed() -> None:
    """Each of the five whole templates may be sent."""
    assert all(GOLDEN.require_template(data) == data for data in GOLDEN.templates.values())
    assert list(GOLDEN.templates) == ["request", "echo", "release_request", "release_reply", "abort"]


@given(st.binary(max_size=100) | st.sampled_from([GOLDEN.request[:-1], GOLDEN.echo + GOLDEN.abort, b""]))
def test_nothing_else_is_allowed(data: bytes) -> None:
    """Other bytes, even a part of a template or two of them, raise GuardError."""
    assert GOLDEN.allows(data) == (data in GOLDEN.templates.values())
    if not GOLDEN.allows(data):
        with pytest.raises(GuardError):
            GOLDEN.require_template(data)


def test_each_sender_checks_the_whitelist() -> None:
    """The three modules that send payload call the one function that enforces the whitelist."""
    root = Path(pipeline.__file__).parent
    callers = {str(path.relative_to(root)) for path in root.rglob("*.py") if _uses(path, "require_template")}
    assert callers == {"associate/client.py", "associate/tls.py", "probe/segments.py"}


def _uses(path: Path, attribute: str) -> bool:
    """Whether a file's code, without its texts, reads an attribute of this name."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return any(isinstance(node, ast.Attribute) and node.attr == attribute for node in nodes)


def test_json_round_trip() -> None:
    """The templates written to a plan are read back unchanged."""
    assert Outgoing.from_json(GOLDEN.to_json()) == GOLDEN


def test_digest() -> None:
    """The digest is the same for the same templates and differs for others."""
    assert GOLDEN.digest == "3cb5e5bf51439fce6437dcb71b98140778869bf07f17746aea3736200d644ee3"
    assert replace(GOLDEN, abort=bytes.fromhex("07000000000400000200")).digest != GOLDEN.digest


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        GOLDEN.to_json() | {"more": "00"},
        GOLDEN.to_json() | {"echo": 5},
        GOLDEN.to_json() | {"echo": "not hexadecimal"},
        GOLDEN.to_json() | {"echo": ""},
        GOLDEN.to_json() | {"abort": GOLDEN.release_reply.hex()},
        GOLDEN.to_json() | {"abort": GOLDEN.abort.hex() + "00"},
        GOLDEN.to_json() | {"request": "0100000010000000" + "00" * 4094},
        GOLDEN.to_json() | {"request": GOLDEN.request.replace(b"\x30\0\0\x11", b"\x30\0\0\xff").hex()},
        GOLDEN.to_json() | {"request": FULL_REQUEST.hex()},
        GOLDEN.to_json() | {"echo": DATA.hex()},
        GOLDEN.to_json() | {"echo": GOLDEN.echo.replace(b"\x30\0\0\0\x10", b"\x20\0\0\0\x10").hex()},
        GOLDEN.to_json() | {"echo": GOLDEN.echo.replace(b"\0\x08\2\0\0\0\1\1", b"\0\x08\2\0\0\0\0\0").hex()},
        GOLDEN.to_json() | {"echo": GOLDEN.echo.replace(b"\1\3", b"\1\1").hex()},
    ],
)
def test_wrong_json(value: object) -> None:
    """A plan without exactly five whole PDUs of the right types is refused."""
    with pytest.raises(InputError):
        Outgoing.from_json(value, where="plan.json: outgoing")


@pytest.mark.parametrize("title", ["", " ", "A" * 17, "A\\B", "Ä", "A\n", " A"])
def test_wrong_title(title: str) -> None:
    """An invalid AE title is refused before it is encoded."""
    with pytest.raises(InputError):
        encode(calling_ae=title, class_uid=class_uid(URL))
