"""pynetdicom's decoder as an oracle: its fields of any PDU, as rows of the reference reader."""

import struct
from io import BytesIO
from typing import Any

from pynetdicom import pdu, pdu_items
from pynetdicom.dsutils import decode

from tests.wire.reference import Row

#: Exceptions that pynetdicom's decoder raises on bytes that it cannot read.
RAISED = (ValueError, AssertionError, LookupError, TypeError, AttributeError, struct.error)
CLASSES: dict[int, type] = {
    1: pdu.A_ASSOCIATE_RQ,
    2: pdu.A_ASSOCIATE_AC,
    3: pdu.A_ASSOCIATE_RJ,
    4: pdu.P_DATA_TF,
    5: pdu.A_RELEASE_RQ,
    6: pdu.A_RELEASE_RP,
    7: pdu.A_ABORT_RQ,
}


def read(data: bytes) -> Row | None:
    """Decode with pynetdicom; None if it refuses."""
    whole = CLASSES[data[0]]()
    try:
        whole.decode(data)
    except RAISED:
        return None
    return row(whole)


def row(whole: Any) -> Row:
    """The fields of a decoded PDU."""
    match whole:
        case pdu.A_ASSOCIATE_RJ():
            codes = {"result": whole.result, "source": whole.source, "reason": whole.reason_diagnostic}
            return {"pdu": "A-ASSOCIATE-RJ"} | codes
        case pdu.A_ABORT_RQ():
            return {"pdu": "A-ABORT", "source": whole.source, "reason": whole.reason_diagnostic}
        case pdu.P_DATA_TF():
            return {"pdu": "P-DATA-TF"} | _command(whole.presentation_data_value_items)
        case pdu.A_RELEASE_RQ() | pdu.A_RELEASE_RP():
            return {"pdu": "A-RELEASE-RQ" if isinstance(whole, pdu.A_RELEASE_RQ) else "A-RELEASE-RP"}
    return _association(whole)


def _command(values: Any) -> Row:
    """The command set in presentation data values, read by pydicom."""
    command = b"".join(item.data[1:] for item in values if item.data[0] & 1)
    elements = decode(BytesIO(command), is_implicit_vr=True, is_little_endian=True)
    number = "MessageIDBeingRespondedTo" if "MessageIDBeingRespondedTo" in elements else "MessageID"
    return {
        "context_ids": sorted({item.context_id for item in values}),
        "elements": [element.tag.element for element in elements],
        "sop_class_uid": None if elements.get("AffectedSOPClassUID") is None else str(elements.AffectedSOPClassUID),
        "command_field": elements.CommandField,
        "message_id": elements.get(number),
        "status": elements.get("Status"),
    }


def _association(whole: Any) -> Row:
    """The fields of a decoded A-ASSOCIATE-RQ or -AC; AE titles without padding."""
    request = isinstance(whole, pdu.A_ASSOCIATE_RQ)
    fields: Row = {
        "pdu": "A-ASSOCIATE-RQ" if request else "A-ASSOCIATE-AC",
        "protocol_version": whole.protocol_version,
        "called_ae": (whole.called_ae_title if request else whole.reserved_aet).strip(),
        "calling_ae": (whole.calling_ae_title if request else whole.reserved_aec).strip(),
        "application_context": None,
        "contexts": [],
        "item_order": [],
    }
    for item in whole.variable_items:
        fields["item_order"].append(item.item_type)
        _item(item, fields)
    return fields


def _item(item: Any, fields: Row) -> None:
    """One item of the PDU."""
    match item:
        case pdu_items.ApplicationContextItem():
            fields["application_context"] = str(item.application_context_name)
        case pdu_items.PresentationContextItemRQ():
            syntaxes = [str(uid) for uid in item.transfer_syntax]
            fields["contexts"].append([item.context_id, str(item.abstract_syntax), syntaxes])
        case pdu_items.PresentationContextItemAC():
            fields["contexts"].append([item.context_id, item.result, str(item.transfer_syntax or "")])
        case pdu_items.UserInformationItem():
            for part in item.user_data:
                fields["item_order"].append(part.item_type)
                _sub_item(part, fields)


def _sub_item(part: Any, fields: Row) -> None:
    """One sub-item of the user information."""
    match part:
        case pdu_items.MaximumLengthSubItem():
            fields["max_pdu"] = part.maximum_length_received
        case pdu_items.ImplementationClassUIDSubItem():
            fields["implementation_class_uid"] = str(part.implementation_class_uid)
        case pdu_items.ImplementationVersionNameSubItem():
            fields["implementation_version_name"] = part.implementation_version_name or ""
        case pdu_items.AsynchronousOperationsWindowSubItem():
            window = [part.max_operations_invoked, part.max_operations_performed]
            fields["asynchronous_operations_window"] = window
        case pdu_items.SCP_SCU_RoleSelectionSubItem():
            fields.setdefault("roles", []).append([str(part.uid), part.scu, part.scp])
        case pdu_items.SOPClassExtendedNegotiationSubItem():
            fields.setdefault("extended_negotiation", []).append([str(part.uid), part.app_info.hex()])
        case pdu_items.SOPClassCommonExtendedNegotiationSubItem():
            related = [str(uid) for uid in part.related_general_sop_class_identification]
            uids = [str(part.sop_class_uid), str(part.service_class_uid), related]
            fields.setdefault("common_extended_negotiation", []).append(uids)
        case pdu_items.UserIdentitySubItemRQ():
            secondary = (part.secondary or b"").hex()
            fields["user_identity"] = [part.id_type, int(part.response_requested), part.primary.hex(), secondary]
        case pdu_items.UserIdentitySubItemAC():
            fields["user_identity_response"] = part.response.hex()
