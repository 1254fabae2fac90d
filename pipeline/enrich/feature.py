"""The features of an answer that rules can use: type, meaning, and how each is read from the recorded row.

A feature that was not observed is None; a rule with a condition on it does not match.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.enrich.offer import Offer
from pipeline.wire.capabilities import PROPOSALS
from pipeline.wire.pdu import Data, EchoReply, Frame, decode, decode_echo, frame

Row = Mapping[str, Any]
Features = Mapping[str, object]

#: Affected SOP Class UID (PS3.7 Table 9.3-13).
SOP_CLASS = 0x0002
#: User information item, whose sub-items follow it in `item_order` (PS3.8 §9.3.3.3).
USER_INFORMATION = 0x50
#: Abstract syntax → the role of a node that accepts it.
ROLES: Mapping[str, str] = {proposed.uid: proposed.group for proposed in PROPOSALS}
#: Called and calling AE title in an A-ASSOCIATE-AC (PS3.8 Table 9-17).
TITLES = (slice(10, 26), slice(26, 42))
#: Reserved bytes of an A-ASSOCIATE-AC, except those of its AE titles (PS3.8 Table 9-17).
RESERVED = (slice(1, 2), slice(8, 10), slice(42, 74))


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: its type, its meaning, and how it is read; None if it depends on other rows."""

    kind: type
    meaning: str
    read: Callable[[Row, Offer], object] | None = None


def of(row: Row, offer: Offer) -> dict[str, object]:
    """The features that follow from one row of `associations` and our offer."""
    return {name: feature.read(row, offer) for name, feature in FEATURES.items() if feature.read}


def _accepts(row: Row) -> bool:
    return row.get("contexts") is not None


def _accepted(row: Row) -> list[Row]:
    return [context for context in row.get("contexts") or () if context["result"] == 0]


def _transfer_syntax(row: Row, offer: Offer) -> str | None:
    syntaxes = (part["transfer_syntax"] for part in _accepted(row) if len(offer.contexts.get(part["id"], ())) > 1)
    return next(syntaxes, None)


def _mirrored(row: Row, offer: Offer) -> bool | None:
    return None if row.get("max_pdu") is None or offer.max_pdu is None else row["max_pdu"] == offer.max_pdu


def _sub_items(row: Row, _offer: Offer) -> str | None:
    order = row.get("item_order")
    if order is None or USER_INFORMATION not in order:
        return None
    return " ".join(f"{item:02x}" for item in order[order.index(USER_INFORMATION) + 1 :])


def _accepted_roles(row: Row, _offer: Offer) -> str | None:
    if not {part.get("abstract_syntax") for part in row.get("contexts") or ()} >= set(ROLES):
        return None
    return " ".join(sorted({ROLES[part["abstract_syntax"]] for part in _accepted(row)}))


def _in_order(row: Row, offer: Offer) -> bool | None:
    answered, proposed = [context["id"] for context in row.get("contexts") or ()], list(offer.contexts)
    if len(answered) < 2 or not set(answered) <= set(proposed):
        return None
    return answered == sorted(answered, key=proposed.index)


def _protocol(row: Row, _offer: Offer) -> bool | None:
    version = row.get("protocol_version")
    return None if version is None else bool(version & 1)


def _application(row: Row, offer: Offer) -> bool | None:
    return row.get("application_context") == offer.application_context if _accepts(row) else None


def _codes(*names: str) -> Callable[[Row, Offer], str | None]:
    def read(row: Row, _offer: Offer) -> str | None:
        values = [row.get(name) for name in names]
        return None if None in values else "/".join(map(str, values))

    return read


def _echo_elements(row: Row, _offer: Offer) -> str | None:
    elements = row.get("echo_elements")
    return None if elements is None else " ".join(f"{number:04x}" for number in elements)


def _echo_sop_class(row: Row, _offer: Offer) -> bool | None:
    elements = row.get("echo_elements")
    return None if elements is None else SOP_CLASS in elements


def _column(name: str) -> Callable[[Row, Offer], object]:
    return lambda row, _offer: row.get(name)


def _declared(name: str) -> Callable[[Row, Offer], bool | None]:
    return lambda row, _offer: row.get(name) is not None if _accepts(row) else None


def _equals_ours(name: str, part: str) -> Callable[[Row, Offer], bool | None]:
    return lambda row, offer: None if row.get(name) is None else row[name] == getattr(offer, part)


def _echo_sop_class_empty(row: Row, _offer: Offer) -> bool | None:
    if not row.get("raw") or SOP_CLASS not in (row.get("echo_elements") or ()):
        return None
    replies = (decode_echo(command) for command in _commands(row["raw"]))
    return any(isinstance(reply, EchoReply) and reply.sop_class_uid == "" for reply in replies)


