"""nftables at the vantage, through libnftables (libnftables(3)), which the package `nftables` brings.

A context is one netlink socket of this process. A table with the flag `owner` belongs to that socket (Linux 5.12, nft(8)): no other
program can change it, `nft flush ruleset` leaves it there, and the kernel removes it when this process ends, however it ends.
"""

import ctypes
import errno
import os
from typing import Any

from pipeline.errors import CensusError
from pipeline.guard import sockets
from pipeline.guard.notices import Notices

LIBRARY = "libnftables.so.1"
NETLINK_NETFILTER = 12  # linux/netlink.h
NFNLGRP_NFTABLES = 7  # linux/netfilter/nfnetlink.h: every change of any table is announced to this group
INSTALL = "install the package nftables"


class NotPermittedError(CensusError):
    """The process may not read or change nftables."""


class Nftables:
    """A context of libnftables in the vantage's network namespace. One thread at a time may use it."""

    def __init__(self) -> None:
        """Open it. Raises CensusError if this machine has no libnftables, or its kernel no nftables."""
        self._library = _library()
        self._context = sockets.at_vantage(lambda: self._library.nft_ctx_new(0))
        if not self._context:
            raise CensusError(f"nftables cannot be used: {LIBRARY} opens no netlink socket; {INSTALL}")
        self._library.nft_ctx_buffer_output(self._context)
        self._library.nft_ctx_buffer_error(self._context)

    def run(self, command: str) -> str:
        """Run a command of nft(8); its output. Raises CensusError: NotPermittedError if this process lacks CAP_NET_ADMIN."""
        failed = self._library.nft_run_cmd_from_buffer(self._context, command.encode())
        output, error = (
            bytes(buffer(self._context) or b"").decode("utf-8", "replace")
            for buffer in (self._library.nft_ctx_get_output_buffer, self._library.nft_ctx_get_error_buffer)
        )
        if not failed:
            return output
        reason = next(iter(error.strip().splitlines()), "it gives no reason")
        if os.strerror(errno.EPERM) in reason:
            raise NotPermittedError(f"nftables cannot be changed: {reason}")
        raise CensusError(f"nftables refuses {command.split('{')[0].strip()!r}: {reason}")

    def close(self) -> None:
        """Close the context, and with it every table that it owns."""
        if self._context:
            self._library.nft_ctx_free(self._context)
            self._context = None


class NftablesChanges(Notices):
    """Says whether anybody has changed nftables at the vantage."""

    def __init__(self) -> None:
        """Listen from now on. Raises NotPermittedError."""
        try:
            super().__init__(NETLINK_NETFILTER, 1 << (NFNLGRP_NFTABLES - 1))
        except PermissionError as error:
            raise NotPermittedError(f"nftables cannot be watched: {error.strerror}") from None


def usable() -> str:
    """Why this process cannot use nftables at the vantage; empty if it can. Nothing is changed."""
    try:
        nftables = Nftables()
    except CensusError as error:
        return str(error)
    try:
        nftables.run("list tables netdev")
        return ""
    except CensusError as error:
        return str(error)
    finally:
        nftables.close()


def _library() -> Any:
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError as error:
        raise CensusError(f"nftables cannot be used: {error}; {INSTALL}") from None
    library.nft_ctx_new.restype = ctypes.c_void_p
    library.nft_ctx_new.argtypes = [ctypes.c_uint32]
    for name in ("nft_ctx_buffer_output", "nft_ctx_buffer_error", "nft_ctx_free"):
        getattr(library, name).argtypes = [ctypes.c_void_p]
    for name in ("nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer"):
        getattr(library, name).argtypes, getattr(library, name).restype = [ctypes.c_void_p], ctypes.c_char_p
    library.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    return library
