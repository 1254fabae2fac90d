"""What an answer of a name server says, within bounds. Pure: messages in, names out.

Whoever runs a reverse zone writes what stands in it: names that are no host names are dropped and counted, of many names a few
are kept, and an alias is followed a few steps (RFC 2317 delegates reverse zones by aliases).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

#: Of an address's names so many are kept and asked for. More than a few are a farm of virtual hosts, or a joke.
MOST_NAMES = 8
#: RFC 1035 §2.3.4, in text without the last dot.
LONGEST = 253
#: RFC 1123 §2.1, and the underscore that some zones have.
LABEL = re.compile(rb"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


@dataclass(frozen=True, slots=True)
class Pointers:
    """The names that an address has: the first ones by the alphabet, and how many records there were, odd ones included."""

    names: tuple[str, ...] = ()
    records: int = 0


def has_answer(message: dns.message.Message) -> bool:
    """Whether the server says what is there, or that nothing is."""
    return message.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)


def pointers(message: dns.message.Message) -> Pointers:
    """The host names in an answer to a PTR query. Raises DNSException if it goes round in circles or contradicts itself."""
    targets = [record.target for record in _records(message, dns.rdatatype.PTR)]
    names = {name for target in targets if (name := host_name(target))}
    return Pointers(tuple(sorted(names)[:MOST_NAMES]), len(targets))


def addresses(message: dns.message.Message) -> frozenset[str]:
    """The IPv4 addresses in an answer to an A query. Raises DNSException as above."""
    return frozenset(record.address for record in _records(message, dns.rdatatype.A))


def host_name(name: dns.name.Name) -> str | None:
    """A name as a host's, in small letters, without the last dot; None if no host can have it (RFC 1123 §2.1)."""
    labels = [label.lower() for label in name.labels if label]
    text = b".".join(labels)
    if not labels or len(text) > LONGEST or not all(map(LABEL.fullmatch, labels)):
        return None
    return text.decode("ascii")


def _records(message: dns.message.Message, kind: dns.rdatatype.RdataType) -> Iterable[Any]:
    if not isinstance(message, dns.message.QueryMessage):
        raise dns.exception.FormError
    found = message.resolve_chaining().answer
    return found if found is not None and found.rdtype == kind else ()