def _commands(raw: bytes) -> Iterator[bytes]:
    """The command sets of a reply: what its P-DATA-TF hold, each message whole."""
    at, command = 0, b""
    while isinstance(cut := frame(raw, at), Frame):
        at += cut.size
        pdu = decode(cut)
        for fragment in pdu.fragments if isinstance(pdu, Data) else ():
            command += fragment.data
            if fragment.is_last:
                yield command
                command = b""


def _nul_padded(row: Row, offer: Offer) -> bool | None:
    if not _titles(row, offer) or not row.get("raw"):
        return None
    return any(row["raw"][position].endswith(b"\0") for position in TITLES)


def _titles(row: Row, _offer: Offer) -> bool | None:
    echoed = [row.get(name) for name in ("called_ae_echoed", "calling_ae_echoed")]
    return None if None in echoed else all(echoed)


def _context_unproposed(row: Row, offer: Offer) -> bool | None:
    return any(context["id"] not in offer.contexts for context in _accepted(row)) if _accepts(row) else None


def _syntax_unproposed(row: Row, offer: Offer) -> bool | None:
    if not _accepts(row):
        return None
    known = [context for context in _accepted(row) if context["id"] in offer.contexts]
    return any(context["transfer_syntax"] not in offer.contexts[context["id"]] for context in known)


def _reserved(row: Row, _offer: Offer) -> bool | None:
    raw = row.get("raw")
    return any(any(raw[positions]) for positions in RESERVED) if raw and _accepts(row) else None


FEATURES: Mapping[str, Feature] = {
    "transfer_syntax": Feature(str, "Transfer syntax that it picked where we proposed several.", _transfer_syntax),
    "max_pdu": Feature(int, "Maximum PDU length that it declares; 0 means no limit.", _column("max_pdu")),
    "max_pdu_mirrored": Feature(bool, "That length is the one that we declared.", _mirrored),
    "sub_items": Feature(str, "Types of its user-information sub-items, in its order, in hexadecimal.", _sub_items),
    "accepted_roles": Feature(
        str,
        "Groups of abstract syntaxes that it accepts, where it answers all of the profile `capabilities`.",
        _accepted_roles,
    ),
    "contexts_in_order": Feature(
        bool, "It answers several contexts in the order in which we proposed them.", _in_order
    ),
    "protocol_version_1": Feature(bool, "Bit 0 of the protocol version is set.", _protocol),
    "application_context_ours": Feature(bool, "It names the application context that we named.", _application),
    "reject": Feature(
        str, "Result, source and reason of its A-ASSOCIATE-RJ.", _codes("rj_result", "rj_source", "rj_reason")
    ),
    "abort": Feature(str, "Source and reason of its A-ABORT.", _codes("abort_source", "abort_reason")),
    "close": Feature(str, "Who ended the conversation, and in which phase.", _codes("close_kind", "close_stage")),
    "echo_elements": Feature(
        str, "Element numbers of the C-ECHO response's command set, in hexadecimal.", _echo_elements
    ),
    "echo_sop_class": Feature(bool, "The C-ECHO response has the affected SOP class UID.", _echo_sop_class),
    "echo_sop_class_empty": Feature(bool, "That UID has no character, as pynetdicom2 sends it.", _echo_sop_class_empty),
    "class_uid": Feature(str, "Implementation class UID that it declares.", _column("implementation_class_uid")),
    "class_uid_declared": Feature(bool, "It accepts and declares a class UID.", _declared("implementation_class_uid")),
    "version_name": Feature(str, "Version name that it declares.", _column("implementation_version_name")),
    "own_class_uid": Feature(bool, "That class UID is ours.", _equals_ours("implementation_class_uid", "class_uid")),
    "own_version_name": Feature(
        bool, "That version name is ours.", _equals_ours("implementation_version_name", "version_name")
    ),
    "titles_echoed": Feature(bool, "It returns both AE titles that we sent.", _titles),
    "titles_nul_padded": Feature(bool, "It returns both, padded with NULs instead of spaces.", _nul_padded),
    "context_unproposed": Feature(bool, "It accepts a context that we did not propose.", _context_unproposed),
    "transfer_syntax_unproposed": Feature(
        bool, "It accepts a context with a transfer syntax that we did not propose for it.", _syntax_unproposed
    ),
    "reserved_set": Feature(bool, "Reserved bytes of its A-ASSOCIATE-AC are not 0.", _reserved),
    "behaves_like_another": Feature(
        str,
        "The one implementation whose peculiar behaviour it shows, although it declares another toolkit or product that rules know.",
    ),
    "same_reply_ports": Feature(int, "Number of ports of its address that sent exactly the same bytes."),
    "prefix_same_reply": Feature(int, "Number of addresses of its /24 that sent exactly the same bytes."),
    "prefix_controls": Feature(
        int, "Number of addresses of its /24 that answered on the control port, where no service is expected."
    ),
    "prefix_answering": Feature(int, "Number of addresses of its /24 that answered our SYN on some port."),
    "prefix_answering_share": Feature(float, "Their share of the probed addresses of the /24."),
}
