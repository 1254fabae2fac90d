"""What the PDUs of a conversation say, as columns of the record."""

from typing import Any

from pipeline.outcome import ACCEPTS_ASSOCIATION, Grade, Outcome
from pipeline.record.visit import NegotiatedContext
from pipeline.wire.outgoing import Outgoing
from pipeline.wire.pdu import Abort, Accept, EchoReply, Reject
from pipeline.wire.warning import ParseWarning

Facts = dict[str, Any]


def of_accept(pdu: Accept, outgoing: Outgoing) -> Facts:
    """The columns of an A-ASSOCIATE-AC; what it has no item for is left out."""
    called = same_title(pdu.called_ae, outgoing.called_ae)
    found: Facts = {
        "protocol_version": pdu.protocol_version,
        "called_ae_echoed": called,
        "calling_ae_echoed": same_title(pdu.calling_ae, outgoing.calling_ae),
        "application_context": pdu.application_context,
        "contexts": _negotiated(pdu, outgoing),
        "contexts_in_order": _ascending(pdu),
        "max_pdu": pdu.max_pdu,
        "implementation_class_uid": pdu.implementation_class_uid,
        "implementation_version_name": pdu.implementation_version_name,
        "item_order": pdu.item_order,
    }
    if not called:
        found["called_ae_raw"] = pdu.called_ae
    if window := pdu.asynchronous_operations_window:
        found |= {"async_invoked": window.invoked, "async_performed": window.performed}
    for name in ("roles", "extended_negotiation", "unknown_items"):
        if items := getattr(pdu, name):
            found[name] = items
    if pdu.user_identity_response is not None:
        found["user_identity_response"] = pdu.user_identity_response
    return found


def _negotiated(pdu: Accept, outgoing: Outgoing) -> tuple[NegotiatedContext, ...]:
    """The presentation contexts as answered: an A-ASSOCIATE-AC does not repeat what was proposed in them."""
    proposed = outgoing.proposed
    return tuple(
        NegotiatedContext(context.id, proposed.get(context.id), context.result, context.transfer_syntax)
        for context in pdu.contexts
    )


def of_reject(pdu: Reject) -> Facts:
    """The three bytes of an A-ASSOCIATE-RJ."""
    return {"rj_result": pdu.result, "rj_source": pdu.source, "rj_reason": pdu.reason}


def of_abort(pdu: Abort) -> Facts:
    """The two bytes of an A-ABORT."""
    return {"abort_source": pdu.source, "abort_reason": pdu.reason}


def of_echo(reply: EchoReply) -> Facts:
    """The columns of a C-ECHO response."""
    return {"echo_status": reply.status, "echo_elements": reply.elements}


def grade(outcome: Outcome, warnings: list[str]) -> Grade | None:
    """How surely the answer is DICOM's; None where it is not."""
    if outcome in ACCEPTS_ASSOCIATION:
        return Grade.CERTAIN
    match outcome:
        case Outcome.REJECTED:
            return Grade.LIKELY if ParseWarning.REJECTION_RESERVED in warnings else Grade.CERTAIN
        case Outcome.ABORTED:
            return Grade.LIKELY
        case Outcome.MALFORMED:
            return Grade.DOUBTFUL
        case _:
            return None


def same_title(answered: bytes, sent: bytes) -> bool:
    """Compare AE titles, in which leading and trailing spaces mean nothing (PS3.5 §6.2); some pad with NUL."""
    return answered == sent or answered.strip(b" \0") == sent.strip(b" \0")


def _ascending(pdu: Accept) -> bool:
    """Whether the presentation contexts come in the order of their ids, as ours did."""
    ids = [context.id for context in pdu.contexts]
    return ids == sorted(ids)
