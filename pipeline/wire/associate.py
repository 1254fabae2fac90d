"""A-ASSOCIATE-RQ and -AC of any layout (PS3.8 §9.3.2, §9.3.3): as much as can be read, and what is odd about it."""

import struct
from collections.abc import Callable
from typing import Any

from pipeline.wire.fields import Accept, PresentationContext, ProposedContext, Request, UnknownItem
from pipeline.wire.item import ITEMS, Holder, Item, ItemType, place, walk
from pipeline.wire.text import uid
from pipeline.wire.user_information import UserInformation
from pipeline.wire.warning import ParseWarning, once

#: Version, reserved, called and calling AE title, 32 reserved (PS3.8 Tables 9-11 and 9-17).
FIXED = struct.Struct(">H2x16s16s32x")
#: The only application context of the standard (PS3.7 Annex A.2.1).
DICOM_APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
#: Acceptance to transfer syntaxes not supported (PS3.8 Table 9-18).
LAST_RESULT = 4
#: Context id, reserved, result or reserved, reserved (PS3.8 Tables 9-13 and 9-18).
CONTEXT_FIXED = 4

_MISSING = {
    ItemType.APPLICATION_CONTEXT: ParseWarning.APPLICATION_CONTEXT_MISSING,
    ItemType.USER_INFORMATION: ParseWarning.USER_INFORMATION_MISSING,
    ItemType.MAX_PDU: ParseWarning.MAX_PDU_MISSING,
    ItemType.CLASS_UID: ParseWarning.CLASS_UID_MISSING,
}


def read_request(body: bytes) -> Request:
    """Read an A-ASSOCIATE-RQ; its body holds at least the fixed fields."""
    return Request(**_Reader(body, Holder.REQUEST).fields())


def read_accept(body: bytes) -> Accept:
    """Read an A-ASSOCIATE-AC; its body holds at least the fixed fields."""
    return Accept(**_Reader(body, Holder.ACCEPT).fields())


