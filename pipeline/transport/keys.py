"""CURVE keys (Curve25519 of RFC 7748, as used by ZeroMQ's RFC 26, CurveZMQ) of a worker and its remote associators.

A worker's folder has `worker.key_secret` and, in `associators/`, the public key of each associator that it admits. An
associator's folder has `NAME.key_secret` and `worker.key`. Secret keys are readable by their owner only. `lab.pem` is the public part
of the lab's key, which signs plans (`pipeline/lab/key.py`).
"""

import hmac
import re
from dataclasses import dataclass
from pathlib import Path

import zmq.auth

from pipeline.errors import InputError
from pipeline.lab import key as lab_key

WORKER = "worker"
FOLDER = "associators"
#: An associator's name, which is part of file names.
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
#: 32 bytes in Z85: 40 characters of its alphabet.
LINE = re.compile(rb"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A public key and its secret, each in Z85 (ZeroMQ RFC 32)."""

    public: bytes
    secret: bytes


@dataclass(frozen=True, slots=True)
class WorkerKeys:
    """The keys with which a worker admits one associator."""

    key_pair: KeyPair
    associator: bytes
    path: Path
    """The file of the associator's key: whoever removes it revokes the key."""

    @classmethod
    def read(cls, folder: Path, name: str) -> "WorkerKeys":
        """Read the keys from the worker's folder. Raises InputError."""
        path = folder / FOLDER / f"{name}.key"
        return cls(_pair(folder / f"{WORKER}.key_secret"), _public(path), path)

    @property
    def revoked(self) -> bool:
        """Whether the associator's key is no longer in its file. A file that cannot be read now says nothing."""
        try:
            return not hmac.compare_digest(zmq.auth.load_certificate(self.path)[0], self.associator)
        except ValueError:
            return True
        except OSError:
            return not self.path.exists()

    def admits(self, public: bytes) -> bool:
        """Whether this public key (Z85), which the peer has proved to own, is the associator's, and was not revoked."""
        return hmac.compare_digest(public, self.associator) and not self.revoked


@dataclass(frozen=True, slots=True)
class AssociatorKeys:
    """The keys with which an associator and its worker authenticate each other."""

    key_pair: KeyPair
    worker: bytes

    @classmethod
    def read(cls, folder: Path, name: str) -> "AssociatorKeys":
        """Read the keys from the associator's folder. Raises InputError."""
        return cls(_pair(folder / f"{name}.key_secret"), _public(folder / f"{WORKER}.key"))


def create(folder: Path, associators: list[str]) -> list[Path]:
    """Create missing keys: the worker's and those of the named associators. Return the new files, public and secret.

    Raises InputError if an associator has a key already: a key is never overwritten.
    """
    for name in associators:
        if not NAME.fullmatch(name) or name == WORKER:
            raise InputError(
                f"name {name!r}", "is not an associator's name (use 1 to 40 of a-z, 0-9 and -, and not `worker`)"
            )
    files: list[Path] = []
    if not (folder / lab_key.PUBLIC).exists():
        files.append(_publish(folder))
    if not (folder / f"{WORKER}.key_secret").exists():
        files += _create(folder, WORKER, folder)
    for name in associators:
        if (folder / FOLDER / f"{name}.key").exists():
            raise InputError(str(folder / FOLDER / f"{name}.key"), "exists already; remove it to revoke that key first")
        files += _create(folder, name, folder / FOLDER)
    return files


def _publish(folder: Path) -> Path:
    """Copy the public part of the lab's key, for machines that run this one's plans."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / lab_key.PUBLIC).write_bytes(lab_key.published())
    except OSError as error:
        raise InputError(str(folder), f"cannot be written: {error.strerror}") from None
    return folder / lab_key.PUBLIC


def _create(folder: Path, name: str, public_folder: Path) -> list[Path]:
    """Create a key pair; the public key goes to `public_folder`."""
    try:
        public_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        public, secret = (Path(path) for path in zmq.auth.create_certificates(folder, name))
        secret.chmod(0o600)
        return [public.rename(public_folder / public.name), secret]
    except OSError as error:
        raise InputError(str(folder), f"cannot be written: {error.strerror}") from None


def _read(path: Path) -> tuple[bytes, bytes | None]:
    try:
        keys = zmq.auth.load_certificate(path)
    except (OSError, ValueError):
        keys = (b"", None)
    if not all(LINE.fullmatch(key) for key in keys if key is not None):
        reason = "is not a CURVE key" if path.exists() else "does not exist"
        raise InputError(str(path), f"{reason}; `census keys` creates it (docs/remote-associators.md)")
    return keys


def _public(path: Path) -> bytes:
    return _read(path)[0]


def _pair(path: Path) -> KeyPair:
    public, secret = _read(path)
    if secret is None:
        raise InputError(str(path), "has no secret key; give the file that ends in .key_secret")
    return KeyPair(public, secret)
