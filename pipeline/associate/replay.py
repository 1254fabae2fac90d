"""A conversation held again over the bytes that were kept, so that a better parser can judge what an old sweep heard.

The wire does not change, and neither do times, who closed and why a connection broke: those are what the socket said then.
What follows from the bytes is judged anew.
"""

from collections.abc import Iterator
from typing import Any

from pipeline.associate.conversation import Conversation
from pipeline.outcome import CloseKind, Surprise
from pipeline.record.visit import Visit
from pipeline.wire.outgoing import Outgoing
from pipeline.wire.pdu import Frame, frame

#: Columns of `associations` that follow from the bytes; `schemas/reparsed.toml` lists the same.
PARSED = (
    "outcome", "grade", "protocol_version", "called_ae_echoed", "calling_ae_echoed", "called_ae_raw",
    "application_context", "contexts", "contexts_in_order", "max_pdu", "implementation_class_uid",
    "implementation_version_name", "async_invoked", "async_performed", "roles", "extended_negotiation",
    "user_identity_response", "item_order", "unknown_items", "rj_result", "rj_source", "rj_reason", "abort_source",
    "abort_reason", "echo_status", "echo_elements", "released", "pdu_types", "parser_version", "parse_warnings",
)  # fmt: skip


def replay(outgoing: Outgoing, row: dict[str, Any]) -> Visit:
    """What the conversation of a row of `associations` would be judged to be now.

    Segments are lost: each PDU is heard on its own, and what the old parser noted about their timing (`early_bytes`) stands.
    """
    talk = Conversation(outgoing, echo=row["echo_sent"], ip=row["ip"], port=row["port"], started_at_us=0)
    talk.connected(0)
    early = Surprise.EARLY_BYTES in (row["parse_warnings"] or ())
    for piece in [row["raw"]] if early else _pieces(row["raw"]):
        talk.received(piece, 0)
    _end(talk, row["close_kind"])
    return talk.visit()


def _pieces(raw: bytes) -> Iterator[bytes]:
    """The PDUs of a stream, and what is none."""
    while isinstance(whole := frame(raw), Frame):
        yield raw[: whole.size]
        raw = raw[whole.size :]
    if raw:
        yield raw


def _end(talk: Conversation, kind: str) -> None:
    """End a conversation that is still open as it ended then."""
    if talk.finished:
        return
    match kind:
        case CloseKind.PEER_FIN:
            talk.peer_closed(0)
        case CloseKind.PEER_RST:
            talk.peer_reset(0)
        case _:
            talk.deadline(0)
