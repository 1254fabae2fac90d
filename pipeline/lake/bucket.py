"""A name in a bucket of an S3-compatible object store, that can be asked what a `pathlib.Path` of a lake is asked.

An object appears whole or not at all, and a conditional put (`If-None-Match`, `If-Match`) makes or changes it only where nobody
else has. A reply that is lost leads to a second put, which finds the first one's object: an object that holds what was to
be written counts as written. Credentials and endpoint come from the usual variables (`AWS_ACCESS_KEY_ID`,
`AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT_URL`) and from nowhere else.

Programs that want a file (`os.fspath`: Parquet readers, DuckDB) get a copy in `pipeline.lake.cache`, named by the object's ETag.
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
#: One request may take this long, and all its repetitions together that long (seconds): well under half a lease.
REQUEST_SECONDS = 15
RETRY_SECONDS = 30
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@dataclass(frozen=True, slots=True, order=True)
class ObjectPath(os.PathLike[str]):
    """An object, or what begins the names of several as a folder does. `key` has no slash at either end."""

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
        """The same: the working directory does not matter."""
        return self

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """The name without its last suffix."""
        return self.name.rpartition(".")[0] or self.name

    @property
    def suffix(self) -> str:
        """The last suffix, with its dot."""
        return self.name[len(self.stem) :]

    @property
    def parent(self) -> "ObjectPath":
        """What is named up to the last slash."""
        return ObjectPath(self.bucket, self.key.rpartition("/")[0])

    def with_name(self, name: str) -> "ObjectPath":
        """Another name beside this one."""
        return self.parent / name

    def exists(self) -> bool:
        """There is such an object."""
        return self.etag() is not None

    def is_dir(self) -> bool:
        """There are objects whose names go on after this one."""
        with _told(self):
            return any(page for page in obstore.list(_store(self.bucket), self.key, chunk_size=1))

    def etag(self) -> str | None:
        """What changes whenever the object does; None if there is none."""
        try:
            with _told(self):
                return obstore.head(_store(self.bucket), self.key)["e_tag"] or ""
        except FileNotFoundError:
            return None

    def changed_at(self) -> datetime:
        """When the object was last written, by the store's clock. Raises FileNotFoundError."""
        with _told(self):
            return obstore.head(_store(self.bucket), self.key)["last_modified"]

    def read(self) -> tuple[bytes, str]:
        """The object and its ETag. Raises FileNotFoundError."""
        with _told(self):
            found = obstore.get(_store(self.bucket), self.key)
            return bytes(found.bytes()), found.meta["e_tag"] or ""

    def read_bytes(self) -> bytes:
        """The object. Raises FileNotFoundError."""
        return self.read()[0]

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the object."""
        if not missing_ok and not self.exists():
            raise FileNotFoundError(str(self))
        with _told(self):
            obstore.delete(_store(self.bucket), self.key)

    def glob(self, pattern: str) -> Iterator["ObjectPath"]:
        """What is directly under this name and fits the pattern: objects, and names that go on."""
        with _told(self):
            found = obstore.list_with_delimiter(_store(self.bucket), self.key or None)
        keys = (*(meta["path"] for meta in found["objects"]), *found["common_prefixes"])
        yield from (one for one in (ObjectPath(self.bucket, key) for key in keys) if fnmatchcase(one.name, pattern))

    def iterdir(self) -> Iterator["ObjectPath"]:
        """What is directly under this name."""
        return self.glob("*")

    def put(self, data: bytes | Path) -> None:
        """Write the object, from bytes or from a file; large files go in pieces and appear at the last one."""
        with _told(self):
            obstore.put(_store(self.bucket), self.key, data)

    def swap(self, data: bytes, *, after: str | None) -> str | None:
        """Write the object if its ETag is still `after` (None: if there is none); the new ETag, or None if it is not."""
        mode: PutMode = "create" if after is None else {"e_tag": after}
        try:
            return obstore.put(_store(self.bucket), self.key, data, mode=mode, use_multipart=False)["e_tag"]
        except FileNotFoundError:
            return None  # to be changed, but gone
        except BaseError as error:
            return self._ours(data, error)

    def _ours(self, data: bytes, error: BaseError) -> str | None:
        """The ETag of what a put without a reply has written after all; None if somebody else's stands there."""
        try:
            found, etag = self.read()
        except FileNotFoundError:
            found, etag = None, ""
        if found == data:
            return etag
        if not isinstance(error, (AlreadyExistsError, PreconditionError)):
            raise _words(self, error) from None
        return None

    def __fspath__(self) -> str:
        """A file with the object's bytes, fetched unless the cache has it. Raises FileNotFoundError."""
        etag = self.etag()
        if etag is None:
            raise FileNotFoundError(str(self))
        version = hashlib.sha256(f"{os.environ.get('AWS_ENDPOINT_URL')} {self} {etag}".encode()).hexdigest()[:16]
        return str(copies.copy(f"{version}/{self.key}", self._fetch))

    def _fetch(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        try:
            with _told(self), temporary.open("wb") as file:
                for chunk in obstore.get(_store(self.bucket), self.key).stream():
                    file.write(chunk)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@cache
def _store(bucket: str) -> S3Store:
    """The client of a bucket. Without keys it would ask the link for those of the machine: so they must be there."""
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
def _told(place: ObjectPath) -> Iterator[None]:
    """Say in the project's words what went wrong. An object that is not there stays a FileNotFoundError, with its name."""
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(str(place)) from None
    except BaseError as error:
        raise _words(place, error) from None


def _words(place: ObjectPath, error: BaseError) -> CensusError:
    brief = str(error).partition("\n")[0].strip()
    if isinstance(error, (PermissionDeniedError, UnauthenticatedError)):
        return InputError(str(place), f"the object store refuses access, see {', '.join(KEYS)}: {brief}")
    return CensusError(f"{place}: the object store failed; finished ranges are kept, run again with --resume: {brief}")
