"""One conversation with one target, sans I/O: bytes and the time go in; bytes to send and one `Visit` come out.

The driver says what happened (`connected`, `received`, `peer_closed`, `peer_reset`, `connect_failed`, `deadline`) and
when, in microseconds since the visit began; each of these returns the bytes to send, at most one template and often
none. When `finished` is true the driver closes the connection at once, after sending what was returned: a rejected
or released connection that is left open blocks real servers for minutes.

States are those of the requestor's side of PS3.8 §9.2 (Table 9-10); `ACTIONS` is the table of what is done.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from pipeline.associate.pdu_facts import Facts, grade, of_abort, of_accept, of_echo, of_reject
from pipeline.outcome import CloseKind, CloseStage, Outcome, Surprise
from pipeline.record.visit import BANNER_LIMIT, RAW_LIMIT, Visit
from pipeline.wire.guess import DICOM, NON_DICOM_OUTCOMES, UNDECIDED, guess, opening
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

#: A SYN and its one repetition after 1 s have then had most of a second each; since 6.5, Linux would send another after 2 s.
CONNECT_US = 1_900_000
#: For each answer: what real servers take, a JVM's start included, is under 1 s.
ANSWER_US = 3_000_000
#: Whatever the peer does, we hold its only slot no longer than this.
WHOLE_US = 5_000_000


class State(Enum):
    """States of PS3.8 Table 9-10 that a requestor of one association passes through."""

    STA4 = "awaiting transport connection opening to complete"
    STA5 = "awaiting A-ASSOCIATE-AC or A-ASSOCIATE-RJ"
    STA6 = "association established, awaiting the C-ECHO response"
    STA7 = "awaiting A-RELEASE-RP"
    STA11 = "release collision, requestor side: awaiting A-RELEASE-RP"
    STA13 = "awaiting transport connection close: we close at once"

    __hash__ = object.__hash__  # members are singletons; Enum's own hash is Python code, and tables are asked often


STA4, STA5, STA6, STA7, STA11, STA13 = State

#: The phase that ends when the conversation ends in a state.
STAGES: Mapping[State, CloseStage] = {
    STA4: CloseStage.CONNECT,
    STA5: CloseStage.ASSOCIATE,
    STA6: CloseStage.ECHO,
    STA7: CloseStage.RELEASE,
    STA11: CloseStage.RELEASE,
    STA13: CloseStage.DONE,
}


class Conversation:
    """The association with one target, from the transport connection to our close."""

    __slots__ = (
        "_command", "_deadline_us", "_echo", "_facts", "_opening", "_outcome", "_outgoing", "_pdu_types",
        "_raw", "_raw_length", "_read", "_state", "_warnings", "_whole_us",
    )  # fmt: skip

    def __init__(
        self, outgoing: Outgoing, *, echo: bool, ip: int, port: int, started_at_us: int, whole_us: int = WHOLE_US
    ) -> None:
        self._outgoing = outgoing
        self._echo = echo
        self._whole_us = whole_us
        self._state = STA4
        self._opening = UNDECIDED
        self._outcome = Outcome.UNACKNOWLEDGED
        self._deadline_us = CONNECT_US
        self._raw = b""  # everything, up to RAW_LIMIT
        self._raw_length = 0
        self._read = 0  # how much of it has been decoded
        self._command = b""  # fragments of the peer's command set
        self._pdu_types: list[int] = []
        self._warnings: list[str] = []
        self._facts: Facts = {"ip": ip, "port": port, "started_at": started_at_us}

    # --- what the driver reads ---

    @property
    def state(self) -> State:
        """Where the conversation is."""
        return self._state

    @property
    def finished(self) -> bool:
        """Whether to close the connection at once."""
        return self._state is STA13

    @property
    def next_deadline_us(self) -> int:
        """When to call `deadline`, unless something happens before."""
        return self._deadline_us

    def visit(self, **driver: Any) -> Visit:
        """The facts, with those that the driver adds; they are final when the conversation is finished."""
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
        """Answer the connection with our request (PS3.8 AE-2)."""
        if self._state is not STA4:
            return b""
        self._outcome = Outcome.SILENT
        self._facts["connect_us"] = self._facts["request_us"] = now_us
        return self._ask(STA5, self._outgoing.request, now_us)

    def connect_failed(self, now_us: int, *, refused: bool = False) -> bytes:
        """Note that no connection came about: refused by a RST, or unreachable."""
        if self._state is not STA4:
            return b""
        return self.peer_reset(now_us) if refused else self._ended(CloseKind.WE_CLOSED, now_us)

    def received(self, data: bytes, now_us: int) -> bytes:
        """Take what the peer sent and go on as far as it leads."""
        if self.finished or not data:
            return b""
        self._keep(data, now_us)
        reply = self._open(now_us) if self._state is STA5 else self._walk(now_us)
        if self._raw_length > RAW_LIMIT and not self.finished:
            return self._give_up(Surprise.OVER_LIMIT, now_us)
        return reply

    def peer_closed(self, now_us: int) -> bytes:
        """Take the peer's FIN."""
        self._settle(Outcome.CLOSED)
        return self._ended(CloseKind.PEER_FIN, now_us)

    def peer_reset(self, now_us: int) -> bytes:
        """Take the peer's RST."""
        self._settle(Outcome.RESET)
        return self._ended(CloseKind.PEER_RST, now_us)

    def deadline(self, now_us: int, *, nothing: Outcome = Outcome.SILENT) -> bytes:
        """Take the end of our patience; `nothing` is what it means if not a byte came after our request."""
        if self.finished:
            return b""
        connected = self._state is not STA4
        self._settle(nothing if connected else Outcome.UNACKNOWLEDGED)
        like_dicom = self._opening is DICOM or not self._raw
        self._ended(CloseKind.DEADLINE, now_us)
        return self._outgoing.abort if connected and like_dicom else b""

    # --- reading ---

    def _keep(self, data: bytes, now_us: int) -> None:
        """Keep what fits, count all."""
        if not self._raw_length:
            self._facts["first_byte_us"] = now_us
        self._raw_length += len(data)
        self._raw += data[: RAW_LIMIT - len(self._raw)]

    def _open(self, now_us: int) -> bytes:
        """Judge the first bytes: leave what is not DICOM at once, read what is."""
        if self._opening is UNDECIDED:
            self._opening = opening(self._raw, self._outgoing.request)
        if self._opening is UNDECIDED:
            return b""
        if self._opening is DICOM:
            return self._walk(now_us)
        self._outcome = NON_DICOM_OUTCOMES[self._opening]
        return self._ended(CloseKind.WE_CLOSED, now_us)

    def _walk(self, now_us: int) -> bytes:
        """Decode whole PDUs until one of them moves us to say something."""
        while not self.finished and (pdu := self._next()) is not None:
            action = ACTIONS.get((self._state, type(pdu)), Conversation._unexpected)
            if reply := action(self, pdu, now_us):
                return self._checked(reply, now_us)
        return b""

    def _next(self) -> Pdu | None:
        """Cut the next PDU off what is unread."""
        whole = frame(self._raw, self._read)
        if whole is None or isinstance(whole, Malformed):
            return whole
        self._read += whole.size
        self._pdu_types.append(whole.type)
        pdu = decode(whole)
        return Malformed(pdu.fault) if isinstance(pdu, Data) and pdu.fault is not None else pdu

    def _checked(self, reply: bytes, now_us: int) -> bytes:
        """Abort with a peer that went on before we had said what it should answer."""
        if self.finished or self._read == len(self._raw):
            return reply
        self._warnings.append(Surprise.EARLY_BYTES)
        self._done(now_us)
        return self._outgoing.abort

    # --- actions ---

    def _accepted(self, pdu: Accept, now_us: int) -> bytes:
        """Judge an A-ASSOCIATE-AC (AE-3): is it well-formed, meant for us, and is Verification in it?"""
        found = of_accept(pdu, self._outgoing)
        self._note(pdu.warnings, {"answer_us": now_us} | found)
        if pdu.fault is not None:
            return self._refuse(Outcome.MALFORMED, now_us)
        if not (found["called_ae_echoed"] and found["calling_ae_echoed"]):
            return self._refuse(Outcome.REFLECTED, now_us)
        return self._established(pdu, now_us)

    def _established(self, pdu: Accept, now_us: int) -> bytes:
        """Go on with an association: C-ECHO if asked for and agreed, or release at once."""
        verification = any(context.id == CONTEXT_ID and context.result == 0 for context in pdu.contexts)
        self._outcome = Outcome.ACCEPTED if verification else Outcome.ACCEPTED_NO_VERIFICATION
        if verification and self._echo:
            self._facts["echo_sent"] = True
            return self._ask(STA6, self._outgoing.echo, now_us)
        return self._ask(STA7, self._outgoing.release_request, now_us)

    def _rejected(self, pdu: Reject, now_us: int) -> bytes:
        """Note an A-ASSOCIATE-RJ (AE-4) and close: one left open blocks servers for minutes."""
        self._outcome = Outcome.REJECTED
        self._note(pdu.warnings, {"answer_us": now_us} | of_reject(pdu))
        return self._done(now_us)

    def _aborted(self, pdu: Abort, now_us: int) -> bytes:
        """Note an A-ABORT in answer to our request (AA-3)."""
        self._outcome = Outcome.ABORTED
        self._note(pdu.warnings, {"answer_us": now_us} | of_abort(pdu))
        return self._done(now_us)

    def _broken_off(self, pdu: Abort, now_us: int) -> bytes:
        """Note an A-ABORT of an association that stood (AA-3)."""
        self._note(pdu.warnings, of_abort(pdu))
        return self._ended(CloseKind.WE_CLOSED, now_us)

    def _answered(self, pdu: Data, now_us: int) -> bytes:
        """Gather the command set of the C-ECHO response (DT-2); release when it is whole."""
        for fragment in pdu.fragments:
            if not fragment.is_command or fragment.context_id != CONTEXT_ID:
                return self._give_up(Surprise.NO_COMMAND, now_us)
            self._command += fragment.data
        return self._judge_echo(now_us) if pdu.fragments[-1].is_last else b""

    def _judge_echo(self, now_us: int) -> bytes:
        """Read a whole command set."""
        reply = decode_echo(self._command)
        if not isinstance(reply, EchoReply):
            return self._give_up(reply.reason, now_us)
        odd = () if reply.message_id == MESSAGE_ID else (Surprise.OTHER_MESSAGE,)
        self._outcome = Outcome.ECHOED
        self._note((*reply.warnings, *odd), {"echo_us": now_us} | of_echo(reply))
        return self._ask(STA7, self._outgoing.release_request, now_us)

    def _released(self, _pdu: ReleaseReply, now_us: int) -> bytes:
        """Note the A-RELEASE-RP (AR-3) and close first, at once."""
        self._note((), {"released": True, "release_us": now_us})
        return self._done(now_us)

    def _peer_releases(self, _pdu: ReleaseRequest, now_us: int) -> bytes:
        """Confirm a release that the peer asked for instead of answering our C-ECHO (AR-2, AR-4)."""
        self._warnings.append(Surprise.RELEASE_INSTEAD)
        self._ended(CloseKind.WE_CLOSED, now_us)
        return self._outgoing.release_reply

    def _collision(self, _pdu: ReleaseRequest, now_us: int) -> bytes:
        """Confirm the peer's release, which crossed ours, and go on waiting for its answer (AR-8, AR-9)."""
        self._warnings.append(Surprise.RELEASE_CROSSED)
        self._state = STA11
        return self._outgoing.release_reply

    def _overheard(self, _pdu: Data, _now_us: int) -> bytes:
        """Let P-DATA pass that comes after our A-RELEASE-RQ (AR-6)."""
        return b""

    def _unexpected(self, pdu: Pdu, now_us: int) -> bytes:
        """Abort on a PDU that has no place here, or is none (AA-8); a first answer that is so is malformed."""
        return self._give_up(pdu.reason if isinstance(pdu, Malformed) else Surprise.UNEXPECTED_PDU, now_us)

    # --- moving on ---

    def _note(self, warnings: tuple[str, ...], facts: Facts) -> None:
        """Add facts and warnings to the record."""
        self._warnings += warnings
        self._facts |= facts

    def _ask(self, state: State, data: bytes, now_us: int) -> bytes:
        """Send something that wants an answer, and wait for it."""
        self._state = state
        self._deadline_us = min(now_us + ANSWER_US, self._whole_us)
        return data

    def _settle(self, nothing: Outcome) -> None:
        """Give an outcome to a conversation that ended before an answer was complete."""
        if self._state not in (STA4, STA5):
            return
        if not self._raw:
            self._outcome = nothing
            return
        self._opening = opening(self._raw, self._outgoing.request, complete=True)
        self._outcome = NON_DICOM_OUTCOMES.get(self._opening, Outcome.MALFORMED)

    def _give_up(self, reason: str, now_us: int) -> bytes:
        """Abort, with the reason as a warning; what stood before stands."""
        self._warnings.append(reason)
        self._settle(Outcome.MALFORMED)
        self._ended(CloseKind.WE_CLOSED, now_us)
        return self._outgoing.abort

    def _refuse(self, outcome: Outcome, now_us: int) -> bytes:
        """Abort after a whole answer that is no acceptance."""
        self._outcome = outcome
        self._done(now_us)
        return self._outgoing.abort

    def _done(self, now_us: int) -> bytes:
        """End after the last answer that we waited for."""
        return self._ended(CloseKind.WE_CLOSED, now_us, stage=CloseStage.DONE)

    def _ended(self, kind: CloseKind, now_us: int, *, stage: CloseStage | None = None) -> bytes:
        """End here, if the end was not before."""
        if self.finished:
            return b""
        self._facts |= {"close_kind": kind, "close_stage": stage or STAGES[self._state], "closed_us": now_us}
        self._state = STA13
        return b""


#: (state, PDU) → what is done; PS3.8 Table 9-10 names the action. Whatever is not here is AA-8: A-ABORT and close.
ACTIONS: Mapping[tuple[State, type], Callable[..., bytes]] = {
    (STA5, Accept): Conversation._accepted,
    (STA5, Reject): Conversation._rejected,
    (STA5, Abort): Conversation._aborted,
    (STA6, Data): Conversation._answered,
    (STA6, ReleaseRequest): Conversation._peer_releases,
    (STA6, Abort): Conversation._broken_off,
    (STA7, Data): Conversation._overheard,
    (STA7, ReleaseReply): Conversation._released,
    (STA7, ReleaseRequest): Conversation._collision,
    (STA7, Abort): Conversation._broken_off,
    (STA11, ReleaseReply): Conversation._released,
    (STA11, Abort): Conversation._broken_off,
}
