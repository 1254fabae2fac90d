"""The targets as plain functions `target(data) -> None`, which raise if a check fails.

`make fuzz` runs them under atheris, `make test` on their seeds and on mutations by Hypothesis. A test compares this table
with the existing decoders, so that no decoder is forgotten.
"""

import json

import numpy as np

from fuzz import certificate, files, flow, lakes, messages, seeds, tls
from fuzz.conversation import converse
from fuzz.target import Target
from pipeline.errors import InputError
from pipeline.record.visit import RAW_LIMIT
from pipeline.wire import (
    associate,
    command,
    data,
    guess,
    item,
    mirror,
    ordinary,
    packet,
    pdu,
    short,
    text,
    user_information,
)
from pipeline.wire import certificate as x509
from pipeline.wire.fields import Accept, Data, EchoReply, Malformed, Pdu, WithWarnings
from pipeline.wire.outgoing import Outgoing
from pipeline.wire.text import TEXT_KEPT
from pipeline.wire.warning import Verdict


def fuzz_pdu(stream: bytes) -> None:
    """Cut PDUs out of a stream and decode each: fields, warnings and a verdict, within the bytes given."""
    unread = bytearray(stream)
    while isinstance(cut := pdu.frame(unread), pdu.Frame):
        del unread[: cut.size]
        value = pdu.decode(cut)
        assert isinstance(value, Pdu)
        _check(value)
    assert cut is None or cut.verdict is Verdict.BROKEN
    assert cut is not None or len(unread) < RAW_LIMIT or len(stream) > RAW_LIMIT


def fuzz_associate(body: bytes) -> None:
    """Read an A-ASSOCIATE body as both PDUs; the fast reader agrees with the general reader or declines."""
    for kind in (pdu.PduType.ASSOCIATE_RQ, pdu.PduType.ASSOCIATE_AC):
        _check(pdu.decode(pdu.Frame(kind, body)))
    if len(body) < associate.FIXED.size:
        return
    _check(associate.read_request(body))
    general, fast = associate.read_accept(body), ordinary.read_ordinary(body)
    _check(general)
    assert fast is None or (fast == general and fast.verdict is Verdict.SOUND)
    assert len(general.contexts) * 4 <= len(body)


def fuzz_user_information(value: bytes) -> None:
    """Read a sub-item of each type: a field, or a warning."""
    for row in user_information.SUB_ITEMS.values():
        field, warnings = row.read(value)
        assert field is not None or warnings
    user = user_information.UserInformation(item.Container.ACCEPT_USER)
    for item_ in item.read_items(value)[0]:
        user.take(item_)
    Accept(protocol_version=1, called_ae=b"", calling_ae=b"", **user.fields())  # type: ignore[arg-type]


def fuzz_item(container_bytes: bytes) -> None:
    """Read items: no byte is in two of them, and none is lost without a warning."""
    items, warnings = item.read_items(container_bytes)
    used = sum(item.ITEM_HEADER + len(item_.value) for item_ in items)
    assert used == len(container_bytes) if not warnings else used < len(container_bytes)
    for item_, container in ((item_, container) for item_ in items for container in item.Container):
        item.placement_warning(item_, container)


def fuzz_text(value: bytes) -> None:
    """Sanitise texts."""
    for sanitised in (text.text(value), text.uid(value)[0], text.name(value)[0]):
        assert len(sanitised) <= TEXT_KEPT
        assert all(" " <= character <= "~" or character == "\ufffd" for character in sanitised)


def fuzz_data(body: bytes) -> None:
    """Read presentation data values, which are within the given bytes."""
    value = data.read_data(body)
    _check(value)
    assert isinstance(value, Data)
    assert sum(6 + len(fragment.data) for fragment in value.fragments) <= len(body)


def fuzz_command(command_set: bytes) -> None:
    """Read a command set: a C-ECHO-RSP or malformed; the fast reader agrees with the general reader or declines."""
    general, fast = command.read_echo(command_set), command.read_ordinary_echo(command_set)
    assert fast in (None, general)
    reply = command.decode_echo(command_set)
    assert isinstance(reply, EchoReply | Malformed)
    _check(reply)
    assert isinstance(reply, Malformed) or command.command_field(command_set) in (None, command.C_ECHO_RSP)


