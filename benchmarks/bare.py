"""The minimum of a full visit in Python: one epoll loop that connects, sends, receives and closes, without evaluation.

No client in Python can be faster on the same machine: the time that `benchmarks.visits` prints for this loop is that of kernel
and peer. The loop decodes no field and has no deadline.
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
    """A connection, and the number of PDUs that were sent over it."""

    socket: socket.socket
    sent: int = 0


def visits(outgoing: Outgoing, port: int, count: int, at_once: int) -> int:
    """Make this many visits; return the number of completed visits."""
    pdus = (outgoing.request, outgoing.echo, outgoing.release_request)
    epoll = select.epoll()
    open_: dict[int, Open] = {}
    started = done = 0
    while done < count:
        while started < count and len(open_) < at_once:
            _begin(epoll, open_, port)
            started += 1
        for fd, _ in epoll.poll():
            done += _continue(epoll, open_, fd, pdus)
    return done


def _begin(epoll: select.epoll, open_: dict[int, Open], port: int) -> None:
    connection = sockets.tcp_socket("127.0.0.1")
    connection.connect_ex(("127.0.0.1", port))
    open_[connection.fileno()] = Open(connection)
    epoll.register(connection, select.EPOLLOUT)


def _continue(epoll: select.epoll, open_: dict[int, Open], fd: int, pdus: tuple[bytes, ...]) -> bool:
    """Read the answer to the last PDU, if one was sent, and send the next PDU; return whether the visit is complete."""
    visit = open_[fd]
    if visit.sent:
        answer = visit.socket.recv(4096)
        if answer[0] != ANSWERS[visit.sent - 1]:
            raise SystemExit("benchmarks: the local peer gave another answer")
    else:
        epoll.modify(fd, select.EPOLLIN)
    if visit.sent == len(pdus):
        open_.pop(fd).socket.close()
        return True
    visit.socket.send(pdus[visit.sent])
    visit.sent += 1
    return False
