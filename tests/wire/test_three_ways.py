"""All captured PDUs read three ways: by our decoder, by pynetdicom and by scapy, none of which shares code with another."""

import logging
from collections.abc import Iterator

import pytest

from pipeline.wire.pdu import Frame, decode, frame
from pipeline.wire.warning import Verdict
from tests.captures import FIXTURES, of_case, packets
from tests.wire import oracle
from tests.wire.reference import Row
from tests.wire.rows import RECEIVED, row

pytestmark = pytest.mark.filterwarnings("ignore:.*[Ii]nvalid value for VR UI")
#: A C-ECHO-RSP without its affected SOP class UID. Scapy reads the elements of a command by their place, not by their tag, so
#: each value is taken for that of the element before it.
WITHOUT_SOP_CLASS = {data for kind, data in of_case("01")["honeypot-dicompot"] if kind == "recv" and data[0] == 4}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep pynetdicom from logging each byte that it cannot read."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def sent() -> set[bytes]:
    """The sound PDUs that were sent to captured servers, without commands: those are our requests."""
    whole = {
        data for fixture in FIXTURES for kind, data in packets(fixture) if kind == "send" and data[0] in (1, 5, 6, 7)
    }
    cut = {data: frame(data) for data in whole}
    return {
        data
        for data, part in cut.items()
        if isinstance(part, Frame) and part.size == len(data) and decode(part).verdict is Verdict.SOUND
    }


def titled(fields: Row, padding: str) -> Row:
    """A row with its AE titles without padding."""
    return fields | {name: fields[name].strip(padding) for name in ("called_ae", "calling_ae") if name in fields}


def badly_titled(fields: Row) -> bool:
    """Whether an AE title is blank, or has control characters."""
    titles = [fields.get(name, "x") for name in ("called_ae", "calling_ae")]
    return any(not title.strip() or not title.isprintable() for title in titles)


def without_places(fields: Row) -> Row:
    """A row without the numbers of a command's elements, which scapy does not give."""
    return {name: value for name, value in fields.items() if name != "elements"}


def test_pynetdicom_reads_the_same() -> None:
    """What pynetdicom reads, we read alike; what it refuses is not sound to us, or is a request with a forbidden AE title.

    The standard forbids blank titles and control characters in them (PS3.5 §6.2). Our decoder keeps titles as they are.
    """
    for data in sorted({*RECEIVED, *sent()}):
        theirs = oracle.read(data)
        if theirs is None:
            assert decode(Frame(data[0], data[6:])).verdict is not Verdict.SOUND or badly_titled(row(data)), data.hex()
        else:
            assert titled(row(data), " ") == titled(theirs, " "), data.hex()


def test_scapy_reads_the_same() -> None:
    """Scapy reads each captured PDU as we do, but for a response that lacks an element, and a user identity with one field.

    The second field's length follows also if there is no second field (PS3.7 Table D.3-14); scapy leaves it over.
    """
    from tests.wire import scapy_oracle  # 0.8 s of CPU, in every process that collects tests

    read = {data: scapy_oracle.read(data) for data in {*RECEIVED, *sent()}}
    ours = {data: without_places(titled(row(data), " \0")) for data in read}
    differ = {data for data, theirs in read.items() if theirs != ours[data]}
    one_field = {data for data in read if ours[data].get("user_identity", [2])[0] != 2}
    assert one_field and differ == WITHOUT_SOP_CLASS | one_field
    assert {data for data, theirs in read.items() if theirs is None} == one_field
    (data,) = WITHOUT_SOP_CLASS
    assert row(data)["elements"] == [0x0000, 0x0100, 0x0120, 0x0800, 0x0900]


def test_all_kinds_are_compared() -> None:
    """PDUs of all seven types are among those compared."""
    assert {data[0] for data in {*RECEIVED, *sent()}} == {1, 2, 3, 4, 5, 6, 7}
