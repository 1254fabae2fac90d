"""The conversation, driven by bytes: every outcome, every cut, and any peer that Hypothesis generates."""

import struct
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.associate.conversation import ACTIONS, ANSWER_US, CONNECT_US, VISIT_US, Conversation
from pipeline.associate.state import STAGES, AssociationState
from pipeline.outcome import CloseKind, CloseStage, Grade, Outcome
from pipeline.record.visit import BANNER_LIMIT, RAW_LIMIT, Visit
from pipeline.wire.outgoing import Outgoing
from tests.associate.replies import (
    ABORT,
    ACCEPT,
    ECHO_RSP,
    HTTP,
    OUTGOING,
    REJECT,
    RELEASE_RP,
    RELEASE_RQ,
    TLS_ALERT,
    accept,
)
from tests.captures import FIXTURES


def begun(*, echo: bool = True, outgoing: Outgoing = OUTGOING) -> Conversation:
    """A conversation whose request has just been sent."""
    conversation = Conversation(outgoing, echo=echo, ip=1, port=104, started_at_us=0)
    assert conversation.connected(10) == outgoing.request
    return conversation


def converse(replies: Iterable[bytes], *, echo: bool = True, end: str = "deadline") -> tuple[Visit, list[bytes]]:
    """Run a conversation with a peer that sends these replies and then ends it; return the visit and our bytes."""
    conversation = begun(echo=echo)
    sent = [conversation.received(data, 20 + at) for at, data in enumerate(replies)]
    if not conversation.finished:
        sent.append(getattr(conversation, end)(5_000_000))
    assert conversation.finished
    return conversation.visit(), [data for data in sent if data]


Ending = tuple[list[bytes], bool, str, str, str, str, list[str]]
ENDINGS: tuple[Ending, ...] = (
    # replies, with C-ECHO, how the peer ends it, outcome, close kind, close stage, templates sent
    ([ACCEPT, ECHO_RSP, RELEASE_RP], True, "deadline", "echoed", "we_closed", "done", ["echo", "release_request"]),
    ([ACCEPT, RELEASE_RP], False, "deadline", "accepted", "we_closed", "done", ["release_request"]),
    (
        [accept(result=3), RELEASE_RP],
        True,
        "deadline",
        "accepted_no_verification",
        "we_closed",
        "done",
        ["release_request"],
    ),
    ([REJECT], True, "deadline", "rejected", "we_closed", "done", []),
    ([ABORT], True, "deadline", "aborted", "we_closed", "done", []),
    (
        [accept(called=b"OTHER"), ECHO_RSP, RELEASE_RP],
        True,
        "deadline",
        "echoed",
        "we_closed",
        "done",
        ["echo", "release_request"],
    ),
    ([b"\2" + OUTGOING.request[1:]], True, "deadline", "reflected", "we_closed", "done", ["abort"]),
    ([OUTGOING.request], True, "deadline", "reflected", "we_closed", "associate", []),
    ([OUTGOING.request[:9]], True, "peer_closed", "reflected", "peer_fin", "associate", []),
    ([HTTP], True, "deadline", "not_dicom", "we_closed", "associate", []),
    ([TLS_ALERT], True, "deadline", "tls", "we_closed", "associate", []),
    ([bytes.fromhex("030000130ed00000")], True, "deadline", "not_dicom", "we_closed", "associate", []),
    ([RELEASE_RP], True, "deadline", "not_dicom", "we_closed", "associate", []),
    ([b"\x16\x03"], True, "peer_closed", "not_dicom", "peer_fin", "associate", []),
    ([accept(extra=b"\x50\0\0\x09")], True, "deadline", "malformed", "we_closed", "done", ["abort"]),
    ([b"\x02hello world"], True, "deadline", "malformed", "we_closed", "associate", ["abort"]),
    ([b"\x07\0\0\0\0\5"], True, "deadline", "malformed", "we_closed", "associate", ["abort"]),
    ([ACCEPT[:50]], True, "deadline", "malformed", "deadline", "associate", ["abort"]),
    ([ACCEPT[:50]], True, "peer_closed", "malformed", "peer_fin", "associate", []),
    ([REJECT[:5]], True, "peer_reset", "malformed", "peer_rst", "associate", []),
    ([], True, "deadline", "silent", "deadline", "associate", ["abort"]),
    ([], True, "peer_closed", "closed", "peer_fin", "associate", []),
    ([], True, "peer_reset", "reset", "peer_rst", "associate", []),
    ([ACCEPT], True, "deadline", "accepted", "deadline", "echo", ["echo", "abort"]),
    ([ACCEPT], True, "peer_reset", "accepted", "peer_rst", "echo", ["echo"]),
    ([ACCEPT], False, "peer_closed", "accepted", "peer_fin", "release", ["release_request"]),
    ([ACCEPT, ABORT], True, "deadline", "accepted", "we_closed", "echo", ["echo"]),
    ([ACCEPT, RELEASE_RQ], True, "deadline", "accepted", "we_closed", "echo", ["echo", "release_reply"]),
    ([ACCEPT, ACCEPT], True, "deadline", "accepted", "we_closed", "echo", ["echo", "abort"]),
    (
        [ACCEPT, ECHO_RSP.replace(b"\x30\x80", b"\x21\x80")],
        True,
        "deadline",
        "accepted",
        "we_closed",
        "echo",
        ["echo", "abort"],
    ),
    ([ACCEPT, ECHO_RSP, ABORT], True, "deadline", "echoed", "we_closed", "release", ["echo", "release_request"]),
    (
        [ACCEPT, RELEASE_RQ, RELEASE_RP],
        False,
        "deadline",
        "accepted",
        "we_closed",
        "done",
        ["release_request", "release_reply"],
    ),
    ([ACCEPT, ECHO_RSP, RELEASE_RP], False, "deadline", "accepted", "we_closed", "done", ["release_request"]),
    ([ACCEPT + RELEASE_RP], False, "deadline", "accepted", "we_closed", "done", ["abort"]),
)


