#!/bin/bash
# stix2 3.0.2 (PyPI).
# Observables of STIX 2.1 have identifiers made from their contents, so that two makers name one certificate alike. Of its hashes
# one counts alone, the first that is there of MD5, SHA-1, SHA-256, SHA-512. Adding a stronger hash keeps the identifier, adding a
# weaker one makes another certificate of it, as does a serial number or the case of the hex digits; the subject does not count.
# Nor is an address normalised: two spellings of one IPv6 address are two objects, 192.0.2.1 and 192.0.2.1/32 are two as well.
# To be merged with others' data, write lower case, RFC 5952, no /32, and agree with the recipients which one hash you give.
# Seen: SHA-256 and then SHA-512: same; SHA-1: other; MD5: other; serial number: other; upper case: other; subject: same;
#       2001:db8::1 and 2001:DB8:0::1: other; 192.0.2.1 and 192.0.2.1/32: other
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check stix2==3.0.2
cat >"$work/look.py" <<'PY'
from stix2 import IPv4Address, IPv6Address, X509Certificate

sha256 = "ab" * 32


def same(one, other):
    return "same" if one.id == other.id else "other"


def certificate(digest=sha256, more=(), **fields):
    return X509Certificate(hashes={"SHA-256": digest, **dict(more)}, **fields)


others = {
    "SHA-512": certificate(more=[("SHA-512", "5" * 128)]),
    "SHA-1": certificate(more=[("SHA-1", "1" * 40)]),
    "MD5": certificate(more=[("MD5", "3" * 32)]),
    "serial number": certificate(serial_number="01"),
    "upper case": certificate(sha256.upper()),
    "subject": certificate(subject="CN=server"),
}
print("SHA-256 and then", ", ".join(f"{name}: {same(certificate(), other)}" for name, other in others.items()))
print("2001:db8::1 and 2001:DB8:0::1:", same(IPv6Address(value="2001:db8::1"), IPv6Address(value="2001:DB8:0::1")))
print("192.0.2.1 and 192.0.2.1/32:", same(IPv4Address(value="192.0.2.1"), IPv4Address(value="192.0.2.1/32")))
PY
seen=$("$work/venv/bin/python" "$work/look.py")
echo "$seen"
[ "$seen" = "SHA-256 and then SHA-512: same, SHA-1: other, MD5: other, serial number: other, upper case: other, subject: same
2001:db8::1 and 2001:DB8:0::1: other
192.0.2.1 and 192.0.2.1/32: other" ]
