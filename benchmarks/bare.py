"""The least that a full visit takes in Python: one epoll loop that connects, sends, receives and closes, and judges nothing.

No client in Python can be faster on the machine at hand: what `benchmarks.visits` prints of it is the kernel's share and
the peer's. It reads no field and keeps no deadline.
"""

import select
import socket
from dataclasses import dataclass

from pipeline.guard import sockets
from pipeline.wire.outgoing import Outgoing

#: PDU types of the three answers: A-ASSOCIATE-AC, P-DATA-TF, A-RELEASE-RP.
ANSWERS = bytes((2, 4, 6))


@dataclass(slots=True)
class Open:
    """A connection, and how many PDUs were sent over it."""

    socket: socket.socket
    sent: int = 0


def visits(outgoing: Outgoing, port: int, wanted: int, at_once: int) -> int:
    """Make this many visits; how many were made, each with all answers."""
    says = (outgoing.request, outgoing.echo, outgoing.release_request)
    waiting = select.epoll()
    open_: dict[int, Open] = {}
    begun = done = 0
    while done < wanted:
        while begun < wanted and len(open_) < at_once:
            _begin(waiting, open_, port)
            begun += 1
        for number, _ in waiting.poll():
            done += _go_on(waiting, open_, number, says)
    return done


def _begin(waiting: select.epoll, open_: dict[int, Open], port: int) -> None:
    made = sockets.tcp_socket("127.0.0.1")
    made.connect_ex(("127.0.0.1", port))
    open_[made.fileno()] = Open(made)
    waiting.register(made, select.EPOLLOUT)


def _go_on(waiting: select.epoll, open_: dict[int, Open], number: int, says: tuple[bytes, ...]) -> bool:
    """Take the answer to what was sent, if anything was, and send what comes next; true when there is nothing more."""
    visit = open_[number]
    if visit.sent:
        answer = visit.socket.recv(4096)
        if answer[0] != ANSWERS[visit.sent - 1]:
            raise SystemExit("benchmarks: the local peer gave another answer")
    else:
        waiting.modify(number, select.EPOLLIN)
    if visit.sent == len(says):
        open_.pop(number).socket.close()
        return True
    visit.socket.send(says[visit.sent])
    visit.sent += 1
    return False
