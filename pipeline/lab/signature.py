"""Signatures by the lab's key: Ed25519 (RFC 8032) over bytes and over what they are for. Pure; `key` keeps the keys.

What is signed begins with its purpose, so that a signature over one kind of document is never valid for another.
"""

import hashlib

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

#: Hexadecimal digits of a fingerprint.
FINGERPRINT_DIGITS = 16


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """A signature and the public key that it is by, both hexadecimal."""

    public_key: str
    value: str


def message(purpose: str, data: bytes) -> bytes:
    """Return the bytes that are signed: what they are for, and the data."""
    return f"dicom-census {purpose}\0".encode() + data


def is_valid(signature: Signature, purpose: str, data: bytes) -> bool:
    """Return whether this is the signature of the holder of its key over the data, made for this purpose."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature.public_key))
        key.verify(bytes.fromhex(signature.value), message(purpose, data))
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(public_key: str) -> str:
    """Return the name of a public key for people: the first digits of its SHA-256."""
    return hashlib.sha256(bytes.fromhex(public_key)).hexdigest()[:FINGERPRINT_DIGITS]
