"""Every real server of the testbed, in each accepting and rejecting configuration: outcome and fields."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipeline.associate import client
from pipeline.outcome import CloseKind, Grade, Outcome
from pipeline.record.visit import Visit
from pipeline.testbed import server_kinds
from pipeline.testbed.spec import Server
from pipeline.wire.outgoing import encode
from tests.associate.serving import LOOPBACK, free_port, open_loopback, running

OUTGOING = encode(calling_ae="CENSUS", class_uid="2.25.1")
NPM = Path(__file__).parents[1] / "npm"
NODE = Path(sys.prefix) / "bin" / "node"
Command = Callable[[int, Path], list[str]]

DCMTK = {"implementation_class_uid": "1.2.276.0.7230010.3.0.3.6.7", "implementation_version_name": "OFFIS_DCMTK_367"}
DCMJS = {"implementation_class_uid": "1.2.826.0.1.3680043.10.854", "implementation_version_name": "DCMJS-DIMSE-V0.2"}
PYNETDICOM = {"implementation_class_uid": "1.2.826.0.1.3680043.9.3811.3.0.4"}
ACCEPTED = {
    "called_ae_echoed": True,
    "calling_ae_echoed": True,
    "application_context": "1.2.840.10008.3.1.1.1",
    "echo_status": 0,
    "released": True,
    "parse_warnings": (),
    "grade": Grade.CERTAIN,
}
CALLED, CALLER, NO_REASON = (1, 1, 7), (1, 1, 3), (1, 1, 1)


def real_server(kind: str, **options: Any) -> Command:
    """A server as the testbed starts it."""

    def command(port: int, folder: Path) -> list[str]:
        return server_kinds.REAL[kind](Server(name="server", kind=kind, **options), port, folder)  # type: ignore[arg-type]

    return command


def program(*words: str) -> Command:
    """A DCMTK program."""
    return lambda port, _folder: [server_kinds.program(words[0]), *words[1:], str(port)]


def node(*titles: str) -> Command:
    """The server of dcmjs-dimse."""
    return lambda port, _folder: [str(NODE), str(NPM / "server.js"), str(port), *titles]


class Case(NamedTuple):
    """A server, the expected result of a visit with the profile `echo`, and the three bytes of its rejection."""

    command: Command
    fields: dict[str, Any]
    rj: tuple[int, int, int] | None = None


CASES = {
    "storescp": Case(real_server("storescp"), DCMTK | {"max_pdu": 16384}),
    "storescp, refusing": Case(program("storescp", "--refuse"), {}, NO_REASON),
    "dcmrecv": Case(program("dcmrecv"), DCMTK | {"max_pdu": 16384}),
    "dcmrecv, called": Case(program("dcmrecv", "--aetitle", "ARCHIVE"), DCMTK),
    "dcmqrscp": Case(real_server("dcmqrscp"), DCMTK | {"max_pdu": 16384}),
    "dcmqrscp, called": Case(real_server("dcmqrscp", ae_title="ARCHIVE"), {}, CALLED),
    "dcmqrscp, callers": Case(real_server("dcmqrscp", callers=("MODALITY-1",)), {}, CALLED),
    "Orthanc": Case(real_server("orthanc"), {"max_pdu": 16384}),
    "Orthanc, called": Case(real_server("orthanc", ae_title="ARCHIVE", check_called=True), {}, CALLED),
    "Orthanc, callers": Case(real_server("orthanc", callers=("MODALITY-1",)), {}, CALLER),
    "pynetdicom": Case(real_server("pynetdicom"), PYNETDICOM | {"max_pdu": 16382}),
    "pynetdicom, called": Case(real_server("pynetdicom", ae_title="ARCHIVE", check_called=True), {}, CALLED),
    "pynetdicom, callers": Case(real_server("pynetdicom", callers=("MODALITY-1",)), {}, CALLER),
    "dcmjs-dimse": Case(node(), DCMJS),
    "dcmjs-dimse, called": Case(node("ARCHIVE"), {}, CALLED),
    "dcmjs-dimse, callers": Case(node("ANY-SCP", "MODALITY-1"), {}, CALLER),
}


@pytest.fixture(scope="module", autouse=True)
def where_npm_installed() -> None:
    """Let node find the packages that `make setup` installed."""
    os.environ["NODE_PATH"] = str(Path(sys.prefix) / "node_modules")


def visit(command: Command, folder: Path, *, echo: bool) -> Visit:
    """Start the server and visit it once."""
    port = free_port()
    with running(command(port, folder), port, folder):
        return asyncio.run(client.visit(open_loopback, OUTGOING, echo=echo, ip=LOOPBACK, port=port))


@pytest.mark.parametrize("name", CASES)
def test_echo(name: str, tmp_path: Path) -> None:
    """The outcome and every field of the server's answer, under the profile `echo`."""
    case = CASES[name]
    seen = visit(case.command, tmp_path, echo=True)
    if case.rj:
        observed = (seen.outcome, (seen.rj_result, seen.rj_source, seen.rj_reason), seen.grade, seen.parse_warnings)
        assert observed == (Outcome.REJECTED, case.rj, Grade.CERTAIN, ())
        return
    expected = ACCEPTED | case.fields
    assert {key: getattr(seen, key) for key in expected} == expected
    assert (seen.outcome, seen.close_kind) == (Outcome.ECHOED, CloseKind.WE_CLOSED)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.rj])
def test_associate(name: str, tmp_path: Path) -> None:
    """Under the profile `associate`, an accepting server is released without a C-ECHO."""
    seen = visit(CASES[name].command, tmp_path, echo=False)
    assert (seen.outcome, seen.released, seen.echo_sent) == (Outcome.ACCEPTED, True, False)
