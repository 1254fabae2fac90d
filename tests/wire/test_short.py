"""The PDUs of four bytes: every combination of their fields."""

import itertools

import pytest
from pynetdicom import pdu

from pipeline.wire.fields import Abort, Reject
from pipeline.wire.short import ABORTS, REJECTIONS, RESULTS, read_abort, read_reject


def named_by_pynetdicom(body: bytes) -> bool:
    """Whether pynetdicom knows the meaning of a rejection."""
    reject = pdu.A_ASSOCIATE_RJ()
    reject.decode(b"\3\0\0\0\0\4" + body)
    try:
        return not any("eserved" in text for text in (reject.result_str, reject.source_str, reject.reason_str))
    except (ValueError, KeyError):
        return False


@pytest.mark.parametrize("result", range(5))
def test_every_rejection(result: int) -> None:
    """Each rejection is read as sent, with a warning exactly if pynetdicom does not know it or calls it reserved."""
    for source, reason in itertools.product(range(6), range(12)):
        body = bytes([0xFF, result, source, reason])
        reject = read_reject(body)
        assert (reject.result, reject.source, reject.reason) == (result, source, reason)
        assert bool(reject.warnings) == (not named_by_pynetdicom(body))


def test_every_abort() -> None:
    """Each abort is read as sent; the listed aborts are sound."""
    sound = {(source, reason) for source in range(256) for reason in range(256) if not warned(source, reason)}
    assert sound == {(0, 0), *((2, reason) for reason in ABORTS)}


def warned(source: int, reason: int) -> bool:
    """Whether an abort with these fields gets a warning."""
    abort = read_abort(bytes([0xFF, 0xFF, source, reason]))
    assert (abort.source, abort.reason) == (source, reason)
    return bool(abort.warnings)


def test_tables() -> None:
    """The tables have the entries of the standard: two results, eight rejections, six aborts by the provider."""
    assert (len(RESULTS), len(REJECTIONS), len(ABORTS)) == (2, 8, 6)
    assert (read_reject(b"\0\1\1\7"), read_abort(b"\0\0\2\2")) == (Reject(1, 1, 7), Abort(2, 2))
