"""A visitor inside the vantage: one A-ASSOCIATE-RQ to each endpoint ADDRESS:PORT, one JSON line with the answer.

Run as a command in a testbed, by its path. Its simple judgement is independent of the program's and checks the specification.
"""

import json
import socket
import struct
import sys
from concurrent.futures import ThreadPoolExecutor

from pynetdicom.pdu import A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import A_ASSOCIATE, ImplementationClassUIDNotification, MaximumLengthNotification
from pynetdicom.presentation import build_context

PATIENCE = 1.5
ELEMENTS = (
    bytes.fromhex("00000200 12000000")
    + b"1.2.840.10008.1.1\0"
    + bytes.fromhex("00000001 02000000 300000001001 02000000 010000000008 02000000 0101")
)
COMMAND = bytes.fromhex("00000000 04000000") + struct.pack("<I", len(ELEMENTS)) + ELEMENTS
#: A P-DATA-TF with a C-ECHO request on context 1 (PS3.7 §9.3.5, PS3.8 §9.3.5).
ECHO = struct.pack(">BBIIBB", 4, 0, len(COMMAND) + 6, len(COMMAND) + 2, 1, 3) + COMMAND


def request() -> bytes:
    """Build our request: called ANY-SCP, calling DICOM-CENSUS, Verification in implicit little endian as context 1."""
    primitive = A_ASSOCIATE()
    primitive.application_context_name = "1.2.840.10008.3.1.1.1"
    primitive.calling_ae_title, primitive.called_ae_title = "DICOM-CENSUS", "ANY-SCP"
    context = build_context("1.2.840.10008.1.1", "1.2.840.10008.1.2")
    context.context_id = 1
    primitive.presentation_context_definition_list = [context]
    size, implementation = MaximumLengthNotification(), ImplementationClassUIDNotification()
    size.maximum_length_received = 16384
    implementation.implementation_class_uid = "1.2.826.0.1.3680043.9.9999"
    primitive.user_information = [size, implementation]
    pdu = A_ASSOCIATE_RQ()
    pdu.from_primitive(primitive)
    return bytes(pdu.encode())


def visit(endpoint: str) -> dict[str, object]:
    """Visit one endpoint."""
    host, _, port = endpoint.partition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
            connection.settimeout(PATIENCE)
            outcome, rj = converse(connection)
    except ConnectionRefusedError:
        outcome, rj = "refused", None
    except OSError as error:
        outcome, rj = f"unreachable {error.errno}", None
    return {"endpoint": endpoint, "outcome": outcome, "rj": rj}


def converse(connection: socket.socket) -> tuple[str, list[int] | None]:
    """Send the request, and judge the answer."""
    sent = request()
    connection.sendall(sent)
    try:
        answer = connection.recv(65536)
    except ConnectionResetError:
        return "reset", None
    except TimeoutError:
        return "silent", None
    if not answer:
        return "closed", None
    if answer == sent:
        return "reflected", None
    if answer[:6] == bytes.fromhex("030000000004"):
        return "rejected", list(answer[7:10])
    if answer[0] == 2 and b"DICOM-CENSUS" in answer:
        connection.sendall(ECHO)
        return ("echoed" if connection.recv(65536)[:1] == b"\x04" else "accepted"), None
    return ("tls" if answer[0] in (0x15, 0x16) else "not_dicom"), None


if __name__ == "__main__":
    endpoints = sys.stdin.read().split()
    # Too many visits at once would wait for a server's slots; a few at a time resemble a gentle sweep.
    with ThreadPoolExecutor(8) as pool:
        for row in pool.map(visit, endpoints):
            print(json.dumps(row), flush=True)
