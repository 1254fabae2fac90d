"""Encryption to a recipient's key: only its holder reads it, and what is no public key is refused."""

from pathlib import Path

import pyrage
import pysequoia
import pytest

from pipeline.errors import InputError
from pipeline.notify import recipient_key
from tests.notify.exposed import gpg

CLEAR = b"192.0.2.7 in clear"


def test_age_is_read_by_the_recipient_alone() -> None:
    """What is encrypted to an age recipient is decrypted by its identity, and by no other."""
    owner, other = (pyrage.x25519.Identity.generate() for _ in range(2))
    key = recipient_key.read(f" {owner.to_public()}\n".encode(), "book")
    sealed = key.encrypt(CLEAR)
    assert (key.kind, key.fingerprint, key.suffix) == ("age", str(owner.to_public()), ".age")
    assert CLEAR not in sealed and pyrage.decrypt(sealed, [owner]) == CLEAR
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(sealed, [other])


def test_openpgp_is_read_by_gnupg_of_the_recipient_alone(tmp_path: Path) -> None:
    """What is encrypted to a key that GnuPG made is decrypted by GnuPG with that key, and by none with another."""
    homes = [tmp_path / name for name in ("owner", "other")]
    for home in homes:
        gpg(home, "--passphrase", "", "--quick-generate-key", "CERT <cert@example.org>", "default", "default", "never")
    key = recipient_key.read(gpg(homes[0], "--armor", "--export"), "book")
    sealed = key.encrypt(CLEAR)
    assert (key.kind, key.suffix) == ("OpenPGP", ".asc")
    assert key.fingerprint in gpg(homes[0], "--with-colons", "--fingerprint").decode()
    assert CLEAR not in sealed and gpg(homes[0], "--decrypt", data=sealed) == CLEAR
    with pytest.raises(Exception, match="non-zero exit status 2"):
        gpg(homes[1], "--decrypt", data=sealed)


def test_a_key_of_rfc_9580_is_read_too() -> None:
    """A key of the present OpenPGP standard, which GnuPG does not know, is encrypted to as well."""
    secret = pysequoia.Tsk.generate("CERT <cert@example.org>")
    key = recipient_key.read(str(secret.extract_certificate()).encode(), "book")
    assert pysequoia.decrypt(key.encrypt(CLEAR), decryptor=secret.decryptor()).bytes == CLEAR


def test_what_is_no_public_key_is_refused() -> None:
    """A private key, a broken key and any other text are refused, each with one error."""
    secret = pysequoia.Tsk.generate("CERT <cert@example.org>")
    public = str(secret.extract_certificate())
    cases = {
        b"": "is neither an OpenPGP public key",
        str(secret).encode(): "is neither an OpenPGP public key",
        public[: len(public) // 2].encode(): "is not an OpenPGP public key|cannot be encrypted to",
        b"age1notakey": "is not an age recipient",
        str(pyrage.x25519.Identity.generate()).encode(): "is neither an OpenPGP public key",
        "age1\u00fc".encode(): "is not an age recipient",
    }
    for data, fault in cases.items():
        with pytest.raises(InputError, match=fault):
            recipient_key.read(data, "book")
