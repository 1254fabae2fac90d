"""What can happen to a target that answered our SYN: one closed vocabulary, defined here and nowhere else.

`schemas/responses.toml`, the SQL in `analysis/` and `docs/outcomes.md` are tested against these enumerations.
Qualifiers (who ended the conversation, and in which phase) are values of their own, so that outcomes stay few.
"""

from enum import StrEnum


class Explained(StrEnum):
    """A string enumeration whose members carry one sentence of explanation."""

    explanation: str

    def __new__(cls, value: str, explanation: str) -> "Explained":
        """Make the member a string, and keep its explanation beside it."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.explanation = explanation
        return member


class Outcome(Explained):
    """What happened to a target, judged from what it sent."""

    ECHOED = "echoed", "Accepted the association and answered our C-ECHO."
    ACCEPTED = "accepted", "Accepted the association and Verification; no C-ECHO was sent or it was not answered."
    ACCEPTED_NO_VERIFICATION = "accepted_no_verification", "Accepted the association, refused Verification in it."
    REJECTED = "rejected", "Answered with an A-ASSOCIATE-RJ."
    ABORTED = "aborted", "Answered our request with an A-ABORT."
    MALFORMED = "malformed", "Began to answer like DICOM (PDU type 02, 03 or 07), but not as PS3.8 §9.3 lays it out."
    REFLECTED = (
        "reflected",
        "Sent our own request back, as it was or as an A-ASSOCIATE-AC that still proposes our contexts.",
    )
    NOT_DICOM = "not_dicom", "Sent other bytes than DICOM's or TLS's."
    TLS = "tls", "Sent a TLS record."
    SILENT = "silent", "Took our request and sent nothing until the deadline."
    UNACKNOWLEDGED = "unacknowledged", "Never acknowledged our connection or our request."
    ZERO_WINDOW = "zero_window", "Kept its receive window shut, so that our request could not be sent."
    RESET = "reset", "Reset the connection without a byte."
    CLOSED = "closed", "Closed the connection without a byte."


class CloseKind(Explained):
    """Who ended the conversation. Of two who close at once, only a FIN that came before ours is a fact."""

    WE_CLOSED = "we_closed", "We closed first."
    PEER_FIN = "peer_fin", "The peer's FIN came before we closed."
    PEER_RST = "peer_rst", "The peer reset the connection."
    DEADLINE = "deadline", "Our deadline passed; we aborted and closed."


class CloseStage(Explained):
    """The phase of the conversation in which it ended."""

    CONNECT = "connect", "Before our request was sent."
    ASSOCIATE = "associate", "After our request, before the answer to it was complete."
    ECHO = "echo", "After our C-ECHO, before its answer was complete."
    RELEASE = "release", "After our A-RELEASE request, before its answer was complete."
    DONE = "done", "After the last answer that we waited for."


class Grade(Explained):
    """How surely an answer is DICOM's."""

    CERTAIN = (
        "certain",
        "An acceptance that answers presentation contexts, or a rejection with codes that the standard lists.",
    )
    LIKELY = "likely", "An acceptance that answers none, any other rejection, or an abort."
    DOUBTFUL = "doubtful", "Begins like DICOM and breaks off or goes wrong."


class Surprise(Explained):
    """What a peer did that the state of the conversation does not allow; one of the warnings."""

    EARLY_BYTES = "early_bytes", "Sent more before we had sent what it should answer."
    UNEXPECTED_PDU = "unexpected_pdu", "Sent a PDU that is not valid in this state (PS3.8 Table 9-10, AA-8)."
    NO_COMMAND = "no_command", "Sent P-DATA that is not a command on our presentation context."
    OTHER_MESSAGE = "other_message", "Answered another message than our C-ECHO."
    RELEASE_INSTEAD = "release_instead", "Asked for release instead of answering our C-ECHO."
    RELEASE_CROSSED = "release_crossed", "Asked for release when we had."
    OVER_LIMIT = "over_limit", "Sent more than is ever kept."


