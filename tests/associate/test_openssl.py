"""The record of handshakes: Python's private message callback behaves as `pipeline.associate.openssl` describes."""

import ssl
from pathlib import Path

import pytest

from pipeline.associate import openssl
from pipeline.wire.certificate import from_message
from tests.associate.authority import Issued, issue
from tests.associate.tlspeer import server_context

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
ROOT = issue("root", ca=True)
LEAF = issue("pacs.example.test", ROOT)


def handshake(
    folder: Path, version: ssl.TLSVersion, demand: ssl.VerifyMode, *issued: Issued
) -> openssl.RecordingSslObject:
    """Run a handshake in memory as far as possible, and return our end."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = openssl.connect(to_client, to_server)
    files = issued[0].write(folder, *issued[1:])
    theirs = server_context(*files, version=version, demand=demand).wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for end in (ours, theirs):
            try:
                end.do_handshake()
                end.read()
            except ssl.SSLError:
                continue
    return ours


@pytest.mark.parametrize("demand", [ssl.CERT_NONE, ssl.CERT_OPTIONAL])
@pytest.mark.parametrize("version", [V12, V13])
def test_completed(tmp_path: Path, version: ssl.TLSVersion, demand: ssl.VerifyMode) -> None:
    """A completed handshake shows the version, the certificates, and whether a client certificate was requested."""
    seen = handshake(tmp_path, version, demand, LEAF, ROOT)
    assert seen.version_seen == version
    assert seen.requested is seen.declined is (demand is ssl.CERT_OPTIONAL)
    assert certificates(seen) == [LEAF.der, ROOT.der]
    assert (seen.alert, seen.our_alert, seen.ticket) == (None, None, version is V13)


def certificates(seen: openssl.RecordingSslObject) -> list[bytes]:
    """The certificates that the server sent."""
    assert seen.certificate is not None
    return list(from_message(seen.certificate, extended=seen.certificate_version == openssl.TLS_1_3))


@pytest.mark.parametrize(("version", "alert"), [(V12, 40), (V13, 116)])
def test_refused(tmp_path: Path, version: ssl.TLSVersion, alert: int) -> None:
    """A refused handshake, too, shows the certificates, and the alert, encrypted or not."""
    seen = handshake(tmp_path, version, ssl.CERT_REQUIRED, LEAF)
    assert (seen.requested, seen.declined, seen.alert, seen.our_alert) == (True, True, alert, None)
    assert certificates(seen) == [LEAF.der]


def test_certificates_as_the_library_has_them(tmp_path: Path) -> None:
    """The certificates equal those that `ssl` itself gives for the connection."""
    seen = handshake(tmp_path, V13, ssl.CERT_NONE, LEAF, ROOT)
    assert seen.getpeercert(binary_form=True) == certificates(seen)[0]
    assert seen.session_reused is False


def test_connections_are_separate(tmp_path: Path) -> None:
    """Connections of the same context do not see each other's messages."""
    first = handshake(tmp_path, V12, ssl.CERT_OPTIONAL, LEAF)
    second = handshake(tmp_path, V13, ssl.CERT_NONE, ROOT)
    assert (first.requested, second.requested) == (True, False)
    assert (certificates(first), certificates(second)) == ([LEAF.der], [ROOT.der])
    assert openssl.context() is first.context is second.context


def test_old_and_weak() -> None:
    """Old versions and weak ciphers are offered, anonymous ciphers are not."""
    offered = openssl.context().get_ciphers()
    assert {"NULL-SHA256", "AES128-SHA", "ECDHE-RSA-AES256-GCM-SHA384"} <= {cipher["name"] for cipher in offered}
    assert not [cipher["name"] for cipher in offered if cipher["auth"] == "auth-null"]
    assert openssl.context().security_level == 0
