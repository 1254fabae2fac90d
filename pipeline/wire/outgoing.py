"""The whitelist: five byte templates, all the payload that is ever sent, encoded once per sweep by pynetdicom's codec.

One function enforces it, `Outgoing.require_template`. The three places where our payload leaves this program's hands
call it: `probe.segments` for raw TCP segments, `associate.client` for kernel TCP, `associate.tls` before encryption.
What a TLS connection sends, its own handshake included, must also come out of OpenSSL (`associate.tls.require_sealed`).
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

from pipeline.errors import GuardError, InputError
from pipeline.wire.command import C_ECHO_RQ, command_field
from pipeline.wire.pdu import HEADER, Data, Frame, PduType, Request, decode

#: Identifies the census and its wire format; at most 16 characters (PS3.7 §D.3.3.2.3).
VERSION_NAME = "DICOM_CENSUS_01"
CALLED_AE = "ANY-SCP"
#: An unusual value, which reveals a server that mirrors it.
MAX_PDU = 16383
CONTEXT_ID = 1
MESSAGE_ID = 1
#: PS3.7 Annex A.2.1.
APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
#: PS3.4 Annex A: Verification SOP Class.
VERIFICATION = "1.2.840.10008.1.1"
#: Implicit, then Explicit VR Little Endian. Which of them a server picks is a feature of its implementation.
TRANSFER_SYNTAXES = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")
#: An AE title has 1 to 16 characters of the default repertoire, no backslash (PS3.5 §6.2).
AE_LIMIT = 16
#: Bytes of a template: about 250, with all capabilities about 1,100. A plan with longer ones is not ours.
TEMPLATE_LIMIT = 2048

_TYPES: Mapping[str, PduType] = {
    "request": PduType.ASSOCIATE_RQ,
    "echo": PduType.DATA,
    "release_request": PduType.RELEASE_RQ,
    "release_reply": PduType.RELEASE_RP,
    "abort": PduType.ABORT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """The templates: an A-ASSOCIATE-RQ, a C-ECHO-RQ, an A-RELEASE-RQ, an A-RELEASE-RP and an A-ABORT."""

    request: bytes
    echo: bytes
    release_request: bytes
    release_reply: bytes
    abort: bytes

    @property
    def templates(self) -> dict[str, bytes]:
        """Name → bytes, in the order of the fields."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @property
    def called_ae(self) -> bytes:
        """The called AE title as sent, with its padding (PS3.8 Table 9-11, bytes 11 to 26)."""
        return self.request[10:26]

    @property
    def calling_ae(self) -> bytes:
        """The calling AE title as sent, with its padding (PS3.8 Table 9-11, bytes 27 to 42)."""
        return self.request[26:42]

    @property
    def proposed(self) -> Mapping[int, str]:
        """Presentation context id → abstract syntax that the request proposes."""
        return _proposed(self.request)

    @property
    def digest(self) -> str:
        """SHA-256 over all templates with their names and lengths, in hexadecimal."""
        total = hashlib.sha256()
        for name, data in self.templates.items():
            total.update(f"{name} {len(data)}\n".encode())
            total.update(data)
        return total.hexdigest()

    def allows(self, data: bytes) -> bool:
        """Whether these bytes are one whole template."""
        return data in (self.request, self.echo, self.release_request, self.release_reply, self.abort)

    def require_template(self, data: bytes) -> bytes:
        """Return the bytes if they are one whole template. Raises GuardError for any other bytes."""
        if not self.allows(data):
            raise GuardError(
                f"outgoing payload of {len(data)} bytes is not one of the sweep's templates; nothing was sent"
            )
        return data

    def to_json(self) -> dict[str, str]:
        """Name → hexadecimal, as in a plan."""
        return {name: data.hex() for name, data in self.templates.items()}

    @classmethod
    def from_json(cls, value: object, *, where: str = "outgoing") -> "Outgoing":
        """Read the result of `to_json`. Raises InputError unless each template is one whole PDU of its type."""
        if not isinstance(value, Mapping) or set(value) != set(_TYPES):
            raise InputError(where, f"must have exactly the keys {', '.join(_TYPES)}")
        read = cls(**{name: _template(value[name], pdu, f"{where}.{name}") for name, pdu in _TYPES.items()})
        _check_request(read.request, f"{where}.request")
        _check_echo(read.echo, f"{where}.echo")
        return read


@lru_cache(maxsize=8)
def _proposed(request: bytes) -> Mapping[int, str]:
    """Read back what a request proposes; cached, so once per sweep, not once per conversation."""
    decoded = decode(Frame(request[0], request[HEADER:])) if request else None
    contexts = decoded.contexts if isinstance(decoded, Request) else ()
    return {context.id: context.abstract_syntax for context in contexts}