class Arm(Explained):
    """Why the harm check probes a target, and in which order it is visited and probed."""

    VISITED = "visited", "Deferred at its first answer, visited after the delay, and probed after as long again."
    UNVISITED = (
        "unvisited",
        "Deferred at its first answer, probed after twice the delay, when the visited are, and only then visited; probed again.",
    )
    SPEAKER = "speaker", "Spoke DICOM at a visit that nothing delayed, and is probed after the delay."


class CompanionAnswer(Explained):
    """What came back from a companion port: one SYN without data, to an address that spoke DICOM."""

    OPEN = "open", "A SYN-ACK, which was reset: something listens."
    CLOSED = "closed", "A reset: nothing listens, or a firewall says so."
    SILENT = "silent", "Nothing: filtered, or one of the two packets was lost."


class Transport(Explained):
    """What carried the association."""

    TCP = "tcp", "TCP alone."
    TLS = "tls", "TLS over TCP (PS3.15 Annex B)."


class Handshake(Explained):
    """How the TLS handshake with a target ended."""

    COMPLETED = "completed", "Completed; the association went through it."
    REFUSED_VERSION = "refused_version", "No version from TLS 1.0 to 1.3 suited both, as its alert or its answer says."
    NEEDS_CLIENT_CERTIFICATE = (
        "needs_client_certificate",
        "Asked for a client certificate and ended the connection when it got none, before our request was sent or by alert.",
    )
    ALERT = "alert", "Ended by another alert of the peer's."
    NOT_TLS = "not_tls", "Answered our hello with bytes that are not a TLS record."
    CLOSED = "closed", "The peer closed the connection during the handshake without an alert."
    RESET = "reset", "The peer reset the connection during the handshake."
    DEADLINE = "deadline", "Not completed when our deadline passed."
    MALFORMED = "malformed", "Answered with TLS records that make no handshake, or with more than we take."
    NO_CONNECTION = "no_connection", "No connection came about."


class ClientCertificate(Explained):
    """Whether the peer wants a certificate of the client; we have none."""

    NOT_REQUESTED = "not_requested", "Did not ask for one before the handshake was completed or over."
    REQUESTED = "requested", "Asked for one, and went on without it or did not learn yet that there is none."
    REQUIRED = "required", "Asked for one, and an alert about certificates followed when it got none."
    SUSPECTED = (
        "suspected",
        "Asked for one, and closed or reset without a word when it got none: perhaps for another reason.",
    )


class Naming(Explained):
    """How the question for the host names of an address ended."""

    CONFIRMED = "confirmed", "Has a name that leads back to it."
    UNCONFIRMED = "unconfirmed", "Has names, none of which leads back to it."
    NO_NAME = "no_name", "Has no name."
    MALFORMED = "malformed", "The answer cannot be read, goes round in circles, or holds no name that a host can have."
    TIMEOUT = "timeout", "No valid answer came in time; the next run looks it up again."
    FAILED = "failed", "The name server refused, failed, or could not be reached; the next run looks it up again."


class Notice(Explained):
    """Whether a recipient was informed of a service (`census notify`)."""

    INFORMED = "informed", "Handed over; the lot could have made it wait."
    WAITING = "waiting", "Not handed over until the experiment ends: the lot made it wait."
    NO_EXPERIMENT = "no_experiment", "Handed over; no experiment was on."


#: Endings after which an address is not asked about again.
NAMED = frozenset({Naming.CONFIRMED, Naming.UNCONFIRMED, Naming.NO_NAME, Naming.MALFORMED})

#: Outcomes that only a DICOM upper layer produces.
SPEAKS_DICOM = frozenset(
    {Outcome.ECHOED, Outcome.ACCEPTED, Outcome.ACCEPTED_NO_VERIFICATION, Outcome.REJECTED, Outcome.ABORTED}
)

#: Outcomes in which the peer accepted an association.
ACCEPTS_ASSOCIATION = frozenset({Outcome.ECHOED, Outcome.ACCEPTED, Outcome.ACCEPTED_NO_VERIFICATION})

#: Outcomes in which the peer took data from us: all but those that ended before a byte went either way, as far as we know.
ACCEPTS_DATA = frozenset(Outcome) - {Outcome.UNACKNOWLEDGED, Outcome.ZERO_WINDOW, Outcome.RESET, Outcome.CLOSED}
