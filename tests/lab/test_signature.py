"""A signature is valid for its bytes, its purpose and its key, and for nothing else."""

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline.lab.signature import Signature, fingerprint, is_valid, message

# RFC 8032 §7.1, test 1, whose private key signs the message of our own form.
PRIVATE = Ed25519PrivateKey.from_private_bytes(
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
)
PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
SIGNATURE = Signature(public_key=PUBLIC, value=PRIVATE.sign(message("plan", b"content")).hex())


def test_what_was_signed_is_valid() -> None:
    """A signature over a purpose and bytes is valid for them; the key's fingerprint has 16 digits."""
    assert is_valid(SIGNATURE, "plan", b"content")
    assert fingerprint(PUBLIC) == "21fe31dfa154a261"


@pytest.mark.parametrize(("purpose", "data"), [("seal", b"content"), ("plan", b"contents"), ("plan", b"")])
def test_nothing_else_is(purpose: str, data: bytes) -> None:
    """Another purpose and other bytes are not what was signed."""
    assert not is_valid(SIGNATURE, purpose, data)


@pytest.mark.parametrize(
    "change", [{"public_key": "00" * 32}, {"public_key": "7"}, {"public_key": "é"}, {"value": ""}, {"value": "00" * 64}]
)
def test_malformed_signatures(change: dict[str, str]) -> None:
    """A key or a signature that is none is not valid, and never an exception."""
    assert not is_valid(msgspec.structs.replace(SIGNATURE, **change), "plan", b"content")
