"""Scapy's DICOM layer as a second oracle: its fields of any PDU, as rows of the reference reader."""

from typing import Any

from scapy.config import conf
from scapy.contrib import dicom
from scapy.error import Scapy_Exception

from tests.wire.reference import NAMES, Row

#: Bytes of the element Command Group Length (PS3.7 §E.1), which scapy's readers of commands leave to the caller.
GROUP_LENGTH = dicom.DIMSEPacket.GROUP_LENGTH_ELEMENT_SIZE


def read(data: bytes) -> Row | None:
    """Decode one whole PDU with scapy; None if it refuses, or leaves bytes over."""
    try:
        whole = dicom.DICOM(data)
    except Scapy_Exception:
        return None
    if whole.haslayer(conf.padding_layer) or whole.haslayer(conf.raw_layer) or _leftover(whole.payload):
        return None
    body = whole.payload
    row: Row = {"pdu": NAMES[whole.pdu_type]}
    match body:
        case dicom.A_ASSOCIATE_RQ() | dicom.A_ASSOCIATE_AC():
            return row | _association(body)
        case dicom.A_ASSOCIATE_RJ():
            return row | {"result": body.result, "source": body.source, "reason": body.reason_diag}
        case dicom.A_ABORT():
            return row | {"source": body.source, "reason": body.reason_diag}
        case dicom.P_DATA_TF():
            return row | _values(body)
    return row


def _leftover(body: Any) -> bool:
    """Whether a list of items ends in bytes that are none to scapy."""
    items = list(getattr(body, "variable_items", ()))
    parts = [part for item in items for part in getattr(item.payload, "sub_items", ())]
    return not all(isinstance(item, dicom.DICOMVariableItem) for item in (*items, *parts))


def _association(body: Any) -> Row:
    """The fields of an A-ASSOCIATE-RQ or -AC; AE titles without padding."""
    fields: Row = {
        "protocol_version": body.protocol_version,
        "called_ae": _title(body.called_ae_title),
        "calling_ae": _title(body.calling_ae_title),
        "application_context": None,
        "contexts": [],
        "item_order": [],
    }
    for item in body.variable_items:
        fields["item_order"].append(item.item_type)
        match item.payload:
            case _ if item.item_type == 0x10:
                fields["application_context"] = _uid(item)
            case dicom.DICOMPresentationContextRQ() | dicom.DICOMPresentationContextAC():
                fields["contexts"].append(_context(item.payload))
            case dicom.DICOMUserInformation():
                for part in item.payload.sub_items:
                    fields["item_order"].append(part.item_type)
                    _sub_item(part, fields)
    return fields


def _context(context: Any) -> list[Any]:
    """A proposed or an answered presentation context."""
    syntaxes = [_uid(part) for part in context.sub_items if part.item_type == 0x40]
    if isinstance(context, dicom.DICOMPresentationContextAC):
        return [context.context_id, context.result, syntaxes[0] if syntaxes else ""]
    abstract = next((_uid(part) for part in context.sub_items if part.item_type == 0x30), "")
    return [context.context_id, abstract, syntaxes]


def _sub_item(item: Any, fields: Row) -> None:
    """One sub-item of the user information."""
    part = item.payload
    match part:
        case _ if item.item_type == 0x52:
            fields["implementation_class_uid"] = _uid(item)
        case _ if item.item_type == 0x55:
            # `name` is also the attribute with a class's own name.
            fields["implementation_version_name"] = _text(part.getfieldval("name")) if item.length else ""
        case dicom.DICOMMaximumLength():
            fields["max_pdu"] = part.max_pdu_length
        case dicom.DICOMAsyncOperationsWindow():
            fields["asynchronous_operations_window"] = [part.max_ops_invoked, part.max_ops_performed]
        case dicom.DICOMUserIdentity():
            secondary = (part.secondary_field or b"").hex()
            asked = part.positive_response_requested
            fields["user_identity"] = [part.user_identity_type, asked, part.primary_field.hex(), secondary]
        case dicom.DICOMUserIdentityResponse():
            fields["user_identity_response"] = part.server_response.hex()


def _values(body: Any) -> Row:
    """The C-ECHO-RSP or -RQ in a P-DATA-TF. Scapy reads elements by their place, the group length apart."""
    command = b"".join(part.data for part in body.pdv_items if part.is_command)[GROUP_LENGTH:]
    echo = dicom.C_ECHO_RSP(command)
    return {
        "context_ids": sorted({part.context_id for part in body.pdv_items}),
        "sop_class_uid": _text(echo.affected_sop_class_uid).removesuffix("\0"),
        "command_field": _number(echo.command_field),
        "message_id": _number(echo.message_id_responded),
        "status": _number(echo.status),
    }


def _number(value: Any) -> int:
    return value if isinstance(value, int) else int.from_bytes(value, "little")


def _uid(item: Any) -> str:
    """The UID in an item; scapy gives an item without content no payload."""
    return _text(item.payload.uid) if item.length else ""


def _title(value: Any) -> str:
    """An AE title without padding."""
    return _text(value).strip(" \0")


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
