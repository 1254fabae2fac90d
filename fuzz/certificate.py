"""Fuzz target: any bytes for a certificate, or for a Certificate message, give facts and warnings."""

from pipeline.record.visit import Certificate
from pipeline.wire.certificate import CHAIN_LIMIT, SAN_LIMIT, from_message, read, read_chain


def target(data: bytes) -> None:
    """Read the bytes as a certificate, and as a Certificate message of either layout."""
    _sound(read(data, data))
    for extended in (False, True):
        chain = read_chain(list(from_message(data, extended=extended)))
        assert len(chain) <= CHAIN_LIMIT
        for certificate in chain:
            _sound(certificate)


def _sound(certificate: Certificate) -> None:
    assert certificate.subject is not None or certificate.warnings
    assert len(certificate.san) <= min(SAN_LIMIT, certificate.san_count)
