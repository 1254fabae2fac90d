"""Suppress the kernel's RSTs: it knows nothing of our connections, and would reset them (decision 1).

An nftables rule at ingress drops what comes back to our source ports. The kernel's TCP does not see it; a packet socket still does.

The rule's table belongs to this process (flag `owner`): a firewall that is started again with `flush ruleset` does not remove it, and
it is gone when the process ends, even by SIGKILL. Where nftables is too old for that, the filter looks before each batch whether
anybody has changed nftables, and puts its table back. The name of the table has the process id of its sender. A table whose
process is dead is removed at the next start.
"""

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from pipeline import host, logs
from pipeline.errors import CensusError, InputError
from pipeline.guard import sockets
from pipeline.guard.nftables import Nftables, NftablesChanges, NotPermittedError
from pipeline.wire.cookie import WHOLE, Slice
from pipeline.words.plural import plural

TABLE = "dicom_census_"
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
#: How long to wait, in seconds, for another sender with our source ports to end: it may be about to stop.
PATIENCE_SECONDS = 5.0


@dataclass(slots=True)
class ResetFilter:
    """The rule of one sender at an interface. `check` sees to it that it is there."""

    interface: str
    table: str
    rule: str
    nftables: Nftables
    changes: NftablesChanges
    owned: bool = True
    """The table belongs to this process: nobody else can remove it."""

    def install(self) -> None:
        """Make the table, an owned one where nftables can. Raises CensusError."""
        try:
            self.nftables.run(self._text())
        except NotPermittedError:
            raise
        except CensusError:
            if not self.owned:
                raise
            self.owned = False
            self.nftables.run(self._text())

    def check(self, exposed: Callable[[], int] = lambda: 0) -> bool:
        """Put the rule back if it was removed; whether it was. Raises CensusError if that is refused.

        `exposed` says how many packets came since the last check, so that the kernel may have answered them.
        """
        if not self.changes.any() or self.in_place():
            return False
        self.install()
        logs.warning(
            f"another program has removed our nftables table on {self.interface} (`nft flush ruleset`?). It is back; "
            f"of the connections of {plural(exposed(), 'packet')} that came meanwhile, the kernel may have reset some"
        )
        return True

    def in_place(self) -> bool:
        """Whether the rule is there now."""
        try:
            return "drop" in self.nftables.run(f"list chain netdev {self.table} ingress")
        except NotPermittedError:
            raise
        except CensusError:
            return False

    def remove(self) -> None:
        """Remove the table, unless somebody else has."""
        with suppress(CensusError):
            self.nftables.run(f"delete table netdev {self.table}")

    def _text(self) -> str:
        owner = "flags owner;\n" if self.owned else ""
        return (
            f"add table netdev {self.table}\ndelete table netdev {self.table}\n"
            f"table netdev {self.table} {{\n{owner}chain ingress {{\n"
            f'type filter hook ingress device "{self.interface}" priority 0; policy accept;\n{self.rule}\n}}\n}}\n'
        )


@contextmanager
def suppress_resets(
    interface: str, source: str, ports: Sequence[int], ours: Slice = WHOLE, *, owned: bool = True
) -> Iterator[ResetFilter]:
    """Drop TCP from these ports to a sender's source ports on an interface.

    Raises CensusError if nftables fails or this process lacks CAP_NET_ADMIN, and InputError if another live process sends from there:
    it would get our answers.
    """
    _require_separate_ports()
    prefix = f"{TABLE}{IPv4Address(source).packed.hex()}_{ours.first}_"
    with ExitStack() as stack:
        try:
            nftables, changes = Nftables(), NftablesChanges()
            stack.callback(changes.close)
            stack.callback(nftables.close)
            _await_free(nftables, prefix, source)
            rule = f"ip daddr {source} tcp sport {{ {', '.join(map(str, ports))} }} tcp dport {ours.first}-{ours.last} drop"
            made = ResetFilter(interface, f"{prefix}{os.getpid()}", rule, nftables, changes, owned)
            made.install()
        except NotPermittedError:
            raise CensusError(sockets.NO_PRIVILEGE) from None
        stack.callback(made.remove)
        yield made


def _await_free(nftables: Nftables, prefix: str, source: str) -> None:
    """Remove the tables of dead senders, and wait until no table has this prefix. Raises InputError if one stays."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        senders = [pid for table, pid in _live_tables(nftables) if table.startswith(prefix)]
        if not senders:
            return
        if time.monotonic() >= until:
            raise InputError(
                "key probe.source",
                f"process {senders[0]} sends from {source} already, and two would take each other's answers; "
                "key probe.senders lets one worker send with more processes",
            )
        time.sleep(0.1)


def _live_tables(nftables: Nftables) -> list[tuple[str, int]]:
    """Our tables and the processes that made them. Tables of processes that have ended are removed."""
    matches = re.findall(rf"table netdev ({TABLE}[0-9a-f]{{8}}_\d+_(\d+))", nftables.run("list tables netdev"))
    tables = [(table, int(pid)) for table, pid in matches]
    return [(table, pid) for table, pid in tables if host.started_at(pid) is not None or not _removed(nftables, table)]


def _removed(nftables: Nftables, table: str) -> bool:
    """Remove a table; False if it belongs to a process that lives after all, where we do not see it (pid_namespaces(7))."""
    try:
        nftables.run(f"delete table netdev {table}")
    except CensusError:
        return False
    return True


def _require_separate_ports() -> None:
    """Raise InputError if ordinary connections of this machine may use our source ports."""
    first, last = map(int, sockets.at_vantage(EPHEMERAL.read_text).split())
    if first <= WHOLE.last and last >= WHOLE.first:
        ours = f"{WHOLE.first}-{WHOLE.last}"
        raise InputError(
            "net.ipv4.ip_local_port_range",
            f"{first}-{last} overlaps the ports of probes, {ours}: `sysctl net.ipv4.ip_local_port_range='32768 60999'`",
        )
