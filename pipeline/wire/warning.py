"""Warnings about a reply: one closed vocabulary, defined only here.

A warning names the rule of the standard that the bytes break; the raw bytes, which are kept, show where. A reply gets each
warning at most once, so the number of warnings is bounded.
"""

from pipeline.outcome import Explained


class Verdict(Explained):
    """The decoder's judgement of the bytes as a whole."""

    SOUND = "sound", "Follows the standard, without a warning."
    ODD = "odd", "Complete and readable, but breaks some rule of the standard: see the warnings."
    BROKEN = "broken", "The layout breaks; the fields before that place were read."


class ParseWarning(Explained):
    """A rule that a reply breaks. These are the values of the column `parse_warnings`."""

    # The PDU (PS3.8 §9.3.1)
    TYPE_UNKNOWN = "type_unknown", "The PDU type is not one of 01H to 07H."
    LENGTH_SHORT = "length_short", "The PDU is shorter than the fixed fields of its type."
    LENGTH_OTHER = "length_other", "The PDU's length is not 4, the only length that its type allows."
    LENGTH_OVER_LIMIT = "length_over_limit", "The PDU claims more bytes than we keep of a reply."
    # Items (PS3.8 §9.3.2, §9.3.3)
    ITEM_CUT = "item_cut", "An item, or its header, runs past the end of its container."
    CONTEXT_CUT = "context_cut", "A presentation context is shorter than its fixed fields."
    ITEM_UNKNOWN = "item_unknown", "An item type that the standard does not define."
    ITEM_MISPLACED = "item_misplaced", "An item type that the standard does not allow in this PDU or at this place."
    ITEM_REPEATED = "item_repeated", "An item that may occur once is repeated; the first one counts."
    ITEM_LENGTH = "item_length", "A sub-item whose length does not fit its fields."
    ITEM_VALUE = "item_value", "A field has a value that the standard does not list."
    APPLICATION_CONTEXT_MISSING = "application_context_missing", "No application context item."
    CONTEXT_MISSING = "context_missing", "No presentation context item."
    USER_INFORMATION_MISSING = "user_information_missing", "No user information item."
    MAX_PDU_MISSING = "max_pdu_missing", "No maximum length sub-item."
    CLASS_UID_MISSING = "class_uid_missing", "No implementation class UID sub-item."
    PROTOCOL_VERSION = "protocol_version", "Bit 0 of the protocol version, version 1, is not set."
    APPLICATION_CONTEXT = "application_context", "The application context is not 1.2.840.10008.3.1.1.1."
    # Presentation contexts (PS3.8 §9.3.2.2, §9.3.3.2)
    CONTEXT_ID_EVEN = "context_id_even", "A presentation context id is even."
    CONTEXT_ID_REPEATED = "context_id_repeated", "Two presentation contexts have the same id."
    CONTEXT_RESULT = "context_result", "A presentation context's result is not one of 0 to 4."
    ABSTRACT_SYNTAX = "abstract_syntax", "A proposed presentation context does not have exactly one abstract syntax."
    TRANSFER_SYNTAX_MISSING = "transfer_syntax_missing", "A presentation context that needs a transfer syntax has none."
    TRANSFER_SYNTAX_REPEATED = "transfer_syntax_repeated", "An answered presentation context has two transfer syntaxes."
    # Texts (PS3.5 §9.1, PS3.7 §D.3.3.2)
    UID_FORM = "uid_form", "A UID is not digits and dots without leading zeros."
    UID_LONG = "uid_long", "A UID has more than 64 characters."
    UID_EMPTY = "uid_empty", "A UID is empty."
    NAME_FORM = "name_form", "A version name has characters that are not printable ASCII."
    NAME_LONG = "name_long", "A version name has more than 16 characters."
    NAME_EMPTY = "name_empty", "A version name is empty."
    PADDED = "padded", "A UID or a version name ends in spaces or NULs."
    # A-ASSOCIATE-RJ and A-ABORT (PS3.8 §9.3.4, §9.3.8)
    REJECTION_RESERVED = (
        "rejection_reserved",
        "Result, source and reason are not a combination that the standard lists.",
    )
    ABORT_RESERVED = "abort_reserved", "Source or reason of an abort is a reserved value."
    ABORT_INSIGNIFICANT = (
        "abort_insignificant",
        "An abort by the service user gives a reason, which has no meaning there.",
    )
    # P-DATA-TF (PS3.8 §9.3.5, Annex E.2)
    VALUE_CUT = "value_cut", "A presentation data value, or its header, runs past the end of its PDU."
    VALUE_SHORT = "value_short", "A presentation data value has no room for its context id and control header."
    VALUE_MISSING = "value_missing", "A P-DATA-TF has no presentation data value."
    CONTROL_RESERVED = "control_reserved", "A message control header sets bits 2 to 7."
    # Command sets (PS3.7 §6.3, §9.3.5.2, Annex E)
    COMMAND_OVER_LIMIT = "command_over_limit", "The command set has more bytes than we keep of a reply."
    COMMAND_OTHER = "command_other", "The command set is not a C-ECHO-RSP."
    STATUS_MISSING = "status_missing", "The C-ECHO-RSP has no readable status."
    ELEMENT_CUT = "element_cut", "An element, or its header, runs past the end of the command set."
    ELEMENT_GROUP = "element_group", "An element is not of group 0000."
    ELEMENT_ORDER = "element_order", "Elements are repeated or not in ascending order."
    ELEMENT_LENGTH = "element_length", "An element's length is odd or does not fit its value representation."
    GROUP_LENGTH = "group_length", "The command group length is missing or does not match what follows it."
    MESSAGE_ID_MISSING = "message_id_missing", "The response does not say which message it answers."
    DATA_SET_ANNOUNCED = "data_set_announced", "The response does not say that no data set follows."


#: After any of these, the rest of the bytes cannot be interpreted.
BREAKING = frozenset(
    {
        ParseWarning.TYPE_UNKNOWN,
        ParseWarning.LENGTH_SHORT,
        ParseWarning.LENGTH_OTHER,
        ParseWarning.LENGTH_OVER_LIMIT,
        ParseWarning.ITEM_CUT,
        ParseWarning.CONTEXT_CUT,
        ParseWarning.VALUE_CUT,
        ParseWarning.VALUE_SHORT,
        ParseWarning.VALUE_MISSING,
        ParseWarning.COMMAND_OVER_LIMIT,
        ParseWarning.COMMAND_OTHER,
        ParseWarning.STATUS_MISSING,
        ParseWarning.ELEMENT_CUT,
    }
)

Warnings = tuple[ParseWarning, ...]


def distinct(*warnings: ParseWarning) -> Warnings:
    """Each warning once, in order of first occurrence."""
    return tuple(dict.fromkeys(warnings))


def first_break(warnings: Warnings) -> ParseWarning | None:
    """The first warning that breaks the layout; None if there is none."""
    return next((warning for warning in warnings if warning in BREAKING), None)


def verdict(warnings: Warnings) -> Verdict:
    """The verdict that follows from the warnings."""
    if not warnings:
        return Verdict.SOUND
    return Verdict.ODD if first_break(warnings) is None else Verdict.BROKEN
