"""nftables through its library: commands, errors, and news of changes."""

import subprocess

import pytest

from pipeline.errors import CensusError
from pipeline.guard.nftables import Nftables, NftablesChanges, usable
from pipeline.testbed.closed import NamespacePair, inside


def test_changes_by_others_are_announced(vantage: NamespacePair) -> None:
    """A change by any program is announced once; without one there is nothing."""
    changes = NftablesChanges()
    assert not changes.any()
    subprocess.run([*inside(vantage.vantage), "nft", "add table inet other; flush ruleset"], check=True)
    assert [changes.any(), changes.any()] == [True, False]


@pytest.mark.usefixtures("vantage")
def test_commands_and_errors() -> None:
    """A command's output is returned; one that nftables refuses is an error with its reason."""
    nftables = Nftables()
    nftables.run("add table netdev one")
    assert nftables.run("list tables netdev") == "table netdev one\n"
    with pytest.raises(CensusError, match="nftables refuses 'list chain netdev two ingress': .*No such file"):
        nftables.run("list chain netdev two ingress")
    assert usable() == ""