def fuzz_short(body: bytes) -> None:
    """Read the PDUs of four bytes."""
    four = body[:4].ljust(4, b"\0")
    for read in (short.read_reject, short.read_abort, short.read_release_request, short.read_release_reply):
        _check(read(four))


def fuzz_guess(reply: bytes) -> None:
    """Judge a reply by its first bytes; more bytes do not change a decision."""
    guess.guess(reply)
    cut = guess.opening(reply, seeds.OUTGOING.request, complete=True)
    assert cut is not guess.Opening.UNDECIDED
    openings = [guess.opening(reply[:end], seeds.OUTGOING.request) for end in range(1, min(len(reply), 64) + 1)]
    decided = [opening for opening in openings if opening is not guess.Opening.UNDECIDED]
    assert guess.Opening.UNDECIDED not in openings[openings.index(decided[0]) :] if decided else True


def fuzz_outgoing(plan: bytes) -> None:
    """Read the templates of a plan: they are whole PDUs, or the input is refused."""
    try:
        templates = Outgoing.from_json(json.loads(plan))
    except (InputError, ValueError, RecursionError):
        return
    assert Outgoing.from_json(templates.to_json()) == templates
    assert templates.allows(templates.echo)


def fuzz_packet(stream: bytes) -> None:
    """Read received frames as rows: at most one answer per frame."""
    rows = np.frombuffer(stream[: len(stream) // packet.SNAP * packet.SNAP], dtype=np.uint8).reshape(-1, packet.SNAP)
    lengths = np.full(len(rows), stream[-1] if stream else 0, dtype=np.int64)
    assert len(packet.read_answers(rows, lengths).address) <= len(rows)


def fuzz_checksum(data: bytes) -> None:
    """Sum the words of a header: together with its checksum the result is 0, as a receiver checks (RFC 1071)."""
    even = data[: len(data) // 2 * 2]
    total = np.array([packet.words(even)], dtype=np.uint32)
    assert packet.checksum(total + packet.checksum(total))[0] == 0


def _check(value: WithWarnings | Malformed) -> None:
    """Warnings are distinct, and the verdict follows from them."""
    assert len(set(value.warnings)) == len(value.warnings)
    assert (value.verdict is Verdict.SOUND) == (not value.warnings)
    assert (value.verdict is Verdict.BROKEN) == (value.fault is not None)


TARGETS: dict[str, Target] = {
    "pdu": Target(fuzz_pdu, (pdu.frame, pdu.decode), seeds.streams),
    "associate": Target(
        fuzz_associate, (associate.read_request, associate.read_accept, ordinary.read_ordinary), seeds.bodies
    ),
    "user_information": Target(
        fuzz_user_information, tuple(row.read for row in user_information.SUB_ITEMS.values()), seeds.users
    ),
    "item": Target(fuzz_item, (item.read_items, item.placement_warning), seeds.items),
    "text": Target(fuzz_text, (text.text, text.uid, text.name), seeds.texts),
    "data": Target(fuzz_data, (data.read_data,), seeds.data),
    "command": Target(
        fuzz_command,
        (command.decode_echo, command.read_echo, command.read_ordinary_echo, command.command_field),
        seeds.commands,
    ),
    "short": Target(
        fuzz_short,
        (short.read_reject, short.read_abort, short.read_release_request, short.read_release_reply),
        seeds.short,
    ),
    "guess": Target(fuzz_guess, (guess.guess, guess.opening), seeds.streams),
    "outgoing": Target(fuzz_outgoing, (Outgoing.from_json,), seeds.plans),
    "packet": Target(fuzz_packet, (packet.read_answers,), seeds.packets),
    "checksum": Target(fuzz_checksum, (packet.words,), seeds.packets),
    "conversation": Target(converse, (mirror.is_mirrored,), seeds.conversations),
    "flow": Target(flow.target, (), seeds.flows),
    "certificate": Target(certificate.target, (x509.read, x509.from_message, x509.read_chain), seeds.certificates),
    "tls": Target(tls.target, (), seeds.hellos),
    **files.TARGETS,
    **lakes.TARGETS,
    **messages.TARGETS,
}
