"""One conversation with one target, sans I/O: bytes and times go in; bytes to send and one `Visit` come out.

Rules of this file
------------------
- No socket, clock, thread, log or random number. Time is an argument: microseconds since the visit began.
- What a peer does never raises. Any bytes at any time give one `Outcome`; only a fault of ours raises.
- What a method returns is one whole template of `Outgoing`, or nothing.

`pipeline.associate.state` explains the state machine. `ACTIONS`, at the end of this file, is its table: (state, PDU type)
→ method. Each method's docstring names the standard's action (AE-3 and so on).

How a driver uses it
--------------------
A driver moves the bytes: `associate.client` over kernel TCP, `probe.flow` over TCP of our own, `associate.tls` through
TLS, `associate.replay` from stored bytes. It reports each event (`connected`, `received`, `peer_closed`, `peer_reset`,
`connect_failed`, `deadline`) and sends what the call returns. It calls `deadline` at `next_deadline_us`. When
`finished` is true it closes the connection at once, after sending what was returned: real servers stay blocked for
minutes by a rejected or released connection that is left open.

What is recorded
----------------
Three facts say how a conversation ended, and they are independent. `outcome` is the answer to our request: once that
is complete, nothing that follows changes it, except that a C-ECHO response makes an acceptance `echoed`. `close_kind`
says who ended the connection, and how. `close_stage` is the phase in which it ended (`STAGES`).
"""

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.associate.pdu_facts import Facts, abort_facts, accept_facts, echo_facts, grade, reject_facts
from pipeline.associate.state import STA4, STA5, STA6, STA7, STA11, STA13, STAGES, AssociationState
from pipeline.outcome import CloseKind, CloseStage, Outcome, Surprise
from pipeline.record.visit import BANNER_LIMIT, RAW_LIMIT, Visit
from pipeline.wire.guess import DICOM, NON_DICOM_OUTCOMES, UNDECIDED, guess, opening
from pipeline.wire.mirror import is_mirrored
from pipeline.wire.outgoing import CONTEXT_ID, MESSAGE_ID, Outgoing
from pipeline.wire.pdu import (
    PARSER_VERSION,
    WARNINGS_KEPT,
    Abort,
    Accept,
    Data,
    EchoReply,
    Malformed,
    Pdu,
    Reject,
    ReleaseReply,
    ReleaseRequest,
    decode,
    decode_echo,
    frame,
)

#: The SYN and its one retransmission after 1 s have then had most of a second each. Linux since 6.5 would send a third
#: SYN after 2 s.
CONNECT_US = 1_900_000
#: For each answer. Real servers take under 1 s, a starting JVM included.
ANSWER_US = 3_000_000
#: For the whole visit: some servers have a single slot, and we occupy it no longer than this.
VISIT_US = 5_000_000


