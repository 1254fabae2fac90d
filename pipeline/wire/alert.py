"""The names of TLS alerts, as IANA's registry "TLS Alerts" lists them (RFC 8446 §6, RFC 5246 §7.2)."""

from collections.abc import Mapping

CLOSE_NOTIFY = 0
PROTOCOL_VERSION = 70
CERTIFICATE_REQUIRED = 116

ALERTS: Mapping[int, str] = {
    CLOSE_NOTIFY: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",
    22: "record_overflow",
    30: "decompression_failure",
    40: "handshake_failure",
    41: "no_certificate",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    52: "too_many_cids_requested",
    60: "export_restriction",
    PROTOCOL_VERSION: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    111: "certificate_unobtainable",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    114: "bad_certificate_hash_value",
    115: "unknown_psk_identity",
    CERTIFICATE_REQUIRED: "certificate_required",
    117: "general_error",
    120: "no_application_protocol",
    121: "ech_required",
}

#: Alerts to a client that answered a CertificateRequest without a certificate. RFC 8446 §4.4.2.4 requires
#: certificate_required; older servers send handshake_failure (RFC 5246 §7.4.6) or the alert of their certificate check.
ABOUT_CERTIFICATE = frozenset({40, 41, 42, 43, 46, 48, 49, CERTIFICATE_REQUIRED})


def name(number: int | None) -> str | None:
    """An alert's name; None for a number that is not in the registry."""
    return None if number is None else ALERTS.get(number)