@pytest.mark.parametrize(("replies", "echo", "end", "outcome", "kind", "stage", "sent"), ENDINGS)
def test_endings(
    replies: list[bytes], echo: bool, end: str, outcome: str, kind: str, stage: str, sent: list[str]
) -> None:
    """Each kind of peer has its outcome and receives exactly these templates."""
    visit, bytes_sent = converse(replies, echo=echo, end=end)
    assert (visit.outcome, visit.close_kind, visit.close_stage) == (outcome, kind, stage)
    assert bytes_sent == [OUTGOING.templates[name] for name in sent]


def test_facts_of_an_echo() -> None:
    """A complete conversation records its times, fields and raw bytes."""
    visit, _ = converse([ACCEPT, ECHO_RSP, RELEASE_RP])
    assert (visit.connect_us, visit.first_byte_us, visit.answer_us) == (10, 20, 20)
    assert (visit.echo_us, visit.release_us, visit.closed_us) == (21, 22, 22)
    assert (visit.echo_status, visit.released, visit.like_dicom, visit.guess) == (0, True, True, None)
    assert (visit.called_ae_echoed, visit.calling_ae_echoed) == (True, True)
    assert visit.raw == ACCEPT + ECHO_RSP + RELEASE_RP
    assert visit.raw_length == len(visit.raw)


#: Titles that servers return, as 32 bytes: called, then calling.
TITLES = {
    "NUL": bytes(32),
    "blank": b" " * 32,
    "swapped": b"CENSUS".ljust(16) + b"ANY-SCP".ljust(16),
    "lower case": b"any-scp".ljust(16) + b"census".ljust(16),
    "the server's own": b"ARCHIVE".ljust(16) + b"PACS".ljust(16),
}


