"""CURVE keys (RFC 7748's Curve25519, as ZeroMQ's RFC 26/CurveZMQ uses it) of a worker and of its associators elsewhere.

A worker's folder holds `worker.key_secret` and, in `associators/`, the public key of each associator that it lets in. An
associator's folder holds `NAME.key_secret` and `worker.key`. Secrets are readable by their owner alone.
"""

import hmac
import re
from dataclasses import dataclass
from pathlib import Path

import zmq.auth

from pipeline.errors import InputError

WORKER = "worker"
FOLDER = "associators"
#: An associator's name; it is part of file names.
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
#: 32 bytes in Z85: 40 characters of its alphabet.
LINE = re.compile(rb"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")


@dataclass(frozen=True, slots=True)
class Pair:
    """A public key and its secret, each in Z85 (ZeroMQ RFC 32)."""

    public: bytes
    secret: bytes


@dataclass(frozen=True, slots=True)
class WorkerKeys:
    """What a worker needs to let one associator in."""

    own: Pair
    associator: bytes

    @classmethod
    def read(cls, folder: Path, name: str) -> "WorkerKeys":
        """Read them from the worker's folder. Raises InputError."""
        return cls(_pair(folder / f"{WORKER}.key_secret"), _public(folder / FOLDER / f"{name}.key"))

    def admits(self, public: bytes) -> bool:
        """Whether a peer that proved to own this public key (Z85) is the associator."""
        return hmac.compare_digest(public, self.associator)


@dataclass(frozen=True, slots=True)
class AssociatorKeys:
    """What an associator needs to know its worker and to be known."""

    own: Pair
    worker: bytes

    @classmethod
    def read(cls, folder: Path, name: str) -> "AssociatorKeys":
        """Read them from the associator's folder. Raises InputError."""
        return cls(_pair(folder / f"{name}.key_secret"), _public(folder / f"{WORKER}.key"))


def create(folder: Path, associators: list[str]) -> list[Path]:
    """Make the keys that are not there yet: the worker's and those of associators. The files made, public and secret ones.

    Raises InputError if a name is taken: a key is never written over.
    """
    for name in associators:
        if not NAME.fullmatch(name) or name == WORKER:
            raise InputError(f"name {name!r}", "must be 1 to 40 of a-z, 0-9 and -, and not `worker`")
    made: list[Path] = []
    if not (folder / f"{WORKER}.key_secret").exists():
        made += _create(folder, WORKER, folder)
    for name in associators:
        if (folder / FOLDER / f"{name}.key").exists():
            raise InputError(str(folder / FOLDER / f"{name}.key"), "exists already; remove it to revoke that key first")
        made += _create(folder, name, folder / FOLDER)
    return made


def _create(folder: Path, name: str, public_folder: Path) -> list[Path]:
    """Make a pair; the public key goes where it is looked for."""
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
        reason = "is no CURVE key" if path.exists() else "is not there"
        raise InputError(str(path), f"{reason}; `census keys` makes them (docs/remote-associators.md)")
    return keys


def _public(path: Path) -> bytes:
    return _read(path)[0]


def _pair(path: Path) -> Pair:
    public, secret = _read(path)
    if secret is None:
        raise InputError(str(path), "has no secret key; give the file that ends in .key_secret")
    return Pair(public, secret)
