"""The far end of a pair: an XDP program there drops every frame, or passes it on.

While there is one, a veth's driver takes frames from XDP programs; and to drop them so costs least. The interface counts them before.
"""

import socket

from pipeline.bpf import kernel
from pipeline.bpf.constant import constant_program
from pipeline.bpf.kernel import Descriptor, ProgramType, XdpAction
from pipeline.guard import namespaces


def attach(process: int, interface: str, action: XdpAction = XdpAction.PASS) -> Descriptor:
    """Attach such a program to an interface of a process's namespace, until what is returned is closed."""
    loaded = kernel.load(ProgramType.XDP, constant_program(action), attached=True)
    return namespaces.inside(process, lambda: kernel.attach_xdp(loaded, socket.if_nametoindex(interface)))
