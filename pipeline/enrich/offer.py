"""What our own request offered: an answer is judged against it."""

from dataclasses import dataclass

from pipeline.wire.fields import Request
from pipeline.wire.pdu import HEADER, Frame, decode


@dataclass(frozen=True, slots=True)
class Offer:
    """What an A-ASSOCIATE-RQ proposes: transfer syntaxes by context id, in their order, and who it says is asking."""

    contexts: dict[int, tuple[str, ...]]
    application_context: str | None = None
    max_pdu: int | None = None
    class_uid: str | None = None
    version_name: str | None = None


def offer(request: bytes) -> Offer:
    """Read back an A-ASSOCIATE-RQ that a plan holds (PS3.8 §9.3.2); nothing was offered by what is none."""
    asked = decode(Frame(request[0], request[HEADER:])) if request else None
    if not isinstance(asked, Request):
        return Offer({})
    return Offer(
        contexts={context.id: context.transfer_syntaxes for context in asked.contexts},
        application_context=asked.application_context,
        max_pdu=asked.max_pdu,
        class_uid=asked.implementation_class_uid,
        version_name=asked.implementation_version_name,
    )
