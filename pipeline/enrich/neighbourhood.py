"""The neighbourhood of an answer: the same bytes on other ports and addresses, and the share of its /24 that answers."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.enrich.partition import distinct
from pipeline.space.ranges import Ranges

Addresses = NDArray[np.uint32]
I64 = NDArray[np.int64]

#: Bits of an address below its /24.
HOST_BITS = np.uint32(8)
PREFIX_SIZE = 256
NO_ADDRESSES = np.zeros(0, dtype=np.uint32)


def neighbourhood_features(
    associations: pa.Table, answered: Addresses, space: Ranges, share: float, controls: Addresses = NO_ADDRESSES
) -> dict[str, pa.Array]:
    """The neighbourhood features, one value for each association.

    `answered` are the addresses that answered a SYN, `controls` those that answered on the control port. `space` is the
    target space, of which the share `share` was probed; so in a sampled sweep the number of probed addresses of a /24 is
    an expectation.
    """
    ip = np.asarray(associations["ip"], dtype=np.uint32)
    port = np.asarray(associations["port"], dtype=np.uint32)
    prefix = ip >> HOST_BITS
    reply = _numbered(associations["raw"])
    answering = _answering(prefix, answered)
    probed = _inside(space, prefix) * share
    return {
        "same_reply_ports": pa.array(_distinct(ip, reply, port)),
        "prefix_same_reply": pa.array(_distinct(prefix, reply, ip)),
        "prefix_controls": pa.array(_answering(prefix, controls)),
        "prefix_answering": pa.array(answering),
        "prefix_answering_share": pa.array(np.minimum(1.0, answering / np.maximum(probed, 1.0))),
    }


def _numbered(raw: pa.ChunkedArray) -> I64:
    """For each row, the number of its distinct reply."""
    return np.asarray(raw.combine_chunks().dictionary_encode().indices, dtype=np.int64)


def _distinct(place: Addresses, reply: I64, counted: Addresses) -> I64:
    """For each row, the number of distinct values of `counted` with its (place, reply); all of shape (n,)."""
    pairs, of_row = np.unique(np.column_stack([place.astype(np.int64), reply]), axis=0, return_inverse=True)
    of_row = of_row.reshape(-1)
    triples = np.unique(np.column_stack([of_row, counted.astype(np.int64)]), axis=0)
    return np.bincount(triples[:, 0], minlength=len(pairs))[of_row].astype(np.int64)


def _answering(prefix: Addresses, answered: Addresses) -> I64:
    """For each row, how many distinct addresses of its prefix answered."""
    prefixes, counts = np.unique(distinct(answered) >> HOST_BITS, return_counts=True)
    if not len(prefixes):
        return np.zeros(len(prefix), np.int64)
    place = np.minimum(np.searchsorted(prefixes, prefix), len(prefixes) - 1)
    return np.where(prefixes[place] == prefix, counts[place], 0).astype(np.int64)


def _inside(ranges: Ranges, prefix: Addresses) -> I64:
    """How many addresses of each prefix are in the ranges."""
    begin = prefix.astype(np.int64) * PREFIX_SIZE
    return _below(ranges, begin + PREFIX_SIZE) - _below(ranges, begin)


def _below(ranges: Ranges, limit: I64) -> I64:
    """How many addresses of the ranges are below each limit."""
    if not len(ranges.first):
        return np.zeros(len(limit), np.int64)
    first, size = ranges.first, ranges.last - ranges.first + 1
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(size)])
    number = np.searchsorted(first, limit, side="left")
    inner = np.clip(limit - first[number - 1], 0, size[number - 1])
    return np.where(number > 0, before[number - 1] + inner, 0)
