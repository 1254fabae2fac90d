"""Fuzz targets: messages that come over a network and are not DICOM's: an associator's or a worker's, and a name server's."""

from contextlib import suppress

import dns.exception
import dns.message
import dns.rdatatype
import msgspec
import pyarrow as pa

from fuzz.target import Target
from pipeline.record.receipt import VisitCounts
from pipeline.reverse_dns import answer
from pipeline.transport import channel, foreign, messages

RANGE = {"shard": 1, "number": 2}
SENT = (
    messages.Hello(shard=0, number=0, plan_digest="a", code_version="b"),
    messages.Cooled(**RANGE, attempt=1, complete=True, visits=VisitCounts(connects=2)),
    messages.Progress(**RANGE, stage="associator-a", counts={"reset": 3}),
    messages.Failed(**RANGE, reason="why", exit_code=1),
    messages.Shutdown(shard=0, number=0),
)


def foreign_message(data: bytes) -> None:
    """Decode a message of another machine: the first two bytes give the length of its first frame; rows take no more than they say."""
    size, rest = int.from_bytes(data[:2], "big"), data[2:]
    frames = [rest[:size], rest[size:]] if len(rest) > size else [rest]
    with suppress(foreign.MalformedMessage):
        message, rows = foreign.decode(frames)
        assert isinstance(message, messages.Message)
        assert rows is None or rows.nbytes <= len(frames[1])


def dns_message(data: bytes) -> None:
    """Read a name server's answer: a few host names, and addresses; nothing else."""
    try:
        message = dns.message.from_wire(data, raise_on_truncation=True)
        answer.has_answer(message)
    except dns.exception.DNSException:
        return
    for read in (answer.pointers, answer.addresses):
        with suppress(dns.exception.DNSException):
            found = read(message)
            assert not isinstance(found, answer.Pointers) or len(found.names) <= answer.MOST_NAMES


def _messages() -> list[bytes]:
    rows = pa.RecordBatch.from_pydict({"ip": pa.array([1], pa.uint32()), "port": pa.array([104], pa.uint16())})
    header = msgspec.json.encode(messages.Rows(**RANGE, attempt=1, table="responses"))
    encoded = [msgspec.json.encode(message) for message in SENT]
    alone = [len(first).to_bytes(2, "big") + first for first in encoded]
    return [*alone, len(header).to_bytes(2, "big") + header + channel.encode_rows(rows)]


def _answers() -> list[bytes]:
    query = dns.message.make_query("7.2.0.192.in-addr.arpa", dns.rdatatype.PTR)
    response = dns.message.make_response(query)
    response.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "PTR", "a.example.", "b.example."))
    forward = dns.message.make_response(dns.message.make_query("a.example", dns.rdatatype.A))
    forward.answer.append(dns.rrset.from_text("a.example.", 60, "IN", "A", "192.0.2.7"))
    return [response.to_wire(), forward.to_wire()]


TARGETS: dict[str, Target] = {
    "message": Target(foreign_message, (foreign.decode,), _messages),
    "dns": Target(dns_message, (answer.has_answer, answer.pointers, answer.addresses), _answers),
}
