"""Run a conversation again over stored bytes, so that a better parser can judge what an old sweep received.

Only what follows from the bytes is judged again. Times, who closed the connection and why it broke are facts of the old
socket and stay as recorded.
"""

from collections.abc import Iterator
from typing import Any

from pipeline.associate.conversation import Conversation
from pipeline.outcome import CloseKind, Surprise
from pipeline.record.visit import Visit
from pipeline.wire.outgoing import Outgoing
from pipeline.wire.pdu import Frame, frame

#: Columns of `associations` that follow from the bytes; `schemas/reparsed.toml` has the same list.
PARSED_COLUMNS = (
    "outcome", "grade", "protocol_version", "called_ae_echoed", "calling_ae_echoed", "called_ae_raw",
    "calling_ae_raw", "application_context", "contexts", "contexts_in_order", "max_pdu", "implementation_class_uid",
    "implementation_version_name", "async_invoked", "async_performed", "roles", "extended_negotiation",
    "user_identity_response", "item_order", "unknown_items", "rj_result", "rj_source", "rj_reason", "abort_source",
    "abort_reason", "echo_status", "echo_elements", "released", "pdu_types", "parser_version", "parse_warnings",
)  # fmt: skip


def replay(outgoing: Outgoing, row: dict[str, Any]) -> Visit:
    """Judge the conversation of a row of `associations` by today's parser.

    The row does not say how the bytes were segmented. So each PDU is replayed on its own, except where the old parser
    recorded `early_bytes`: that warning is about timing, and remains.
    """
    conversation = Conversation(outgoing, echo=row["echo_sent"], ip=row["ip"], port=row["port"], started_at_us=0)
    conversation.connected(0)
    early = Surprise.EARLY_BYTES in (row["parse_warnings"] or ())
    for piece in [row["raw"]] if early else _pieces(row["raw"]):
        conversation.received(piece, 0)
    _end(conversation, row["close_kind"])
    return conversation.visit()


def _pieces(raw: bytes) -> Iterator[bytes]:
    """Cut a stream into its PDUs, and the rest that is not a PDU."""
    while isinstance(cut := frame(raw), Frame):
        yield raw[: cut.size]
        raw = raw[cut.size :]
    if raw:
        yield raw


def _end(conversation: Conversation, kind: str) -> None:
    """End a conversation that is still open in the way that the row records."""
    if conversation.finished:
        return
    match kind:
        case CloseKind.PEER_FIN:
            conversation.peer_closed(0)
        case CloseKind.PEER_RST:
            conversation.peer_reset(0)
        case _:
            conversation.deadline(0)