@pytest.mark.parametrize("titles", TITLES.values(), ids=TITLES.keys())
def test_an_acceptance_with_other_titles_is_one(titles: bytes) -> None:
    """Whatever AE titles an acceptance returns, C-ECHO and release follow, and the titles are recorded (PS3.8 Table 9-17)."""
    retitled = ACCEPT[:10] + titles + ACCEPT[42:]
    visit, sent = converse([retitled, ECHO_RSP, RELEASE_RP])
    assert (visit.outcome, visit.grade, visit.released) == (Outcome.ECHOED, Grade.CERTAIN, True)
    assert (visit.called_ae_echoed, visit.calling_ae_echoed) == (False, False)
    assert (visit.called_ae_raw, visit.calling_ae_raw) == (titles[:16], titles[16:])
    assert sent == [OUTGOING.echo, OUTGOING.release_request]


def test_an_acceptance_without_contexts_is_likely() -> None:
    """An acceptance that answers no presentation context is only likely DICOM's."""
    bare = ACCEPT[:2] + struct.pack(">L", 68) + ACCEPT[6:74]
    visit, _ = converse([bare, RELEASE_RP])
    assert (visit.outcome, visit.grade) == (Outcome.ACCEPTED_NO_VERIFICATION, Grade.LIKELY)
    assert converse([ACCEPT, RELEASE_RP], echo=False)[0].grade is Grade.CERTAIN


def test_contexts_say_what_was_proposed_in_them() -> None:
    """Each answered context has the abstract syntax of our request with the same id, and none where we proposed none."""
    extra = bytes.fromhex("21000008 05000000 40000000")
    (verification, unknown) = converse([accept(extra=extra)])[0].contexts or ()
    assert (verification.id, verification.abstract_syntax, verification.result) == (1, "1.2.840.10008.1.1", 0)
    assert (unknown.id, unknown.abstract_syntax) == (5, None)


def test_facts_of_refusals() -> None:
    """The bytes of an A-ASSOCIATE-RJ and of an A-ABORT are kept as sent."""
    rejected, aborted = converse([REJECT])[0], converse([ABORT])[0]
    assert (rejected.rj_result, rejected.rj_source, rejected.rj_reason) == (1, 1, 7)
    assert (aborted.abort_source, aborted.abort_reason) == (2, 2)


def test_padded_titles_are_ours() -> None:
    """An AE title returned with NUL padding counts as our AE title."""
    assert converse([accept(called=b"ANY-SCP" + bytes(9)), RELEASE_RP], echo=False)[0].outcome is Outcome.ACCEPTED


def test_a_banner_is_kept_short() -> None:
    """The first bytes of a reply that is not DICOM and a guess of its protocol are kept."""
    visit, _ = converse([HTTP + b"x" * 1000])
    assert (len(visit.raw), visit.raw_length, visit.like_dicom, visit.guess) == (BANNER_LIMIT, 1028, False, "http")


def test_a_flood_is_aborted() -> None:
    """A peer that sends more than we keep gets an A-ABORT, and all its bytes are counted."""
    visit, sent = converse([ACCEPT, *[bytes.fromhex("04000000000a 00000006 01 00 00000000")] * 2000], echo=False)
    assert (visit.outcome, len(visit.raw), sent[-1]) == (Outcome.ACCEPTED, RAW_LIMIT, OUTGOING.abort)
    assert visit.raw_length > RAW_LIMIT


