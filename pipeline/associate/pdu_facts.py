"""The fields of a conversation's PDUs as columns of the record."""

from typing import Any

from pipeline.outcome import ACCEPTS_ASSOCIATION, Grade, Outcome
from pipeline.record.visit import NegotiatedContext
from pipeline.wire.outgoing import Outgoing
from pipeline.wire.pdu import Abort, Accept, EchoReply, Reject
from pipeline.wire.warning import ParseWarning

Facts = dict[str, Any]


def accept_facts(pdu: Accept, outgoing: Outgoing) -> Facts:
    """The columns of an A-ASSOCIATE-AC, without those that it has no item for."""
    called = same_title(pdu.called_ae, outgoing.called_ae)
    calling = same_title(pdu.calling_ae, outgoing.calling_ae)
    facts: Facts = {
        "protocol_version": pdu.protocol_version,
        "called_ae_echoed": called,
        "calling_ae_echoed": calling,
        "application_context": pdu.application_context,
        "contexts": _negotiated(pdu, outgoing),
        "contexts_in_order": _ascending(pdu),
        "max_pdu": pdu.max_pdu,
        "implementation_class_uid": pdu.implementation_class_uid,
        "implementation_version_name": pdu.implementation_version_name,
        "item_order": pdu.item_order,
    }
    if not called:
        facts["called_ae_raw"] = pdu.called_ae
    if not calling:
        facts["calling_ae_raw"] = pdu.calling_ae
    if window := pdu.asynchronous_operations_window:
        facts |= {"async_invoked": window.invoked, "async_performed": window.performed}
    for name in ("roles", "extended_negotiation", "unknown_items"):
        if items := getattr(pdu, name):
            facts[name] = items
    if pdu.user_identity_response is not None:
        facts["user_identity_response"] = pdu.user_identity_response
    return facts


def _negotiated(pdu: Accept, outgoing: Outgoing) -> tuple[NegotiatedContext, ...]:
    """The answered presentation contexts with what we proposed in each, which an A-ASSOCIATE-AC does not repeat."""
    proposed = outgoing.proposed
    return tuple(
        NegotiatedContext(context.id, proposed.get(context.id), context.result, context.transfer_syntax)
        for context in pdu.contexts
    )


def reject_facts(pdu: Reject) -> Facts:
    """The three bytes of an A-ASSOCIATE-RJ."""
    return {"rj_result": pdu.result, "rj_source": pdu.source, "rj_reason": pdu.reason}


def abort_facts(pdu: Abort) -> Facts:
    """The two bytes of an A-ABORT."""
    return {"abort_source": pdu.source, "abort_reason": pdu.reason}


def echo_facts(reply: EchoReply) -> Facts:
    """The columns of a C-ECHO response."""
    return {"echo_status": reply.status, "echo_elements": reply.elements}


def grade(outcome: Outcome, warnings: list[str]) -> Grade | None:
    """How certain it is that the answer is DICOM; None where it is not."""
    if outcome in ACCEPTS_ASSOCIATION:
        return Grade.LIKELY if ParseWarning.CONTEXT_MISSING in warnings else Grade.CERTAIN
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
    """Compare AE titles without leading and trailing spaces (PS3.5 §6.2), or the NULs that some servers pad with."""
    return answered == sent or answered.strip(b" \0") == sent.strip(b" \0")


def _ascending(pdu: Accept) -> bool:
    """Whether the presentation contexts are in the order of their ids, as in our request."""
    ids = [context.id for context in pdu.contexts]
    return ids == sorted(ids)
