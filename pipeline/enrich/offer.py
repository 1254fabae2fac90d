"""The offer in our own request, with which answers are compared."""

from dataclasses import dataclass

from pipeline.wire.fields import Request
from pipeline.wire.pdu import HEADER, Frame, decode


@dataclass(frozen=True, slots=True)
class Offer:
    """The proposals of an A-ASSOCIATE-RQ (transfer syntaxes by context id, in order) and its declared identity."""

    contexts: dict[int, tuple[str, ...]]
    application_context: str | None = None
    max_pdu: int | None = None
    class_uid: str | None = None
    version_name: str | None = None


def offer(request: bytes) -> Offer:
    """Read the offer back from a plan's A-ASSOCIATE-RQ (PS3.8 §9.3.2); empty for other bytes."""
    decoded = decode(Frame(request[0], request[HEADER:])) if request else None
    if not isinstance(decoded, Request):
        return Offer({})
    return Offer(
        contexts={context.id: context.transfer_syntaxes for context in decoded.contexts},
        application_context=decoded.application_context,
        max_pdu=decoded.max_pdu,
        class_uid=decoded.implementation_class_uid,
        version_name=decoded.implementation_version_name,
    )
