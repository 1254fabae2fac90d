"""The behaviours of simulated hosts, one row each. An answer depends on the request and on the host's variant.

The bytes are those of `hostile` and `decoys`, so that simulated and real peers answer alike.
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
    """A segment of an answer: its offset and bytes, whether a FIN follows them, and after how many seconds it is sent."""

    offset: int
    data: bytes
    fin: bool = False
    after: float = 0.0


Answer = tuple[bytes, bool]
"""Bytes, and whether the host closes after them."""
Answering = Callable[[bytes, int], Answer]
Cutting = Callable[[bytes, bool, int], list[Piece]]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A host's behaviour and the outcome that a visitor gets. A host that does not `open` answers a SYN with a reset."""

    outcome: Outcome | None
    answer: Answering | None = None
    cut: Cutting = lambda data, fin, _: [Piece(0, data, fin)]
    opens: bool = True
    window: int = 64240
    acknowledges: bool = True
    """Acknowledges data."""
    resets: bool = False
    """Resets the connection once it has data."""
    variants: int = 1
    """How many variants of such hosts there are."""
    fragile: bool = False
    """Is gone for good after its first established connection."""
    max_lifetime: float = 0.0
    """Is gone for good after a lifetime of up to this many seconds; 0: never."""
    fault: Literal["", "checksum", "acknowledgement"] = ""
    """A fault of its SYN-ACK."""


def converse(request: bytes, _: int) -> Answer:
    """Accept, answer the C-ECHO, release and close."""
    accept, echo, release = answers(request)
    return {ASSOCIATE_RQ: (accept, False), DATA: (echo, False), RELEASE_RQ: (release, True)}.get(
        request[0], (b"", False)
    )


def reject(request: bytes, variant: int) -> Answer:
    """Reject an association, and close."""
    if request[0] != ASSOCIATE_RQ:
        return b"", False
    return bytes.fromhex("030000000004 00") + bytes(REJECTIONS[variant % len(REJECTIONS)]), True


def reject_and_abort(request: bytes, variant: int) -> Answer:
    """Reject an association and abort it, in one answer."""
    rejection, fin = reject(request, variant)
    return (rejection + ABORT if rejection else b""), fin


def always(reply: bytes, *, fin: bool) -> Answering:
    """Make a host that gives the same answer to every request."""
    return lambda _request, _variant: (reply, fin)


def split(data: bytes, fin: bool, variant: int) -> list[Piece]:
    """Two segments; the variant decides where to cut."""
    at = 1 + variant % max(1, len(data) - 1)
    return [Piece(0, data[:at]), Piece(at, data[at:], fin)]


def twice(data: bytes, fin: bool, _: int) -> list[Piece]:
    """Each segment twice."""
    return [Piece(0, data, fin), Piece(0, data, fin)]


def swapped(data: bytes, fin: bool, variant: int) -> list[Piece]:
    """The second segment before the first."""
    return split(data, fin, variant)[::-1]


def slowly(data: bytes, fin: bool, _: int) -> list[Piece]:
    """One byte per second."""
    return [Piece(at, data[at : at + 1], fin and at == len(data) - 1, at * BYTE_SECONDS) for at in range(len(data))]


#: Variants of hosts that cut their answers; no answer has more bytes.
CUT_VARIANTS = 256

BEHAVIOURS: dict[Name, Behaviour] = {
    "accepts": Behaviour(Outcome.ECHOED, converse),
    "split": Behaviour(Outcome.ECHOED, converse, split, variants=CUT_VARIANTS),
    "twice": Behaviour(Outcome.ECHOED, converse, twice),
    "swapped": Behaviour(Outcome.ECHOED, converse, swapped, variants=CUT_VARIANTS),
    "rejects": Behaviour(Outcome.REJECTED, reject, variants=len(REJECTIONS)),
    "rejects-and-aborts": Behaviour(Outcome.REJECTED, reject_and_abort, variants=len(REJECTIONS)),
    "aborts": Behaviour(Outcome.ABORTED, always(ABORT, fin=True)),
    "http": Behaviour(Outcome.NOT_DICOM, always(BAD_REQUEST, fin=True)),
    "ssh": Behaviour(Outcome.NOT_DICOM, always(BANNER, fin=False)),
    "tls": Behaviour(Outcome.TLS, always(ALERT, fin=True)),
    "silent": Behaviour(Outcome.SILENT),
    "deaf": Behaviour(Outcome.UNACKNOWLEDGED, acknowledges=False),
    "shut": Behaviour(Outcome.ZERO_WINDOW, window=0, acknowledges=False),
    "resets": Behaviour(Outcome.RESET, resets=True),
    "closes": Behaviour(Outcome.CLOSED, always(b"", fin=True)),
    "slow": Behaviour(Outcome.MALFORMED, converse, slowly),
    "fragile": Behaviour(Outcome.ECHOED, converse, fragile=True),
    "mortal": Behaviour(Outcome.ECHOED, converse, max_lifetime=120.0),
    "refuses": Behaviour(None, opens=False),
    "wrong-checksum": Behaviour(None, fault="checksum"),
    "wrong-acknowledgement": Behaviour(None, fault="acknowledgement"),
}
