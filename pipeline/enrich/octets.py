"""What no column holds but the kept bytes do: our own offer, elements of the C-ECHO response, reserved fields.

Three walks over bytes that are whole or cut, honest or not: they end where the bytes do, and never raise.
"""

from collections.abc import Iterator
from dataclasses import dataclass

#: Type, reserved, length of a PDU; type, reserved, length of an item; tag, length of a command's element.
PDU_HEADER, ITEM_HEADER, ELEMENT_HEADER = 6, 4, 8
#: Where the items of an A-ASSOCIATE-RQ or -AC begin in their body (PS3.8 Table 9-11, 9-17).
ITEMS_AT = 68
ACCEPT, DATA = 0x02, 0x04
COMMAND = 0x01


@dataclass(frozen=True, slots=True)
class Offer:
    """What an A-ASSOCIATE-RQ proposes: transfer syntaxes by context id, in their order, and who it says is asking."""

    contexts: dict[int, tuple[str, ...]]
    application_context: str | None
    max_pdu: int | None
    class_uid: str | None
    version_name: str | None


def offer(request: bytes) -> Offer:
    """Read back an A-ASSOCIATE-RQ that a plan holds (PS3.8 §9.3.2)."""
    outer = list(items(request[PDU_HEADER + ITEMS_AT :]))
    user = dict(reversed([part for kind, value in outer if kind == 0x50 for part in items(value)]))
    limit = user.get(0x51)
    return Offer(
        contexts={value[0]: tuple(_syntaxes(value)) for kind, value in outer if kind == 0x20 and value},
        application_context=_text(dict(outer).get(0x10)),
        max_pdu=int.from_bytes(limit) if limit else None,
        class_uid=_text(user.get(0x52)),
        version_name=_text(user.get(0x55)),
    )


def echo_elements(raw: bytes) -> tuple[int, ...] | None:
    """Element numbers of the first command set that a peer sent, in its order (PS3.7 §E.1); None if it sent none."""
    command = b"".join(data for kind, body in pdus(raw) if kind == DATA for data in _commands(body))
    return tuple(elements(command)) or None


def reserved_set(raw: bytes) -> bool | None:
    """Whether reserved bytes of an A-ASSOCIATE-AC are not 0; those of its AE titles are not among them."""
    kind, body = next(pdus(raw), (0, b""))
    if kind != ACCEPT or len(body) < ITEMS_AT:
        return None
    return bool(raw[1]) or any(body[2:4]) or any(body[36:ITEMS_AT])


def pdus(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Whole PDUs: type and body."""
    at = 0
    while (begin := at + PDU_HEADER) <= len(raw):
        end = begin + int.from_bytes(raw[at + 2 : begin])
        if end > len(raw):
            return
        yield raw[at], raw[begin:end]
        at = end


def items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Whole items or sub-items: type and value."""
    at = 0
    while (begin := at + ITEM_HEADER) <= len(data):
        end = begin + int.from_bytes(data[at + 2 : begin])
        if end > len(data):
            return
        yield data[at], data[begin:end]
        at = end


def elements(command: bytes) -> Iterator[int]:
    """Element numbers of a command set, whose group is 0000 (PS3.7 §6.3.1)."""
    at = 0
    while at + ELEMENT_HEADER <= len(command):
        yield int.from_bytes(command[at + 2 : at + 4], "little")
        at += ELEMENT_HEADER + int.from_bytes(command[at + 4 : at + 8], "little")


def _commands(body: bytes) -> Iterator[bytes]:
    """Command fragments of a P-DATA-TF: length, context id, control, data (PS3.8 §9.3.5.1)."""
    at = 0
    while at + 6 <= len(body):
        end = at + 4 + int.from_bytes(body[at : at + 4])
        if end > len(body) or end < at + 6:
            return
        if body[at + 5] & COMMAND:
            yield body[at + 6 : end]
        at = end


def _syntaxes(context: bytes) -> Iterator[str]:
    yield from (_text(value) or "" for kind, value in items(context[4:]) if kind == 0x40)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.rstrip(b" \0").decode("ascii", "replace")
