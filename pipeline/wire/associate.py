"""A-ASSOCIATE-RQ and -AC of any layout (PS3.8 §9.3.2, §9.3.3): all fields that can be read, and warnings."""

import struct
from collections.abc import Callable
from typing import Any

from pipeline.wire.fields import Accept, PresentationContext, ProposedContext, Request, UnknownItem
from pipeline.wire.item import ITEMS, Container, Item, ItemType, placement_warning, read_items
from pipeline.wire.text import uid
from pipeline.wire.user_information import UserInformation
from pipeline.wire.warning import ParseWarning, distinct

#: Version, reserved, called and calling AE title, 32 reserved (PS3.8 Tables 9-11 and 9-17).
FIXED = struct.Struct(">H2x16s16s32x")
#: The only application context of the standard (PS3.7 Annex A.2.1).
DICOM_APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
#: Results of a presentation context: 0, acceptance, to 4, transfer syntaxes not supported (PS3.8 Table 9-18).
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
    """Read an A-ASSOCIATE-RQ; `body` has at least the fixed fields."""
    return Request(**_Reader(body, Container.REQUEST).fields())


def read_accept(body: bytes) -> Accept:
    """Read an A-ASSOCIATE-AC; `body` has at least the fixed fields."""
    return Accept(**_Reader(body, Container.ACCEPT).fields())


