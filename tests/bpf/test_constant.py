"""The shortest XDP program, run by this kernel."""

import pytest

from pipeline.bpf import kernel
from pipeline.bpf.constant import constant_program
from pipeline.bpf.kernel import ProgramType, XdpAction


@pytest.mark.parametrize("action", [XdpAction.DROP, XdpAction.PASS, XdpAction.TX])
def test_each_action(action: XdpAction) -> None:
    """It returns its action, and the packet as it was."""
    assert kernel.run(kernel.load(ProgramType.XDP, constant_program(action)), bytes(range(60))) == (
        action,
        bytes(range(60)),
    )
