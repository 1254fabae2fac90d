"""Who reads what a tun device sends."""

import subprocess
import sys

import pytest

from pipeline.guard import proof
from pipeline.guard.namespaces import facts
from pipeline.testbed.closed import closed_pair, configure
from pipeline.testbed.closed import inside as run_inside
from tests.testbed.running import ROOT

HOLD = """
import sys, time
from pipeline.guard.namespaces import inside
from tests.end_to_end.tunnel import IFF_TUN, device
opened = inside(int(sys.argv[1]), lambda: device("tun7", IFF_TUN))
print("up", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize(
    ("device", "reader", "expected"),
    [
        ("here", "here", ""),
        ("here", "elsewhere", "is read by a process outside of the testbed"),
        ("elsewhere", "elsewhere", ""),
    ],
)
def test_who_reads_a_tun(device: str, reader: str, expected: str) -> None:
    """Only processes of the testbed may read its tun devices; one of the same name in another namespace opens nothing."""
    with closed_pair() as pair, closed_pair() as other:
        places = {"here": pair.world, "elsewhere": other.world}
        configure(pair.world, "tuntap add dev tun7 mode tun\n")
        command = [*run_inside(places[reader]), sys.executable, "-c", HOLD, str(places[device])]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout and holder.stdout.readline() == "up\n"
            found = "; ".join(
                proof.leaks([facts(pair.vantage), facts(pair.world)], pair.manifest, proof.present(pair.manifest))
            )
            holder.kill()
    assert expected in found and bool(expected) is bool(found)