def class_uid(url: str) -> str:
    """A lab's implementation class UID: `2.25.` and the UUID of its URL (PS3.5 Annex B.2, RFC 9562)."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, url).int}"


def encode(*, calling_ae: str, class_uid: str, proposed: Sequence[str] = (VERIFICATION,)) -> Outgoing:
    """Encode the templates for a calling AE title, an implementation class UID and the abstract syntaxes to propose."""
    _check_ae(calling_ae)
    from pynetdicom import pdu, pdu_primitives  # slow to import, and needed once per sweep

    release, reply = pdu_primitives.A_RELEASE(), pdu_primitives.A_RELEASE()
    reply.result = "affirmative"
    abort = pdu_primitives.A_ABORT()
    abort.abort_source = 0
    return Outgoing(
        request=_encode_request(calling_ae, class_uid, proposed),
        echo=_encode_echo(),
        release_request=_encode_pdu(pdu.A_RELEASE_RQ(), release),
        release_reply=_encode_pdu(pdu.A_RELEASE_RP(), reply),
        abort=_encode_pdu(pdu.A_ABORT_RQ(), abort),
    )


def _encode_request(calling_ae: str, class_uid: str, proposed: Sequence[str]) -> bytes:
    """Encode the A-ASSOCIATE-RQ (PS3.8 §9.3.2)."""
    from pynetdicom import pdu, pdu_primitives
    from pynetdicom.presentation import build_context

    contexts = [build_context(uid, list(TRANSFER_SYNTAXES)) for uid in proposed]
    for position, context in enumerate(contexts):
        context.context_id = CONTEXT_ID + 2 * position
    length, implementation, version = (
        pdu_primitives.MaximumLengthNotification(),
        pdu_primitives.ImplementationClassUIDNotification(),
        pdu_primitives.ImplementationVersionNameNotification(),
    )
    length.maximum_length_received = MAX_PDU
    implementation.implementation_class_uid = class_uid
    version.implementation_version_name = VERSION_NAME
    primitive = pdu_primitives.A_ASSOCIATE()
    primitive.application_context_name = APPLICATION_CONTEXT
    primitive.called_ae_title, primitive.calling_ae_title = CALLED_AE, calling_ae
    primitive.presentation_context_definition_list = contexts
    primitive.user_information = [length, implementation, version]
    return _encode_pdu(pdu.A_ASSOCIATE_RQ(), primitive)


def _encode_echo() -> bytes:
    """Encode the C-ECHO-RQ in one P-DATA-TF (PS3.7 §9.3.5.1)."""
    from pynetdicom import dimse_messages, dimse_primitives, pdu

    primitive = dimse_primitives.C_ECHO()
    primitive.MessageID = MESSAGE_ID
    primitive.AffectedSOPClassUID = VERIFICATION
    message = dimse_messages.C_ECHO_RQ()
    message.primitive_to_message(primitive)
    (data,) = message.encode_msg(CONTEXT_ID, MAX_PDU)
    return _encode_pdu(pdu.P_DATA_TF(), data)


def _encode_pdu(empty: object, primitive: object) -> bytes:
    """Fill a pynetdicom PDU from a primitive and encode it."""
    empty.from_primitive(primitive)  # type: ignore[attr-defined]
    return bytes(empty.encode())  # type: ignore[attr-defined]


def _check_ae(title: str) -> None:
    """Raise InputError for an invalid AE title, before the codec pads or cuts it."""
    fits = title.strip() == title and 1 <= len(title) <= AE_LIMIT
    if not (fits and title.isascii() and title.isprintable() and "\\" not in title):
        raise InputError(
            "identity.ae_title", f"{title!r} is not an AE title; use 1 to 16 printable ASCII characters and no \\"
        )


def _template(value: object, expected: PduType, where: str) -> bytes:
    """Read one template: one whole PDU in hexadecimal."""
    try:
        data = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        data = b""
    if not HEADER <= len(data) <= TEMPLATE_LIMIT or data[0] != expected:
        raise InputError(where, f"must be the hexadecimal of a PDU of type {expected:02X}H")
    if int.from_bytes(data[2:HEADER]) != len(data) - HEADER:
        raise InputError(where, "is not one whole PDU: its length field does not match")
    return data


def _check_request(data: bytes, where: str) -> None:
    """Raise InputError for a request that breaks the standard, or that logs in."""
    request = decode(Frame(data[0], data[HEADER:]))
    if not isinstance(request, Request) or request.warnings:
        raise InputError(where, f"is not a sound A-ASSOCIATE-RQ: {', '.join(request.warnings)}")
    if request.user_identity is not None or request.asynchronous_operations_window is not None:
        raise InputError(where, "must have no user identity and no asynchronous operations window")


def _check_echo(data: bytes, where: str) -> None:
    """Raise InputError for P-DATA that is not one whole C-ECHO-RQ: no other command may be sent."""
    pdu = decode(Frame(data[0], data[HEADER:]))
    values = pdu.fragments if isinstance(pdu, Data) and not pdu.warnings else ()
    whole = len(values) == 1 and values[0].is_command and values[0].is_last
    if not whole or command_field(values[0].data) != C_ECHO_RQ:
        raise InputError(where, "must be one whole C-ECHO-RQ")