class _Reader:
    """What has been read of one PDU so far."""

    def __init__(self, body: bytes, holder: Holder) -> None:
        self._body = body
        self._holder = holder
        self._user = UserInformation(Holder(holder << 8 | ItemType.USER_INFORMATION))
        self._application_context: str | None = None
        self._contexts: list[PresentationContext | ProposedContext] = []
        self._order: list[int] = []
        self._unknown: list[UnknownItem] = []
        self._seen: set[int] = set()
        self._warnings: list[ParseWarning] = []

    def fields(self) -> dict[str, Any]:
        """Read all, and give field name → value."""
        version, called, calling = FIXED.unpack_from(self._body)
        if not version & 1:
            self._warnings.append(ParseWarning.PROTOCOL_VERSION)
        items, broken = walk(self._body[FIXED.size :])
        for item in items:
            self._take(item)
        self._warnings += broken
        self._judge_whole()
        return {
            "protocol_version": version,
            "called_ae": called,
            "calling_ae": calling,
            "application_context": self._application_context,
            "contexts": tuple(self._contexts),
            "item_order": tuple(self._order),
            "unknown_items": tuple(self._unknown),
            "warnings": once(*self._warnings),
            **self._user.fields(),
        }

    def _take(self, item: Item) -> None:
        """Read one item of the PDU."""
        self._note(item, self._holder)
        read = _ITEM_READERS.get((self._holder, item.type))
        if read is not None:
            read(self, item)
        self._seen.add(item.type)

    def _note(self, item: Item, holder: Holder) -> None:
        """Note an item's type, and whether it may stand here."""
        self._order.append(item.type)
        odd = place(item, holder)
        self._warnings += [] if odd is None else [odd]
        if item.type not in ITEMS:
            self._unknown.append(UnknownItem(item.type, len(item.value)))

    def _once(self, item: Item) -> bool:
        """Whether this is the first item of its type; a second one is odd."""
        again = item.type in self._seen
        self._warnings += [ParseWarning.ITEM_REPEATED] if again else []
        return not again

    def _application(self, item: Item) -> None:
        """Read the application context name (PS3.8 Table 9-12)."""
        if not self._once(item):
            return
        self._application_context, odd = uid(item.value)
        self._warnings += odd
        if self._application_context != DICOM_APPLICATION_CONTEXT:
            self._warnings.append(ParseWarning.APPLICATION_CONTEXT)

    def _information(self, item: Item) -> None:
        """Read the user information (PS3.8 Table 9-16): of a second one, only the types are noted."""
        first = self._once(item)
        items, broken = walk(item.value)
        for part in items:
            self._order.append(part.type)
            self._unknown += [] if part.type in ITEMS else [UnknownItem(part.type, len(part.value))]
            if first:
                self._user.take(part)
        self._warnings += self._user.warnings
        self._warnings += broken

    def _answered(self, item: Item) -> None:
        """Read an answered presentation context: id, result, one transfer syntax (PS3.8 Table 9-18)."""
        parts = self._context_parts(item, Holder.CONTEXT_AC)
        if parts is None:
            return
        syntaxes = [part.value for part in parts if part.type == ItemType.TRANSFER_SYNTAX]
        context_id, result = item.value[0], item.value[2]
        syntax, odd = uid(syntaxes[0]) if syntaxes else ("", (ParseWarning.TRANSFER_SYNTAX_MISSING,))
        # The transfer syntax of a context that was not accepted is not significant (PS3.8 Table 9-18).
        self._warnings += odd if result == 0 else ()
        self._warnings += [ParseWarning.TRANSFER_SYNTAX_REPEATED] if len(syntaxes) > 1 else []
        self._warnings += [ParseWarning.CONTEXT_RESULT] if result > LAST_RESULT else []
        self._keep(PresentationContext(context_id, result, syntax))

    def _proposed(self, item: Item) -> None:
        """Read a proposed presentation context: id, one abstract syntax, transfer syntaxes (PS3.8 Table 9-13)."""
        parts = self._context_parts(item, Holder.CONTEXT_RQ)
        if parts is None:
            return
        abstract = [uid(part.value) for part in parts if part.type == ItemType.ABSTRACT_SYNTAX]
        transfer = [uid(part.value) for part in parts if part.type == ItemType.TRANSFER_SYNTAX]
        self._warnings += (warning for _, odd in (*abstract, *transfer) for warning in odd)
        self._warnings += [ParseWarning.ABSTRACT_SYNTAX] if len(abstract) != 1 else []
        self._warnings += [] if transfer else [ParseWarning.TRANSFER_SYNTAX_MISSING]
        name = abstract[0][0] if abstract else ""
        self._keep(ProposedContext(item.value[0], name, tuple(text for text, _ in transfer)))

    def _context_parts(self, item: Item, holder: Holder) -> list[Item] | None:
        """The sub-items of a presentation context; None where even its fixed fields are cut."""
        if len(item.value) < CONTEXT_FIXED:
            self._warnings.append(ParseWarning.CONTEXT_CUT)
            return None
        parts, broken = walk(item.value[CONTEXT_FIXED:])
        self._warnings += (odd for part in parts if (odd := place(part, holder)))
        self._unknown += (UnknownItem(part.type, len(part.value)) for part in parts if part.type not in ITEMS)
        self._warnings += broken
        return parts

    def _keep(self, context: PresentationContext | ProposedContext) -> None:
        """Keep a presentation context."""
        self._contexts.append(context)

    def _judge_whole(self) -> None:
        """Say what is odd about the presentation contexts together, then what is missing."""
        ids = [context.id for context in self._contexts]
        self._warnings += [ParseWarning.CONTEXT_ID_EVEN] if any(number % 2 == 0 for number in ids) else []
        self._warnings += [ParseWarning.CONTEXT_ID_REPEATED] if len(set(ids)) < len(ids) else []
        wanted = ItemType.CONTEXT_RQ if self._holder is Holder.REQUEST else ItemType.CONTEXT_AC
        seen = self._seen | self._user.seen
        self._warnings += [] if wanted in seen else [ParseWarning.CONTEXT_MISSING]
        self._warnings += (warning for kind, warning in _MISSING.items() if kind not in seen)


_ITEM_READERS: dict[tuple[Holder, int], Callable[[_Reader, Item], None]] = {
    (Holder.REQUEST, ItemType.APPLICATION_CONTEXT): _Reader._application,
    (Holder.REQUEST, ItemType.CONTEXT_RQ): _Reader._proposed,
    (Holder.REQUEST, ItemType.USER_INFORMATION): _Reader._information,
    (Holder.ACCEPT, ItemType.APPLICATION_CONTEXT): _Reader._application,
    (Holder.ACCEPT, ItemType.CONTEXT_AC): _Reader._answered,
    (Holder.ACCEPT, ItemType.USER_INFORMATION): _Reader._information,
}