class Conversation:
    """One association with one target, from the transport connection to our close."""

    __slots__ = (
        "_command", "_deadline_us", "_decoded_length", "_echo", "_facts", "_opening", "_outcome", "_outgoing", "_pdu_types",
        "_raw", "_raw_length", "_state", "_visit_us", "_warnings",
    )  # fmt: skip

    def __init__(
        self, outgoing: Outgoing, *, echo: bool, ip: int, port: int, started_at_us: int, visit_us: int = VISIT_US
    ) -> None:
        self._outgoing = outgoing
        self._echo = echo
        self._visit_us = visit_us
        self._state = STA4
        self._opening = UNDECIDED
        self._outcome = Outcome.UNACKNOWLEDGED
        self._deadline_us = CONNECT_US
        self._raw = b""  # everything, up to RAW_LIMIT
        self._raw_length = 0
        self._decoded_length = 0  # how many bytes of `_raw` have been decoded
        self._command = b""  # fragments of the peer's command set
        self._pdu_types: list[int] = []
        self._warnings: list[str] = []
        self._facts: Facts = {"ip": ip, "port": port, "started_at": started_at_us}

    # --- what the driver reads ---

    @property
    def state(self) -> AssociationState:
        """The current state."""
        return self._state

    @property
    def finished(self) -> bool:
        """Whether the driver must close the connection now."""
        return self._state is STA13

    @property
    def next_deadline_us(self) -> int:
        """When to call `deadline`, unless another event comes first."""
        return self._deadline_us

    def visit(self, **driver: Any) -> Visit:
        """The record of the conversation, with the facts that the driver adds; final once `finished`."""
        like_dicom = self._opening is DICOM
        raw = self._raw if like_dicom else self._raw[:BANNER_LIMIT]
        ending: Facts = {} if self.finished else {"close_kind": CloseKind.WE_CLOSED, "close_stage": STAGES[self._state]}
        return Visit(
            **self._facts,
            **ending,
            **driver,
            outcome=self._outcome,
            grade=grade(self._outcome, self._warnings) if like_dicom else None,
            like_dicom=like_dicom,
            raw=raw,
            raw_length=self._raw_length,
            pdu_types=tuple(self._pdu_types),
            parser_version=PARSER_VERSION,
            parse_warnings=tuple(self._warnings[:WARNINGS_KEPT]),
            guess=None if like_dicom or not raw else guess(raw),
        )

    # --- what the driver reports ---

    def connected(self, now_us: int) -> bytes:
        """Return our request, now that the connection is open (AE-2)."""
        if self._state is not STA4:
            return b""
        self._outcome = Outcome.SILENT
        self._facts["connect_us"] = self._facts["request_us"] = now_us
        return self._await_answer(STA5, self._outgoing.request, now_us)

    def connect_failed(self, now_us: int, *, refused: bool = False) -> bytes:
        """Record that no connection was opened: refused by a RST, or unreachable."""
        if self._state is not STA4:
            return b""
        return self.peer_reset(now_us) if refused else self._end(CloseKind.WE_CLOSED, now_us)

    def received(self, data: bytes, now_us: int) -> bytes:
        """Take bytes from the peer; return our next template once they complete an answer."""
        if self.finished or not data:
            return b""
        self._keep_raw(data, now_us)
        reply = self._judge_opening(now_us) if self._state is STA5 else self._decode_all(now_us)
        if self._raw_length > RAW_LIMIT and not self.finished:
            return self._abort_with_warning(Surprise.OVER_LIMIT, now_us)
        return reply

    def peer_closed(self, now_us: int) -> bytes:
        """Take the peer's FIN."""
        self._set_incomplete_outcome(Outcome.CLOSED)
        return self._end(CloseKind.PEER_FIN, now_us)

    def peer_reset(self, now_us: int) -> bytes:
        """Take the peer's RST."""
        self._set_incomplete_outcome(Outcome.RESET)
        return self._end(CloseKind.PEER_RST, now_us)

    def deadline(self, now_us: int, *, if_silent: Outcome = Outcome.SILENT) -> bytes:
        """Take the deadline. `if_silent` is the outcome where no byte came after our request."""
        if self.finished:
            return b""
        connected = self._state is not STA4
        self._set_incomplete_outcome(if_silent if connected else Outcome.UNACKNOWLEDGED)
        like_dicom = self._opening is DICOM or not self._raw
        self._end(CloseKind.DEADLINE, now_us)
        return self._outgoing.abort if connected and like_dicom else b""

    # --- reading ---

    def _keep_raw(self, data: bytes, now_us: int) -> None:
        """Keep the first RAW_LIMIT bytes, count all."""
        if not self._raw_length:
            self._facts["first_byte_us"] = now_us
        self._raw_length += len(data)
        self._raw += data[: RAW_LIMIT - len(self._raw)]

    def _judge_opening(self, now_us: int) -> bytes:
        """Judge the first bytes: decode DICOM, close at once on anything else."""
        if self._opening is UNDECIDED:
            self._opening = opening(self._raw, self._outgoing.request)
        if self._opening is UNDECIDED:
            return b""
        if self._opening is DICOM:
            return self._decode_all(now_us)
        self._outcome = NON_DICOM_OUTCOMES[self._opening]
        return self._end(CloseKind.WE_CLOSED, now_us)

    def _decode_all(self, now_us: int) -> bytes:
        """Decode whole PDUs until one of them calls for a reply."""
        while not self.finished and (pdu := self._next_pdu()) is not None:
            action = ACTIONS.get((self._state, type(pdu)), Conversation._on_unexpected)
            if reply := action(self, pdu, now_us):
                return self._without_early_bytes(reply, now_us)
        return b""

    def _next_pdu(self) -> Pdu | None:
        """The next undecoded PDU; None while it is incomplete."""
        cut = frame(self._raw, self._decoded_length)
        if cut is None or isinstance(cut, Malformed):
            return cut
        self._decoded_length += cut.size
        self._pdu_types.append(cut.type)
        pdu = decode(cut)
        return Malformed(pdu.fault) if isinstance(pdu, Data) and pdu.fault is not None else pdu

    def _without_early_bytes(self, reply: bytes, now_us: int) -> bytes:
        """Return the reply, or an A-ABORT if the peer has already sent more, before it could have seen our reply."""
        if self.finished or self._decoded_length == len(self._raw):
            return reply
        self._warnings.append(Surprise.EARLY_BYTES)
        self._complete(now_us)
        return self._outgoing.abort

    # --- actions ---

    def _on_accept(self, pdu: Accept, now_us: int) -> bytes:
        """Judge an A-ASSOCIATE-AC (AE-3): well-formed, and not our own request? Its AE titles do not count."""
        self._record(pdu.warnings, {"answer_us": now_us} | accept_facts(pdu, self._outgoing))
        if pdu.fault is not None:
            return self._abort_with_outcome(Outcome.MALFORMED, now_us)
        if is_mirrored(pdu, self._raw[: self._decoded_length], self._outgoing.request):
            return self._abort_with_outcome(Outcome.REFLECTED, now_us)
        return self._on_established(pdu, now_us)

    def _on_established(self, pdu: Accept, now_us: int) -> bytes:
        """Send a C-ECHO if this visit has one and the peer agreed to Verification; otherwise release at once."""
        verification = any(context.id == CONTEXT_ID and context.result == 0 for context in pdu.contexts)
        self._outcome = Outcome.ACCEPTED if verification else Outcome.ACCEPTED_NO_VERIFICATION
        if verification and self._echo:
            self._facts["echo_sent"] = True
            return self._await_answer(STA6, self._outgoing.echo, now_us)
        return self._await_answer(STA7, self._outgoing.release_request, now_us)

    def _on_reject(self, pdu: Reject, now_us: int) -> bytes:
        """Record an A-ASSOCIATE-RJ (AE-4) and close."""
        self._outcome = Outcome.REJECTED
        self._record(pdu.warnings, {"answer_us": now_us} | reject_facts(pdu))
        return self._complete(now_us)

    def _on_first_abort(self, pdu: Abort, now_us: int) -> bytes:
        """Record an A-ABORT that answers our request (AA-3)."""
        self._outcome = Outcome.ABORTED
        self._record(pdu.warnings, {"answer_us": now_us} | abort_facts(pdu))
        return self._complete(now_us)

    def _on_abort(self, pdu: Abort, now_us: int) -> bytes:
        """Record an A-ABORT of an established association (AA-3)."""
        self._record(pdu.warnings, abort_facts(pdu))
        return self._end(CloseKind.WE_CLOSED, now_us)

    def _on_echo_data(self, pdu: Data, now_us: int) -> bytes:
        """Collect the command set of the C-ECHO response (DT-2); release when it is complete."""
        for fragment in pdu.fragments:
            if not fragment.is_command or fragment.context_id != CONTEXT_ID:
                return self._abort_with_warning(Surprise.NO_COMMAND, now_us)
            self._command += fragment.data
        return self._judge_echo(now_us) if pdu.fragments[-1].is_last else b""

    def _judge_echo(self, now_us: int) -> bytes:
        """Read the complete command set."""
        reply = decode_echo(self._command)
        if not isinstance(reply, EchoReply):
            return self._abort_with_warning(reply.reason, now_us)
        mismatch = () if reply.message_id == MESSAGE_ID else (Surprise.OTHER_MESSAGE,)
        self._outcome = Outcome.ECHOED
        self._record((*reply.warnings, *mismatch), {"echo_us": now_us} | echo_facts(reply))
        return self._await_answer(STA7, self._outgoing.release_request, now_us)

    def _on_release_reply(self, _pdu: ReleaseReply, now_us: int) -> bytes:
        """Record the A-RELEASE-RP (AR-3) and close, before the peer does."""
        self._record((), {"released": True, "release_us": now_us})
        return self._complete(now_us)

    def _on_release_request(self, _pdu: ReleaseRequest, now_us: int) -> bytes:
        """Confirm a release that the peer requests instead of answering our C-ECHO (AR-2, AR-4)."""
        self._warnings.append(Surprise.RELEASE_INSTEAD)
        self._end(CloseKind.WE_CLOSED, now_us)
        return self._outgoing.release_reply

    def _on_release_collision(self, _pdu: ReleaseRequest, now_us: int) -> bytes:
        """Confirm the peer's release request, which crossed ours, and keep waiting for its reply (AR-8, AR-9)."""
        self._warnings.append(Surprise.RELEASE_CROSSED)
        self._state = STA11
        return self._outgoing.release_reply

    def _ignore(self, _pdu: Data, _now_us: int) -> bytes:
        """Ignore P-DATA that comes after our A-RELEASE-RQ (AR-6)."""
        return b""

    def _on_unexpected(self, pdu: Pdu, now_us: int) -> bytes:
        """Abort on a PDU that is malformed or not allowed in this state (AA-8)."""
        return self._abort_with_warning(pdu.reason if isinstance(pdu, Malformed) else Surprise.UNEXPECTED_PDU, now_us)

    # --- moving on ---

    def _record(self, warnings: tuple[str, ...], facts: Facts) -> None:
        """Add warnings and facts to the record."""
        self._warnings += warnings
        self._facts |= facts

    def _await_answer(self, state: AssociationState, data: bytes, now_us: int) -> bytes:
        """Enter a state in which the peer must answer this template within ANSWER_US."""
        self._state = state
        self._deadline_us = min(now_us + ANSWER_US, self._visit_us)
        return data

    def _set_incomplete_outcome(self, without_reply: Outcome) -> None:
        """Set the outcome of a conversation that ends before the answer to our request is complete."""
        if self._state not in (STA4, STA5):
            return
        if not self._raw:
            self._outcome = without_reply
            return
        self._opening = opening(self._raw, self._outgoing.request, complete=True)
        self._outcome = NON_DICOM_OUTCOMES.get(self._opening, Outcome.MALFORMED)

    def _abort_with_warning(self, reason: str, now_us: int) -> bytes:
        """Abort, and record the reason as a warning; an outcome that is set already remains."""
        self._warnings.append(reason)
        self._set_incomplete_outcome(Outcome.MALFORMED)
        self._end(CloseKind.WE_CLOSED, now_us)
        return self._outgoing.abort

    def _abort_with_outcome(self, outcome: Outcome, now_us: int) -> bytes:
        """Abort after a complete answer that is not a usable acceptance."""
        self._outcome = outcome
        self._complete(now_us)
        return self._outgoing.abort

    def _complete(self, now_us: int) -> bytes:
        """End after the last answer that we expected."""
        return self._end(CloseKind.WE_CLOSED, now_us, stage=CloseStage.DONE)

    def _end(self, kind: CloseKind, now_us: int, *, stage: CloseStage | None = None) -> bytes:
        """End the conversation, unless it has ended already."""
        if self.finished:
            return b""
        self._facts |= {"close_kind": kind, "close_stage": stage or STAGES[self._state], "closed_us": now_us}
        self._state = STA13
        return b""


#: (state, PDU type) → method, after PS3.8 Table 9-10. Every other pair is AA-8: A-ABORT and close.
ACTIONS: Mapping[tuple[AssociationState, type], Callable[..., bytes]] = {
    (STA5, Accept): Conversation._on_accept,
    (STA5, Reject): Conversation._on_reject,
    (STA5, Abort): Conversation._on_first_abort,
    (STA6, Data): Conversation._on_echo_data,
    (STA6, ReleaseRequest): Conversation._on_release_request,
    (STA6, Abort): Conversation._on_abort,
    (STA7, Data): Conversation._ignore,
    (STA7, ReleaseReply): Conversation._on_release_reply,
    (STA7, ReleaseRequest): Conversation._on_release_collision,
    (STA7, Abort): Conversation._on_abort,
    (STA11, ReleaseReply): Conversation._on_release_reply,
    (STA11, Abort): Conversation._on_abort,
}
