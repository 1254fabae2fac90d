"""Objects in a bucket of an S3-compatible store, with the methods of `pathlib.Path` that a lake needs.

An object appears whole or not at all. A conditional put (`If-None-Match`, `If-Match`) creates or changes it only if nobody else
has. If the reply to a put is lost, the client puts again and finds its own object: an object that holds the data to be written
counts as written. Credentials and endpoint come from the usual variables (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
`AWS_REGION`, `AWS_ENDPOINT_URL`) and from nowhere else.

Programs that need a file (`os.fspath`: Parquet readers, DuckDB) get a copy from `pipeline.lake.cache`, named by the object's ETag.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import S3Store

from pipeline.errors import CensusError, InputError
from pipeline.guard import sockets
from pipeline.lake import cache as copies

if TYPE_CHECKING:
    from obstore import PutMode

SCHEME = "s3://"
#: Seconds that one request may take, and seconds that it may take with all its repetitions: well under half a lease.
REQUEST_SECONDS = 15
RETRY_SECONDS = 30
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@dataclass(frozen=True, slots=True, order=True)
class ObjectPath(os.PathLike[str]):
    """An object, or a prefix of several objects' names, as a folder is. `key` has no slash at either end."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, url: str) -> "ObjectPath":
        """Read `s3://BUCKET[/PREFIX]`. Raises InputError."""
        bucket, _, key = url.removeprefix(SCHEME).partition("/")
        if not url.startswith(SCHEME) or not bucket:
            raise InputError(url, "is not a location of a lake; name a folder, or a bucket as s3://BUCKET/PREFIX")
        return cls(bucket, key.strip("/"))

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}"

    def __truediv__(self, name: str) -> "ObjectPath":
        return ObjectPath(self.bucket, f"{self.key}/{name}".strip("/"))

    def absolute(self) -> "ObjectPath":
        """Return the same path: the working directory does not matter."""
        return self

    @property
    def name(self) -> str:
        """Return the last part of the key."""
        return self.key.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """Return the name without its last suffix."""
        return self.name.rpartition(".")[0] or self.name

    @property
    def suffix(self) -> str:
        """Return the last suffix, with its dot."""
        return self.name[len(self.stem) :]

    @property
    def parent(self) -> "ObjectPath":
        """Return the path up to the last slash."""
        return ObjectPath(self.bucket, self.key.rpartition("/")[0])

    def with_name(self, name: str) -> "ObjectPath":
        """Return another name in the same folder."""
        return self.parent / name

    def exists(self) -> bool:
        """Return whether there is such an object."""
        return self.etag() is not None

    def is_dir(self) -> bool:
        """Return whether there are objects below this name."""
        with _errors_translated(self):
            return any(page for page in obstore.list(_store(self.bucket), self.key, chunk_size=1))

    def etag(self) -> str | None:
        """Return the object's ETag, which changes whenever the object does; None if there is no object."""
        try:
            with _errors_translated(self):
                return obstore.head(_store(self.bucket), self.key)["e_tag"] or ""
        except FileNotFoundError:
            return None

    def changed_at(self) -> datetime:
        """Return when the object was last written, by the store's clock. Raises FileNotFoundError."""
        with _errors_translated(self):
            return obstore.head(_store(self.bucket), self.key)["last_modified"]

    def read(self) -> tuple[bytes, str]:
        """Return the object's bytes and its ETag. Raises FileNotFoundError."""
        with _errors_translated(self):
            reply = obstore.get(_store(self.bucket), self.key)
            return bytes(reply.bytes()), reply.meta["e_tag"] or ""

    def read_bytes(self) -> bytes:
        """Return the object's bytes. Raises FileNotFoundError."""
        return self.read()[0]

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the object."""
        if not missing_ok and not self.exists():
            raise FileNotFoundError(str(self))
        with _errors_translated(self):
            obstore.delete(_store(self.bucket), self.key)

    def glob(self, pattern: str) -> Iterator["ObjectPath"]:
        """Yield the objects and prefixes directly below this name that match the pattern."""
        with _errors_translated(self):
            listing = obstore.list_with_delimiter(_store(self.bucket), self.key or None)
        keys = (*(meta["path"] for meta in listing["objects"]), *listing["common_prefixes"])
        paths = (ObjectPath(self.bucket, key) for key in keys)
        yield from (path for path in paths if fnmatchcase(path.name, pattern))

    def iterdir(self) -> Iterator["ObjectPath"]:
        """Yield the objects and prefixes directly below this name."""
        return self.glob("*")

    def put(self, data: bytes | Path) -> None:
        """Write the object, from bytes or from a file; a large file is sent in pieces and appears with the last of them."""
        with _errors_translated(self):
            obstore.put(_store(self.bucket), self.key, data)

    def swap(self, data: bytes, *, after: str | None) -> str | None:
        """Write the object if its ETag is still `after` (None: if there is no object).

        Return the new ETag, or None if the object has changed.
        """
        mode: PutMode = "create" if after is None else {"e_tag": after}
        try:
            return obstore.put(_store(self.bucket), self.key, data, mode=mode, use_multipart=False)["e_tag"]
        except FileNotFoundError:
            return None  # to be changed, but gone
        except BaseError as error:
            return self._ours(data, error)

    def _ours(self, data: bytes, error: BaseError) -> str | None:
        """Return the ETag of the object if it holds our data although the put failed; None if it holds somebody else's."""
        try:
            stored, etag = self.read()
        except FileNotFoundError:
            stored, etag = None, ""
        if stored == data:
            return etag
        if not isinstance(error, (AlreadyExistsError, PreconditionError)):
            raise _translated(self, error) from None
        return None

    def __fspath__(self) -> str:
        """Return the name of a file with the object's bytes, fetched unless the cache has it. Raises FileNotFoundError."""
        etag = self.etag()
        if etag is None:
            raise FileNotFoundError(str(self))
        version = hashlib.sha256(f"{os.environ.get('AWS_ENDPOINT_URL')} {self} {etag}".encode()).hexdigest()[:16]
        return str(copies.copy(f"{version}/{self.key}", self._fetch))

    def _fetch(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        try:
            with _errors_translated(self), temporary.open("wb") as file:
                for chunk in obstore.get(_store(self.bucket), self.key).stream():
                    file.write(chunk)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@cache
def _store(bucket: str) -> S3Store:
    """Return the client of a bucket. Raises InputError without keys: the client would look for the machine's on the network."""
    missing = [name for name in KEYS if not os.environ.get(name)]
    if missing:
        raise InputError(f"{SCHEME}{bucket}", f"needs the environment variables {' and '.join(missing)}")
    endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL") or "https://s3.amazonaws.com")
    sockets.require_reach(endpoint.hostname or "", "a request to an object store")
    return S3Store(
        bucket,
        client_options={
            "timeout": f"{REQUEST_SECONDS}s",
            "connect_timeout": "5s",
            "allow_http": endpoint.scheme == "http",
        },
        retry_config={"max_retries": 8, "retry_timeout": timedelta(seconds=RETRY_SECONDS)},
    )


@contextmanager
def _errors_translated(path: ObjectPath) -> Iterator[None]:
    """Translate the store's errors into the project's. A missing object stays a FileNotFoundError, with its name."""
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(str(path)) from None
    except BaseError as error:
        raise _translated(path, error) from None


def _translated(path: ObjectPath, error: BaseError) -> CensusError:
    brief = str(error).partition("\n")[0].strip()
    if isinstance(error, (PermissionDeniedError, UnauthenticatedError)):
        return InputError(str(path), f"the object store refuses access, see {', '.join(KEYS)}: {brief}")
    return CensusError(f"{path}: the object store failed; finished ranges are kept, run again with --resume: {brief}")
