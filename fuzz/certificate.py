"""Fuzz target: any bytes as a certificate, or as a Certificate message, give facts and warnings."""

from pipeline.record.visit import Certificate
from pipeline.wire.certificate import CHAIN_LIMIT, SAN_LIMIT, from_message, read, read_chain


def target(data: bytes) -> None:
    """Read the bytes as a certificate, and as a Certificate message in both formats."""
    _check(read(data, data))
    for extended in (False, True):
        chain = read_chain(list(from_message(data, extended=extended)))
        assert len(chain) <= CHAIN_LIMIT
        for certificate in chain:
            _check(certificate)


def _check(certificate: Certificate) -> None:
    assert certificate.subject is not None or certificate.warnings
    assert len(certificate.san) <= min(SAN_LIMIT, certificate.san_count)
