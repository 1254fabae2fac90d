"""The IPv4 networks of an mmdb (MaxMind DB file format 2.0), read whole: the search tree by numpy, a level at a time.

maxminddb decodes the metadata and the records. Its own iteration is not used: it is slow, and its C extension does not survive
every damaged tree. Here whatever a file holds gives networks or an InputError.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import maxminddb
import numpy as np
from maxminddb.decoder import Decoder
from maxminddb.reader import Metadata, Reader
from numpy.typing import NDArray

from pipeline.errors import InputError
from pipeline.untrusted import bounded

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]

#: What is before the metadata; IPv4 is at ::/96 in a file with IPv6; 16 zero bytes are between tree and records (ibid.).
MARKER = b"\xab\xcd\xefMaxMind.com"
IPV6_PREFIX, SEPARATOR, ADDRESS_BITS = 96, 16, 32
#: What maxminddb raises for damaged bytes, besides its own error.
DAMAGE = (maxminddb.InvalidDatabaseError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError)


@dataclass(frozen=True, slots=True, eq=False)
class RecordedNetworks:
    """The networks that have a record, in order of address: [first, after) of each, and where its record is in the file."""

    first: U64
    after: U64
    offset: I64


class Mmdb:
    """An mmdb in memory. Raises InputError when it is opened, if it cannot be read or is not an mmdb."""

    def __init__(self, path: Path, data: bytes | None = None) -> None:
        """Open a file, or its bytes if they are at hand."""
        self.path = path
        self._data = bounded.read(path, bounded.DATABASE) if data is None else data
        if MARKER not in self._data:
            raise InputError(
                str(path), "is not an mmdb or a Parquet table; `census refresh` makes a table of CSV, text or gzip"
            )
        try:
            self._metadata: Metadata = Reader(io.BytesIO(self._data), maxminddb.MODE_FD).metadata()
            self._built = datetime.fromtimestamp(self._metadata.build_epoch, UTC).date()
            size = self._metadata.search_tree_size
            self._tree = np.frombuffer(self._data, np.uint8, size).reshape(self._metadata.node_count, -1)
        except (*DAMAGE, OSError) as error:
            raise InputError(str(path), f"is damaged: {error}; fetch it again") from None

    @cached_property
    def facts(self) -> dict[str, str]:
        """Name, build date and digest, as a saved table repeats them."""
        digest = sha256(self._data).hexdigest()
        return {
            "name": str(self._metadata.database_type),
            "build_date": self._built.isoformat(),
            "sha256": digest,
        }

    def networks(self) -> RecordedNetworks:
        """All IPv4 networks with a record. Raises InputError if there is no IPv4, or the tree is damaged."""
        count, start = self._metadata.node_count, self._start()
        if start == count:
            raise InputError(str(self.path), "has no IPv4 networks; name a database that covers IPv4")
        nodes, prefixes = np.array([start], np.int64), np.zeros(1, np.uint64)
        leaves: list[tuple[I64, U64, int]] = []
        visited = 0
        for depth in range(ADDRESS_BITS + 1):
            leaf, inner = nodes > count, nodes < count
            leaves.append((nodes[leaf], prefixes[leaf], ADDRESS_BITS - depth))
            visited += int(inner.sum())
            if visited > count or (depth == ADDRESS_BITS and inner.any()):
                raise self._damaged("its search tree does not end")
            prefixes = ((prefixes[inner, None] << np.uint64(1)) | np.arange(2, dtype=np.uint64)).ravel()
            nodes = children(self._tree[nodes[inner]]).ravel()
        return self._in_order(leaves)

    def decode(self, offsets: I64, read: Callable[[Any], Any]) -> list[Any]:
        """What `read` makes of the record at each offset; each record is decoded once. Raises InputError."""
        decoder = Decoder(self._data, self._metadata.search_tree_size + SEPARATOR)
        distinct, which = np.unique(offsets, return_inverse=True)
        try:
            values = [read(decoder.decode(offset)[0]) for offset in distinct.tolist()]
        except DAMAGE as error:
            raise self._damaged(str(error)) from None
        return [values[number] for number in which.tolist()]

    def _start(self) -> int:
        """The node, or record, at which IPv4 begins."""
        node = 0
        for _ in range(IPV6_PREFIX if self._metadata.ip_version == 6 else 0):
            if node >= self._metadata.node_count:
                break
            node = int(children(self._tree[[node]])[0, 0])
        return node

    def _in_order(self, leaves: list[tuple[I64, U64, int]]) -> RecordedNetworks:
        records = np.concatenate([nodes for nodes, _, _ in leaves])
        first = np.concatenate([prefixes << np.uint64(bits) for _, prefixes, bits in leaves])
        after = np.concatenate([(prefixes + np.uint64(1)) << np.uint64(bits) for _, prefixes, bits in leaves])
        offset = records - self._metadata.node_count + self._metadata.search_tree_size
        if (offset >= len(self._data)).any():
            raise self._damaged("its search tree points past the end of the file")
        order = np.argsort(first)
        return RecordedNetworks(first[order], after[order], offset[order])

    def _damaged(self, why: str) -> InputError:
        return InputError(str(self.path), f"is damaged: {why}; fetch it again")


def fields(record: Any, places: Sequence[Sequence[str]]) -> Iterator[Any]:
    """Yield what a record has at each of the places, which are keys of nested maps; makers lay their records out differently."""
    for place in places:
        value = record
        for key in place:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            yield value


def children(nodes: NDArray[np.uint8]) -> I64:
    """The left and the right record of nodes of 6, 7 or 8 bytes; from shape (nodes, bytes) to (nodes, 2)."""
    byte = nodes.astype(np.int64).T
    half = len(byte) // 2
    left, right = byte[:half], byte[-half:]
    if len(byte) % 2:  # records of 28 bits: the byte between has the upper four bits of both
        left, right = np.vstack([byte[half] >> 4, left]), np.vstack([byte[half] & 15, right])
    weights = 256 ** np.arange(len(left) - 1, -1, -1, dtype=np.int64)
    return np.stack([weights @ left, weights @ right], axis=1)
