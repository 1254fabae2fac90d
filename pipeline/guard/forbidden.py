"""The floor below all senders: addresses that get nothing from this program, whatever its plan says.

They are the special-purpose blocks, multicast among them, and the never-touch list (`space.blocklist`). A plan never has them, and a
worker refuses a plan that has. This is for a plan, a message or a fault of ours that gets past both: each probe, each segment and
each socket of the kernel's is checked where it is made. Two exceptions send nothing to a stranger: private addresses that their owner
signed for, and a testbed that is closed at that moment.
"""

import time
from functools import cache
from ipaddress import IPv4Address

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import GuardError
from pipeline.guard.proof import why_not_closed
from pipeline.guard.vantage_namespace import at_vantage
from pipeline.space import blocklist
from pipeline.space.ranges import Ranges
from pipeline.space.signed import SignedRanges, verified

#: For how long a testbed is believed to be closed, in seconds, once something was to be sent to an address of the floor.
CLOSED_SECONDS = 1.0
_closed_until = float("-inf")
_signed: list[Ranges] = []


def allow_private(signed: SignedRanges | None) -> None:
    """Let this process send to private addresses that their owner signed for. Raises GuardError if the signature is wrong."""
    _signed[:] = [verified(signed)] if signed else []


def refuse(addresses: NDArray[np.uint32]) -> None:
    """Raise GuardError if one of these addresses gets nothing; shape (n,)."""
    suspects = addresses[_blocks()[(addresses >> 16).astype(np.intp)]]
    if not len(suspects):
        return
    reached = suspects[_forbidden().contains(suspects)]
    private = blocklist.private_use()
    for signed in _signed:
        reached = reached[~(signed.contains(reached) & private.contains(reached))]
    if len(reached) and not _in_closed_testbed():
        raise GuardError(
            f"{IPv4Address(int(reached[0]))} was to be sent to, and it is special-purpose or on the never-touch list: nothing was "
            "sent to it; this is a fault of the program or of its plan, please report it"
        )


def refuse_dotted(address: str) -> None:
    """Raise GuardError if an address, as people write it, gets nothing."""
    refuse(np.array([int(IPv4Address(address))], dtype=np.uint32))


def _in_closed_testbed() -> bool:
    global _closed_until
    if time.monotonic() > _closed_until:
        if at_vantage(why_not_closed):
            return False
        _closed_until = time.monotonic() + CLOSED_SECONDS
    return True


@cache
def _forbidden() -> Ranges:
    return blocklist.ranges(None, Ranges.of(()))


@cache
def _blocks() -> NDArray[np.bool_]:
    """Which /16 blocks have an address of the floor, by number: the quick look before the exact one."""
    blocks = np.zeros(1 << 16, dtype=np.bool_)
    for first, last in _forbidden().pairs():
        blocks[first >> 16 : (last >> 16) + 1] = True
    return blocks