def test_connection_failures() -> None:
    """A connection that never opened is refused, unreachable or unanswered, always in the stage `connect`."""
    ends: dict[str, Callable[[Conversation], bytes]] = {
        "refused": lambda conversation: conversation.connect_failed(5, refused=True),
        "unreachable": lambda conversation: conversation.connect_failed(5),
        "deadline": lambda conversation: conversation.deadline(CONNECT_US),
    }
    seen = {}
    for name, end in ends.items():
        conversation = Conversation(OUTGOING, echo=True, ip=1, port=104, started_at_us=0)
        assert (end(conversation), conversation.finished) == (b"", True)
        seen[name] = (conversation.visit().outcome, conversation.visit().close_kind)
        assert conversation.visit().close_stage is CloseStage.CONNECT
    assert seen == {
        "refused": (Outcome.RESET, CloseKind.PEER_RST),
        "unreachable": (Outcome.UNACKNOWLEDGED, CloseKind.WE_CLOSED),
        "deadline": (Outcome.UNACKNOWLEDGED, CloseKind.DEADLINE),
    }


def test_an_open_connection_did_not_fail() -> None:
    """Once connected, a late failure to connect has no effect."""
    conversation = begun()
    assert (conversation.connect_failed(20), conversation.connect_failed(21, refused=True), conversation.finished) == (
        b"",
        b"",
        False,
    )


def test_silence_has_kinds() -> None:
    """The driver, which knows window and acknowledgements, gives the outcome of silence."""
    conversation = begun()
    conversation.deadline(3_000_000, if_silent=Outcome.ZERO_WINDOW)
    assert conversation.visit().outcome is Outcome.ZERO_WINDOW


def test_deadlines() -> None:
    """Each wait has its deadline, and no deadline exceeds that of the whole visit."""
    conversation = Conversation(OUTGOING, echo=True, ip=1, port=104, started_at_us=0)
    assert conversation.next_deadline_us == CONNECT_US
    conversation.connected(1_000_000)
    assert conversation.next_deadline_us == 1_000_000 + ANSWER_US
    conversation.received(ACCEPT[:40], 2_000_000)
    assert conversation.next_deadline_us == 1_000_000 + ANSWER_US
    conversation.received(ACCEPT[40:], 3_000_000)
    assert conversation.next_deadline_us == VISIT_US


@pytest.mark.parametrize("answer", [ACCEPT, accept(result=1), REJECT, ABORT], ids=["ac", "ac_refused", "rj", "abort"])
@pytest.mark.parametrize("end", ["deadline", "peer_closed", "peer_reset"])
def test_answers_cut_anywhere(answer: bytes, end: str) -> None:
    """An answer cut at any byte is malformed, whoever ends the conversation."""
    assert {converse([answer[:cut]], end=end)[0].outcome for cut in range(1, len(answer))} == {Outcome.MALFORMED}


@pytest.mark.parametrize("answer", [ACCEPT, accept(result=1), REJECT, ABORT, OUTGOING.request, TLS_ALERT])
def test_answers_in_two_parts_or_bytes(answer: bytes) -> None:
    """How an answer is cut into segments does not change the conversation."""
    whole = converse([answer])
    parts = [converse([answer[:cut], answer[cut:]]) for cut in range(1, len(answer))]
    single = converse([answer[at : at + 1] for at in range(len(answer))])
    assert {(visit.outcome, visit.contexts, tuple(sent)) for visit, sent in (whole, single, *parts)} == {
        (whole[0].outcome, whole[0].contexts, tuple(whole[1]))
    }


def test_an_echo_in_fragments() -> None:
    """A C-ECHO response may come in several presentation data values and PDUs (PS3.8 Annex F)."""
    command = ECHO_RSP[12:]
    parts = [
        struct.pack(">BBLLBB", 4, 0, 6 + len(part), 2 + len(part), 1, 3 if last else 1) + part
        for part, last in ((command[:20], False), (command[20:], True))
    ]
    assert converse([ACCEPT, *parts, RELEASE_RP])[0].outcome is Outcome.ECHOED


def test_a_finished_conversation_is_final() -> None:
    """After the end, no event changes or sends anything."""
    conversation = begun()
    conversation.received(REJECT, 20)
    before = conversation.visit()
    calls = (
        conversation.peer_closed,
        conversation.peer_reset,
        conversation.deadline,
        conversation.connected,
        conversation.connect_failed,
    )
    assert [call(30) for call in calls] + [conversation.received(ACCEPT, 30)] == [b""] * 6
    assert conversation.visit() == before


