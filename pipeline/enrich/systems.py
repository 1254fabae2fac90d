"""The table `systems`: which services are one system, by three rules of increasing reach (docs/ontology.md).

certain: the same address. probable: also the same certificate key, unless more than three networks have it: then it is a
supplier's default key. possible: also the same declared identity and behaviour within one /24.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline import schema

#: A key that occurs in more networks than this does not identify one system.
NETWORKS = 3
HOST_BITS, NETWORK_BITS = 8, 16
Labels = NDArray[np.int64]


def systems(associations: pa.Table, fingerprints: pa.Table, locations: pa.Table, tls: pa.Table) -> pa.Table:
    """One row for each association, in the same order; `fingerprints` has the same rows in the same order."""
    ip = np.asarray(associations["ip"], dtype=np.int64)
    addresses, place = np.unique(ip, return_inverse=True)
    certain = np.arange(len(addresses))
    keys = _key_pairs(addresses, locations, tls)
    same_identity = _identity_pairs(associations, fingerprints, place, addresses)
    probable = merge_labels(certain, keys)
    possible = merge_labels(
        certain, np.concatenate([keys, same_identity + np.array([[0, keys[:, 1].max(initial=-1) + 1]])])
    )
    columns = {
        "ip": associations["ip"],
        "port": associations["port"],
        **{
            name: pa.array(labels[place], pa.uint32())
            for name, labels in (("certain", certain), ("probable", probable), ("possible", possible))
        },
    }
    return pa.table(columns, schema=schema.table("systems").arrow)


def merge_labels(labels: Labels, pairs: NDArray[np.int64]) -> Labels:
    """The lowest member of each member's component; `pairs` of (member, mark) connect all members of a mark. Shape (n,)."""
    labels = labels.copy()
    member, mark = pairs[:, 0], pairs[:, 1]
    while len(pairs):
        least = np.full(mark.max() + 1, len(labels))
        np.minimum.at(least, mark, labels[member])
        spread = labels.copy()
        np.minimum.at(spread, member, least[mark])
        spread = spread[spread]
        if np.array_equal(spread, labels):
            break
        labels = spread
    return labels


def _key_pairs(addresses: Labels, locations: pa.Table, tls: pa.Table) -> NDArray[np.int64]:
    """(address, mark) pairs, with a mark for each certificate key that occurs in few networks."""
    network = dict(zip(locations["ip"].to_pylist(), locations["asn"].to_pylist(), strict=True))
    number = {ip: index for index, ip in enumerate(addresses.tolist())}
    ips_by_key: dict[str, set[int]] = {}
    for ip, chain in zip(tls["ip"].to_pylist(), tls["chain"].to_pylist(), strict=True):
        if ip in number and chain and chain[0]["spki_sha256"]:
            ips_by_key.setdefault(chain[0]["spki_sha256"], set()).add(ip)
    kept = [
        ips for ips in ips_by_key.values() if len({network.get(ip) or -(ip >> NETWORK_BITS) for ip in ips}) <= NETWORKS
    ]
    return _pairs((number[ip], mark) for mark, ips in enumerate(kept) for ip in sorted(ips))


def _identity_pairs(
    associations: pa.Table, fingerprints: pa.Table, place: Labels, addresses: Labels
) -> NDArray[np.int64]:
    """(address, mark) pairs, with a mark for each declared identity and behaviour in a /24; none without a class UID of its own."""
    marks: dict[tuple[object, ...], int] = {}
    uids = associations["implementation_class_uid"].to_pylist()
    names = associations["implementation_version_name"].to_pylist()
    behaviours = fingerprints["behaviour_rules"].to_pylist()
    reflected = fingerprints["class_uid_reflected"].to_pylist()
    described = zip(place.tolist(), uids, names, behaviours, reflected, strict=True)
    return _pairs(
        (index, marks.setdefault((int(addresses[index]) >> HOST_BITS, uid, name, *(rules or ())), len(marks)))
        for index, uid, name, rules, ours in described
        if uid and not ours
    )


def _pairs(pairs: Iterable[tuple[int, int]]) -> NDArray[np.int64]:
    return np.array(list(pairs), np.int64).reshape(-1, 2)