class _Reader:
    """Reads one PDU, item by item."""

    def __init__(self, body: bytes, container: Container) -> None:
        self._body = body
        self._container = container
        self._user = UserInformation(Container(container << 8 | ItemType.USER_INFORMATION))
        self._application_context: str | None = None
        self._contexts: list[PresentationContext | ProposedContext] = []
        self._order: list[int] = []
        self._unknown: list[UnknownItem] = []
        self._seen: set[int] = set()
        self._warnings: list[ParseWarning] = []

    def fields(self) -> dict[str, Any]:
        """Read the whole PDU; return field name → value."""
        version, called, calling = FIXED.unpack_from(self._body)
        if not version & 1:
            self._warnings.append(ParseWarning.PROTOCOL_VERSION)
        items, cut_warnings = read_items(self._body[FIXED.size :])
        for item in items:
            self._read_item(item)
        self._warnings += cut_warnings
        self._warn_of_whole()
        return {
            "protocol_version": version,
            "called_ae": called,
            "calling_ae": calling,
            "application_context": self._application_context,
            "contexts": tuple(self._contexts),
            "item_order": tuple(self._order),
            "unknown_items": tuple(self._unknown),
            "warnings": distinct(*self._warnings),
            **self._user.fields(),
        }

    def _read_item(self, item: Item) -> None:
        """Read one item of the PDU."""
        self._record_type(item, self._container)
        read = _ITEM_READERS.get((self._container, item.type))
        if read is not None:
            read(self, item)
        self._seen.add(item.type)

    def _record_type(self, item: Item, container: Container) -> None:
        """Record an item's type, and a warning if it is unknown or not allowed here."""
        self._order.append(item.type)
        warning = placement_warning(item, container)
        self._warnings += [] if warning is None else [warning]
        if item.type not in ITEMS:
            self._unknown.append(UnknownItem(item.type, len(item.value)))

    def _is_first(self, item: Item) -> bool:
        """Whether this is the first item of its type; a repetition gets a warning."""
        repeated = item.type in self._seen
        self._warnings += [ParseWarning.ITEM_REPEATED] if repeated else []
        return not repeated

    def _read_application_context(self, item: Item) -> None:
        """Read the application context name (PS3.8 Table 9-12)."""
        if not self._is_first(item):
            return
        self._application_context, warnings = uid(item.value)
        self._warnings += warnings
        if self._application_context != DICOM_APPLICATION_CONTEXT:
            self._warnings.append(ParseWarning.APPLICATION_CONTEXT)

    def _read_user_information(self, item: Item) -> None:
        """Read the user information (PS3.8 Table 9-16); of a repetition, only the types are recorded."""
        first = self._is_first(item)
        items, cut_warnings = read_items(item.value)
        for sub_item in items:
            self._order.append(sub_item.type)
            self._unknown += [] if sub_item.type in ITEMS else [UnknownItem(sub_item.type, len(sub_item.value))]
            if first:
                self._user.take(sub_item)
        self._warnings += self._user.warnings
        self._warnings += cut_warnings

    def _read_answered_context(self, item: Item) -> None:
        """Read an answered presentation context: id, result, one transfer syntax (PS3.8 Table 9-18)."""
        sub_items = self._context_sub_items(item, Container.CONTEXT_AC)
        if sub_items is None:
            return
        syntaxes = [sub_item.value for sub_item in sub_items if sub_item.type == ItemType.TRANSFER_SYNTAX]
        context_id, result = item.value[0], item.value[2]
        syntax, warnings = uid(syntaxes[0]) if syntaxes else ("", (ParseWarning.TRANSFER_SYNTAX_MISSING,))
        # The transfer syntax of a context that was not accepted is not significant (PS3.8 Table 9-18).
        self._warnings += warnings if result == 0 else ()
        self._warnings += [ParseWarning.TRANSFER_SYNTAX_REPEATED] if len(syntaxes) > 1 else []
        self._warnings += [ParseWarning.CONTEXT_RESULT] if result > LAST_RESULT else []
        self._add_context(PresentationContext(context_id, result, syntax))

    def _read_proposed_context(self, item: Item) -> None:
        """Read a proposed presentation context: id, one abstract syntax, transfer syntaxes (PS3.8 Table 9-13)."""
        sub_items = self._context_sub_items(item, Container.CONTEXT_RQ)
        if sub_items is None:
            return
        abstract = [uid(sub_item.value) for sub_item in sub_items if sub_item.type == ItemType.ABSTRACT_SYNTAX]
        transfer = [uid(sub_item.value) for sub_item in sub_items if sub_item.type == ItemType.TRANSFER_SYNTAX]
        self._warnings += (warning for _, warnings in (*abstract, *transfer) for warning in warnings)
        self._warnings += [ParseWarning.ABSTRACT_SYNTAX] if len(abstract) != 1 else []
        self._warnings += [] if transfer else [ParseWarning.TRANSFER_SYNTAX_MISSING]
        name = abstract[0][0] if abstract else ""
        self._add_context(ProposedContext(item.value[0], name, tuple(text for text, _ in transfer)))

    def _context_sub_items(self, item: Item, container: Container) -> list[Item] | None:
        """The sub-items of a presentation context; None if even its fixed fields are cut."""
        if len(item.value) < CONTEXT_FIXED:
            self._warnings.append(ParseWarning.CONTEXT_CUT)
            return None
        sub_items, cut_warnings = read_items(item.value[CONTEXT_FIXED:])
        self._warnings += (warning for sub_item in sub_items if (warning := placement_warning(sub_item, container)))
        self._unknown += (
            UnknownItem(sub_item.type, len(sub_item.value)) for sub_item in sub_items if sub_item.type not in ITEMS
        )
        self._warnings += cut_warnings
        return sub_items

    def _add_context(self, context: PresentationContext | ProposedContext) -> None:
        """Add a presentation context."""
        self._contexts.append(context)

    def _warn_of_whole(self) -> None:
        """Add warnings about the presentation contexts together, then about missing items."""
        ids = [context.id for context in self._contexts]
        self._warnings += [ParseWarning.CONTEXT_ID_EVEN] if any(number % 2 == 0 for number in ids) else []
        self._warnings += [ParseWarning.CONTEXT_ID_REPEATED] if len(set(ids)) < len(ids) else []
        expected = ItemType.CONTEXT_RQ if self._container is Container.REQUEST else ItemType.CONTEXT_AC
        seen = self._seen | self._user.seen
        self._warnings += [] if expected in seen else [ParseWarning.CONTEXT_MISSING]
        self._warnings += (warning for kind, warning in _MISSING.items() if kind not in seen)


_ITEM_READERS: dict[tuple[Container, int], Callable[[_Reader, Item], None]] = {
    (Container.REQUEST, ItemType.APPLICATION_CONTEXT): _Reader._read_application_context,
    (Container.REQUEST, ItemType.CONTEXT_RQ): _Reader._read_proposed_context,
    (Container.REQUEST, ItemType.USER_INFORMATION): _Reader._read_user_information,
    (Container.ACCEPT, ItemType.APPLICATION_CONTEXT): _Reader._read_application_context,
    (Container.ACCEPT, ItemType.CONTEXT_AC): _Reader._read_answered_context,
    (Container.ACCEPT, ItemType.USER_INFORMATION): _Reader._read_user_information,
}
