"""Read the answers of name servers, within limits. Pure: messages in, names out.

The operator of a reverse zone decides its contents, so names are untrusted. Names that are not host names are dropped and
counted, a few of many names are kept, and aliases are followed a few steps (RFC 2317 delegates reverse zones by aliases).
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

#: The most names of an address that are kept and looked up. Addresses with more are shared web hosts, or pranks.
MOST_NAMES = 8
#: The longest name (RFC 1035 §2.3.4), as text without the last dot.
LONGEST = 253
#: A label of a host name (RFC 1123 §2.1), or with the underscore that some zones use.
LABEL = re.compile(rb"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


@dataclass(frozen=True, slots=True)
class Pointers:
    """An address's names, the first few in alphabetical order, and its number of PTR records, malformed ones included."""

    names: tuple[str, ...] = ()
    records: int = 0


def has_answer(message: dns.message.Message) -> bool:
    """Whether the server gave an answer: records, or that there are none."""
    return message.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)


def pointers(message: dns.message.Message) -> Pointers:
    """The host names in an answer to a PTR query. Raises DNSException for alias loops and contradictions."""
    targets = [record.target for record in _records(message, dns.rdatatype.PTR)]
    names = {name for target in targets if (name := host_name(target))}
    return Pointers(tuple(sorted(names)[:MOST_NAMES]), len(targets))


def addresses(message: dns.message.Message) -> frozenset[str]:
    """The IPv4 addresses in an answer to an A query. Raises DNSException like `pointers`."""
    return frozenset(record.address for record in _records(message, dns.rdatatype.A))


def host_name(name: dns.name.Name) -> str | None:
    """A name in lower case, without the last dot; None if it is not a host name (RFC 1123 §2.1)."""
    labels = [label.lower() for label in name.labels if label]
    text = b".".join(labels)
    if not labels or len(text) > LONGEST or not all(map(LABEL.fullmatch, labels)):
        return None
    return text.decode("ascii")


def _records(message: dns.message.Message, kind: dns.rdatatype.RdataType) -> Iterable[Any]:
    if not isinstance(message, dns.message.QueryMessage):
        raise dns.exception.FormError
    rrset = message.resolve_chaining().answer
    return rrset if rrset is not None and rrset.rdtype == kind else ()
