"""The PDUs of four bytes: A-ASSOCIATE-RJ, A-RELEASE-RQ, A-RELEASE-RP, A-ABORT (PS3.8 §9.3.4, §9.3.6 to §9.3.8)."""

from pipeline.wire.fields import Abort, Reject, ReleaseReply, ReleaseRequest
from pipeline.wire.warning import ParseWarning

#: Results of a rejection (PS3.8 Table 9-21): permanent, transient.
RESULTS = frozenset({1, 2})

#: (source, reason) of a rejection → its name in the standard (PS3.8 Table 9-21); all others are reserved.
REJECTIONS: dict[tuple[int, int], str] = {
    (1, 1): "no-reason-given",
    (1, 2): "application-context-name-not-supported",
    (1, 3): "calling-AE-title-not-recognized",
    (1, 7): "called-AE-title-not-recognized",
    (2, 1): "no-reason-given",
    (2, 2): "protocol-version-not-supported",
    (3, 1): "temporary-congestion",
    (3, 2): "local-limit-exceeded",
}

SERVICE_USER, SERVICE_PROVIDER = 0, 2
#: Reason of an abort by the service provider → its name in the standard (PS3.8 Table 9-26); 3 is reserved.
ABORTS: dict[int, str] = {
    0: "reason-not-specified",
    1: "unrecognized-PDU",
    2: "unexpected-PDU",
    4: "unrecognized-PDU parameter",
    5: "unexpected-PDU parameter",
    6: "invalid-PDU-parameter value",
}


def read_reject(body: bytes) -> Reject:
    """Read reserved, result, source, reason (PS3.8 Table 9-21)."""
    _, result, source, reason = body
    listed = result in RESULTS and (source, reason) in REJECTIONS
    return Reject(result, source, reason, warnings=() if listed else (ParseWarning.REJECTION_RESERVED,))


def read_abort(body: bytes) -> Abort:
    """Read reserved, reserved, source, reason (PS3.8 Table 9-26)."""
    _, _, source, reason = body
    if source == SERVICE_USER:
        return Abort(source, reason, warnings=(ParseWarning.ABORT_INSIGNIFICANT,) if reason else ())
    listed = source == SERVICE_PROVIDER and reason in ABORTS
    return Abort(source, reason, warnings=() if listed else (ParseWarning.ABORT_RESERVED,))


def read_release_request(_body: bytes) -> ReleaseRequest:
    """Read an A-RELEASE-RQ: four reserved bytes, which are not tested (PS3.8 Table 9-24)."""
    return ReleaseRequest()


def read_release_reply(_body: bytes) -> ReleaseReply:
    """Read an A-RELEASE-RP: four reserved bytes, which are not tested (PS3.8 Table 9-25)."""
    return ReleaseReply()
