"""How simulated hosts behave: one row a behaviour. What they say depends on what they were told and on a draw of the host's.

The bytes are those of `hostile` and `decoys`, so that simulated and served peers say the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from pipeline.outcome import Outcome
from pipeline.testbed.decoys import ALERT, BAD_REQUEST, BANNER
from pipeline.testbed.hostile import BYTE_SECONDS, answers

Name = Literal[
    "accepts", "split", "twice", "swapped", "rejects", "rejects-and-aborts", "aborts", "http", "ssh", "tls", "silent",
    "deaf", "shut", "resets", "closes", "slow", "fragile", "mortal", "refuses", "wrong-checksum", "wrong-acknowledgement",
]  # fmt: skip
NAMES: tuple[Name, ...] = get_args(Name)

ASSOCIATE_RQ, DATA, RELEASE_RQ = 1, 4, 5
#: Result, source and reason of rejections (PS3.8 table 9-21).
REJECTIONS = tuple(
    (result, source, reason)
    for result in (1, 2)
    for source, reasons in ((1, (1, 2, 3, 7)), (2, (1, 2)), (3, (1, 2)))
    for reason in reasons
)
ABORT = bytes.fromhex("07000000000400000200")


class Piece(NamedTuple):
    """A segment of an answer: where in it these bytes stand, whether the peer's end follows them, and when it is sent."""

    offset: int
    data: bytes
    fin: bool = False
    after: float = 0.0


Answer = tuple[bytes, bool]
"""Bytes, and whether the peer closes after them."""
Answering = Callable[[bytes, int], Answer]
Cutting = Callable[[bytes, bool, int], list[Piece]]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a visitor finds, and how the host brings it about. A host that does not `open` answers a SYN with a reset."""

    outcome: Outcome | None
    answer: Answering | None = None
    cut: Cutting = lambda data, fin, _: [Piece(0, data, fin)]
    opens: bool = True
    window: int = 64240
    takes: bool = True
    """Acknowledges what it is sent."""
    resets: bool = False
    """Resets once there is data."""
    draws: int = 1
    """How many different hosts of this kind there are: a draw is below it."""
    fragile: bool = False
    """Is gone for good once a connection that stood is over."""
    lives: float = 0.0
    """Is gone for good some time after the internet began, anything up to so many seconds; 0 is never."""
    wrong: Literal["", "checksum", "acknowledgement"] = ""
    """What is wrong with its SYN-ACK."""


def converse(told: bytes, _: int) -> Answer:
    """A server's part: accept, answer the C-ECHO, release and close."""
    accept, echo, release = answers(told)
    return {ASSOCIATE_RQ: (accept, False), DATA: (echo, False), RELEASE_RQ: (release, True)}.get(told[0], (b"", False))


def reject(told: bytes, draw: int) -> Answer:
    """Reject an association, and close."""
    if told[0] != ASSOCIATE_RQ:
        return b"", False
    return bytes.fromhex("030000000004 00") + bytes(REJECTIONS[draw % len(REJECTIONS)]), True


def reject_and_abort(told: bytes, draw: int) -> Answer:
    """Two PDUs at once."""
    rejection, fin = reject(told, draw)
    return (rejection + ABORT if rejection else b""), fin


def always(reply: bytes, *, fin: bool) -> Answering:
    """Say the same to whatever comes."""
    return lambda _told, _draw: (reply, fin)


def split(data: bytes, fin: bool, draw: int) -> list[Piece]:
    """Two segments, cut at any byte."""
    at = 1 + draw % max(1, len(data) - 1)
    return [Piece(0, data[:at]), Piece(at, data[at:], fin)]


def twice(data: bytes, fin: bool, _: int) -> list[Piece]:
    """Each segment two times."""
    return [Piece(0, data, fin), Piece(0, data, fin)]


def swapped(data: bytes, fin: bool, draw: int) -> list[Piece]:
    """The second segment before the first."""
    return split(data, fin, draw)[::-1]


def slowly(data: bytes, fin: bool, _: int) -> list[Piece]:
    """A byte a second."""
    return [Piece(at, data[at : at + 1], fin and at == len(data) - 1, at * BYTE_SECONDS) for at in range(len(data))]


#: Draws of hosts that cut their answers: there are answers of up to so many bytes.
CUTS = 256

BEHAVIOURS: dict[Name, Behaviour] = {
    "accepts": Behaviour(Outcome.ECHOED, converse),
    "split": Behaviour(Outcome.ECHOED, converse, split, draws=CUTS),
    "twice": Behaviour(Outcome.ECHOED, converse, twice),
    "swapped": Behaviour(Outcome.ECHOED, converse, swapped, draws=CUTS),
    "rejects": Behaviour(Outcome.REJECTED, reject, draws=len(REJECTIONS)),
    "rejects-and-aborts": Behaviour(Outcome.REJECTED, reject_and_abort, draws=len(REJECTIONS)),
    "aborts": Behaviour(Outcome.ABORTED, always(ABORT, fin=True)),
    "http": Behaviour(Outcome.NOT_DICOM, always(BAD_REQUEST, fin=True)),
    "ssh": Behaviour(Outcome.NOT_DICOM, always(BANNER, fin=False)),
    "tls": Behaviour(Outcome.TLS, always(ALERT, fin=True)),
    "silent": Behaviour(Outcome.SILENT),
    "deaf": Behaviour(Outcome.UNACKNOWLEDGED, takes=False),
    "shut": Behaviour(Outcome.ZERO_WINDOW, window=0, takes=False),
    "resets": Behaviour(Outcome.RESET, resets=True),
    "closes": Behaviour(Outcome.CLOSED, always(b"", fin=True)),
    "slow": Behaviour(Outcome.MALFORMED, converse, slowly),
    "fragile": Behaviour(Outcome.ECHOED, converse, fragile=True),
    "mortal": Behaviour(Outcome.ECHOED, converse, lives=120.0),
    "refuses": Behaviour(None, opens=False),
    "wrong-checksum": Behaviour(None, wrong="checksum"),
    "wrong-acknowledgement": Behaviour(None, wrong="acknowledgement"),
}
