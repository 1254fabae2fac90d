"""The lot of an experiment: whether an address waits or is handed over now, by a keyed digest of the address alone. Pure.

Neither the order of rows nor anything that was seen of a host decides, and nobody without the key knows the arms.
"""

import hashlib
import hmac


def waits(key: str, ip: int) -> bool:
    """Return whether the lot makes an address (an integer) wait: the first bit of HMAC-SHA256 by the key (hexadecimal)."""
    return hmac.digest(bytes.fromhex(key), ip.to_bytes(4, "big"), hashlib.sha256)[0] >= 0x80
