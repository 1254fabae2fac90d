"""The lab's key, which signs plans and seals, and the keys of other labs and machines that this one trusts.

The key is in `$CENSUS_KEYS`, or else in `keys/` of the program's state folder, never in a lake: who can write a lake can not sign
for the lab. It is made at its first use.

```
lab.key                 the private key (PKCS #8 in PEM, mode 0600), which stays on the machine that plans
lab.pem                 its public key, for the other machines of a fleet
trusted/NAME.pem        a public key whose plans and seals this machine accepts as well, by a name that people gave it
```
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from pipeline import host
from pipeline.errors import GuardError, InputError
from pipeline.lab.signature import Signature, fingerprint, is_valid, message

#: The variable that names the folder of keys.
KEYS = "CENSUS_KEYS"
PRIVATE, PUBLIC, TRUSTED = "lab.key", "lab.pem", "trusted"
#: Permission bits of everybody but the owner of a file.
OTHERS = 0o077
#: The largest key file that is read, in bytes; a key has about a hundred.
SIZE_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class LabKey:
    """The lab's private key, and its public key (32 bytes, hexadecimal)."""

    private: Ed25519PrivateKey
    public_key: str

    def sign(self, purpose: str, data: bytes) -> Signature:
        """Sign data for a purpose."""
        return Signature(public_key=self.public_key, value=self.private.sign(message(purpose, data)).hex())


def folder() -> Path:
    """Return the folder of keys."""
    named = os.environ.get(KEYS)
    return Path(named) if named else host.folder("XDG_STATE_HOME", ".local/state") / "keys"


def load() -> LabKey:
    """Return the lab's key, made at its first use. Raises InputError if it cannot be made or read, or if others may read it."""
    path = folder() / PRIVATE
    if not path.exists():
        _make(path)
    if path.stat().st_mode & OTHERS:
        raise InputError(str(path), f"may be read by others; `chmod 600 {path}`, or make a new key in its place")
    try:
        key = load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(str(path), "is not an Ed25519 key in PEM without a password; move it away to get another")
    return LabKey(key, _hexadecimal(key.public_key()))


def published() -> bytes:
    """Return the public key of the lab's key, in PEM."""
    return load().private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def trusted() -> dict[str, str]:
    """Return the names of the public keys that this machine trusts: its own if it has one, and those in the folder `trusted`."""
    names = {_public(path): path.stem for path in sorted((folder() / TRUSTED).glob("*.pem"))}
    return names | {load().public_key: "lab"} if (folder() / PRIVATE).exists() else names


def require(signature: Signature, purpose: str, data: bytes, what: str) -> None:
    """Raise GuardError unless a key that this machine trusts has signed the data for this purpose; `what` names them."""
    if not is_valid(signature, purpose, data):
        raise GuardError(f"{what}: the signature is not that of its content; it was changed after it was signed")
    if signature.public_key not in trusted():
        raise GuardError(
            f"{what} is signed by the key {fingerprint(signature.public_key)}, which this machine does not trust; "
            f"if it is your lab's, copy {PUBLIC} of the machine that signed to {folder() / TRUSTED}/NAME.pem"
        )


def _make(path: Path) -> None:
    """Make a key, whole or not at all; another process may be quicker, and then its key is the one."""
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _temporary(path.parent, secret) as written:
            if not _linked(written, path):
                return
        with _temporary(path.parent, public) as written:
            written.replace(path.with_name(PUBLIC))
        host.sync(path.parent)
    except OSError as error:
        raise InputError(
            str(path), f"the lab's key cannot be made: {error.strerror}; name a folder for it in {KEYS}"
        ) from None


def _linked(written: Path, path: Path) -> bool:
    """Give a file its name unless that exists."""
    try:
        os.link(written, path)
    except FileExistsError:
        return False
    return True


@contextmanager
def _temporary(parent: Path, data: bytes) -> Iterator[Path]:
    """Make a durable file of mode 0600 with this content, which is removed afterwards if it is still there."""
    descriptor, name = tempfile.mkstemp(dir=parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _public(path: Path) -> str:
    """Return the public key in a file. Raises InputError if it has none."""
    try:
        key = load_pem_public_key(_read(path))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise InputError(str(path), f"is not an Ed25519 public key in PEM; copy {PUBLIC} of the machine that plans")
    return _hexadecimal(key)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(SIZE_LIMIT)
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from None


def _hexadecimal(key: Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
