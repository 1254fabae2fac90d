"""The decoder's fields as rows of the reference reader, and the replies of real products."""

from collections.abc import Iterator
from typing import Any

import msgspec

from pipeline.wire.fields import Accept, Data, EchoReply, Request
from pipeline.wire.pdu import PDUS, Frame, decode, decode_echo, frame
from tests.captures import FIXTURES, received
from tests.wire.reference import Row

#: Each different reply of a real product.
RECEIVED = sorted({data for fixture in FIXTURES for data in received(fixture)})
ACCEPTS = [data for data in RECEIVED if data[0] == 2]


def cut(data: bytes) -> Frame:
    """The single PDU of these bytes."""
    whole = frame(data)
    assert isinstance(whole, Frame)
    assert whole.size == len(data)
    return whole


def row(data: bytes) -> Row:
    """Decode one whole PDU; its fields in the form of the reference reader."""
    value = decode(cut(data))
    fields: Row = {"pdu": PDUS[data[0]].name}
    if isinstance(value, Request | Accept):
        return fields | dict(_association(value))
    if isinstance(value, Data):
        return fields | _command(value)
    return fields | {name: item for name, item in msgspec.structs.asdict(value).items() if name != "warnings"}


def odd(data: bytes) -> list[str]:
    """The decoder's warnings for one whole PDU and the command set in it, in alphabetical order."""
    value = decode(cut(data))
    inner = decode_echo(command(value)).warnings if isinstance(value, Data) else ()
    return sorted({*value.warnings, *inner})


def command(value: Data) -> bytes:
    """The command set in a P-DATA-TF."""
    return b"".join(fragment.data for fragment in value.fragments if fragment.is_command)


def _association(value: Request | Accept) -> Iterator[tuple[str, Any]]:
    """The fields that are present, as plain values; absent sub-items have no entry."""
    always = {"protocol_version", "application_context", "contexts", "item_order"}
    for name, field in msgspec.structs.asdict(value).items():
        if name in ("called_ae", "calling_ae"):
            yield name, field.decode("latin-1")
        elif name in always or (name not in ("warnings", "unknown_items") and field not in (None, ())):
            yield name, _plain(field)


def _plain(field: object) -> object:
    """Lists for structs and tuples, hexadecimal for bytes."""
    match field:
        case bytes():
            return field.hex()
        case tuple():
            return [_plain(part) for part in field]
        case msgspec.Struct():
            return [_plain(getattr(field, name)) for name in field.__struct_fields__]
    return field


def _command(value: Data) -> Row:
    """The C-ECHO-RSP in a P-DATA-TF."""
    reply = decode_echo(command(value))
    assert isinstance(reply, EchoReply)
    return {
        "context_ids": sorted({fragment.context_id for fragment in value.fragments}),
        "elements": list(reply.elements),
        "sop_class_uid": reply.sop_class_uid,
        "command_field": 0x8030,
        "message_id": reply.message_id,
        "status": reply.status,
    }
