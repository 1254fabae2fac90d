"""Encryption to a recipient's key, in memory: OpenPGP by Sequoia or age, as the key says. Nothing is written in clear.

Which kind a key is, its first bytes say. Both libraries are of the extra `notify` (docs/decisions/0036-hand-overs.md).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.errors import InputError

OPENPGP, AGE = b"-----BEGIN PGP PUBLIC KEY BLOCK-----", b"age1"
INSTALL = "needs the extra `notify`: pip install 'dicom-census[notify]', or -r locks/notify.txt"


@dataclass(frozen=True, slots=True)
class RecipientKey:
    """A public key: its kind, its name for people, the end of names of files encrypted to it, and the encryption."""

    kind: str
    fingerprint: str
    suffix: str
    encrypt: Callable[[bytes], bytes]


def read(data: bytes, where: str) -> RecipientKey:
    """Read a public key. Raises InputError if it is none, was revoked or has expired, or if its library is missing."""
    text = data.strip()
    readers = {OPENPGP: _openpgp, AGE: _age}
    for beginning, reader in readers.items():
        if text.startswith(beginning):
            return reader(text, where)
    raise InputError(where, "is neither an OpenPGP public key in ASCII armour nor an age recipient (age1…)")


def _openpgp(text: bytes, where: str) -> RecipientKey:
    try:
        import pysequoia
    except ImportError:
        raise InputError(where, f"OpenPGP {INSTALL}") from None
    try:
        cert = pysequoia.Cert.from_bytes(text)
    except Exception as error:  # Sequoia raises Exception itself
        raise InputError(where, f"is not an OpenPGP public key: {_brief(error)}") from None
    if cert.is_revoked or (cert.expiration and cert.expiration <= datetime.now(UTC)):
        raise InputError(where, f"{cert.fingerprint.upper()} was revoked or has expired; ask for the present one")

    def encrypt(data: bytes) -> bytes:
        return bytes(pysequoia.encrypt(data, recipients=[cert]))

    return _tried(RecipientKey("OpenPGP", cert.fingerprint.upper(), ".asc", encrypt), where)


def _age(text: bytes, where: str) -> RecipientKey:
    try:
        import pyrage
    except ImportError:
        raise InputError(where, f"age {INSTALL}") from None
    try:
        recipient = pyrage.x25519.Recipient.from_str(text.decode("ascii"))
    except (pyrage.RecipientError, UnicodeDecodeError) as error:
        raise InputError(where, f"is not an age recipient: {_brief(error)}") from None

    def encrypt(data: bytes) -> bytes:
        return bytes(pyrage.encrypt(data, [recipient]))

    return RecipientKey("age", str(recipient), ".age", encrypt)


def _tried(key: RecipientKey, where: str) -> RecipientKey:
    """A key that something was encrypted to: an OpenPGP key may be for signatures alone."""
    try:
        key.encrypt(b"")
    except Exception as error:
        raise InputError(where, f"{key.fingerprint} cannot be encrypted to: {_brief(error)}") from None
    return key


def _brief(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