def test_tables_are_complete() -> None:
    """Every state has a stage, and every state that awaits a PDU handles an A-ABORT."""
    from pipeline.wire.pdu import Abort

    assert set(STAGES) == set(AssociationState)
    assert {state for state, kind in ACTIONS if kind is Abort} == set(AssociationState) - {
        AssociationState.STA4,
        AssociationState.STA13,
    }


def fixtures() -> list[tuple[str, str, bytes, bytes]]:
    """(product, case, the request, the first answer) of real conversations that began with an answered request."""
    rows = []
    for row in FIXTURES:
        first = [event for event in row["events"] if event["ev"] in ("send", "recv")][:2]
        if [event["ev"] for event in first] == ["send", "recv"] and first[0]["hex"].startswith("01"):
            rows.append((row["product"], row["case"], *(bytes.fromhex(event["hex"]) for event in first)))
    return rows


EXPECTED = {3: {Outcome.REJECTED}, 7: {Outcome.ABORTED}, 4: {Outcome.NOT_DICOM}, 6: {Outcome.NOT_DICOM}}
ACCEPTED = {Outcome.ACCEPTED, Outcome.ACCEPTED_NO_VERIFICATION, Outcome.REFLECTED}


def test_real_products() -> None:
    """Every recorded answer of a real product gets the outcome of its PDU type."""
    rows = fixtures()
    assert len(rows) > 200
    for product, case, request, answer in rows:
        outgoing = Outgoing(**(OUTGOING.templates | {"request": request}))
        conversation = begun(outgoing=outgoing)
        conversation.received(answer, 20)
        assert conversation.visit().outcome in EXPECTED.get(answer[0], ACCEPTED), (product, case)
        assert conversation.visit().like_dicom == (answer[0] in (2, 3, 7))


PIECES = st.sampled_from([ACCEPT, accept(result=4), REJECT, ABORT, ECHO_RSP, RELEASE_RP, RELEASE_RQ, HTTP, TLS_ALERT])
CUT = st.tuples(PIECES, st.integers(0, 120), st.integers(0, 120)).map(lambda cut: cut[0][cut[1] : cut[1] + cut[2]])
FORGED = st.tuples(st.integers(1, 7), st.integers(0, 90), st.binary(max_size=90)).map(
    lambda pdu: struct.pack(">BBL", pdu[0], 0, pdu[1]) + pdu[2]
)
PEERS = st.lists(PIECES | CUT | FORGED | st.binary(max_size=60), max_size=6)


@given(PEERS, st.booleans(), st.sampled_from(["deadline", "peer_closed", "peer_reset"]))
def test_any_peer(replies: list[bytes], echo: bool, end: str) -> None:
    """Any bytes in any segments give a documented outcome, and we answer with whole templates only."""
    visit, sent = converse(replies, echo=echo, end=end)
    assert isinstance(visit.outcome, Outcome)
    assert all(OUTGOING.allows(data) for data in sent)
    assert len(sent) <= 4
    assert len(visit.raw) <= min(visit.raw_length, RAW_LIMIT)
    assert visit.like_dicom == (visit.raw[:1] in (b"\x02", b"\x03", b"\x07") and visit.outcome is not Outcome.NOT_DICOM)


@given(st.binary(min_size=1, max_size=80), st.data())
def test_segments_do_not_matter_before_an_answer(data: bytes, draw: st.DataObject) -> None:
    """How a first answer is cut into segments does not change its outcome."""
    answer = draw.draw(st.sampled_from([b"\x02", b"\x03", b"\x07", b"\x16\x03", b""])) + data
    cut = draw.draw(st.integers(0, len(answer)))
    assert (
        converse([answer], end="peer_closed")[0].outcome
        == converse([answer[:cut], answer[cut:]], end="peer_closed")[0].outcome
    )
