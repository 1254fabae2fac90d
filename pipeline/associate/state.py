"""The states of a conversation: the requestor's side of the upper layer's state machine (PS3.8 §9.2).

Table 9-10 of PS3.8 has thirteen states. We only request one association, so six remain:

    STA4 ── connected ──▶ STA5
    STA5 ── A-ASSOCIATE-AC ──▶ STA6 with C-ECHO, STA7 without
    STA5 ── A-ASSOCIATE-RJ, A-ABORT ──▶ STA13
    STA6 ── C-ECHO-RSP ──▶ STA7
    STA7 ── A-RELEASE-RP ──▶ STA13
    STA7 ── A-RELEASE-RQ ──▶ STA11 ── A-RELEASE-RP ──▶ STA13
    any  ── FIN, RST, deadline, malformed or unexpected PDU ──▶ STA13

What we send on each arrow is in `conversation.ACTIONS`. A (state, PDU) pair that is not in that table is the standard's
action AA-8: send A-ABORT and close.

We depart from the standard twice. First, `wire.guess.opening` judges the first bytes before any PDU is decoded: a peer
that does not speak DICOM gets no A-ABORT, which would mean nothing to it. Second, the standard waits in STA13 until the
peer closes the connection; we close first, because real servers stay blocked for minutes by a connection left open.
"""

from collections.abc import Mapping
from enum import Enum

from pipeline.outcome import CloseStage


class AssociationState(Enum):
    """States of PS3.8 Table 9-10 that the requestor of one association passes through."""

    STA4 = "waiting for the transport connection to open"
    STA5 = "waiting for A-ASSOCIATE-AC or A-ASSOCIATE-RJ"
    STA6 = "association established, waiting for the C-ECHO response"
    STA7 = "waiting for A-RELEASE-RP"
    STA11 = "release collision, requestor side: waiting for A-RELEASE-RP"
    STA13 = "the connection is to be closed at once"

    __hash__ = object.__hash__  # members are singletons, and Enum's own hash is slow Python code on a hot path


STA4, STA5, STA6, STA7, STA11, STA13 = AssociationState

#: The phase in which a conversation ends, by the state it ends in.
STAGES: Mapping[AssociationState, CloseStage] = {
    STA4: CloseStage.CONNECT,
    STA5: CloseStage.ASSOCIATE,
    STA6: CloseStage.ECHO,
    STA7: CloseStage.RELEASE,
    STA11: CloseStage.RELEASE,
    STA13: CloseStage.DONE,
}
