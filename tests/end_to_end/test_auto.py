"""Engine `auto` in whole sweeps: where frames vanish without a word, it falls back until they do not."""

import time
from pathlib import Path

from tests.end_to_end.vantages import place, running, sweep

TAP = """
link set tun0 up
address add 198.18.9.1/24 dev tun0
neigh add 198.18.9.2 lladdr 02:00:00:00:09:02 dev tun0 nud permanent
route replace default via 198.18.9.2 dev tun0 src 198.18.9.1
"""
FAR = """
link set tun1 address 02:00:00:00:09:02 up
address add 198.18.9.2/24 dev tun1
route add local 11.0.0.0/25 dev lo
"""


def test_frames_that_vanish(tmp_path: Path) -> None:
    """While nobody reads a tap device it takes frames and drops them: AF_XDP gives way to packet rings, and these to connections.

    Each fall is one line. Then the device is read, and every host is found; no receipt claims a probe that has not left.
    """
    opened = tmp_path / "read"

    def read_at_last(_lake: Path) -> None:
        while "takes connect" not in (tmp_path / "log").read_text():
            time.sleep(0.1)
        opened.touch()

    with (
        place(tmp_path) as at,
        running(at, "tunnel", str(at.pair.vantage), str(opened)),
        running(at, "talker", "104", "300"),
    ):
        at.vantage(TAP)
        at.world(FAR)
        swept = sweep(at, targets="11.0.0.0/25", meanwhile=read_at_last)
    assert swept.code == 0, swept.said[-3000:]
    lines = [line for line in swept.said.splitlines() if " auto takes " in line]
    vanished = "the counter of tun0 shows 0 of its first 128 frames"
    assert lines == [
        "engine auto takes xdp, fast enough for 4,000 probes/s",
        f"warning: engine auto takes ring, since xdp cannot: {vanished}",
        f"warning: engine auto takes connect, since xdp and ring cannot: {vanished}",
    ]
    # A tunnel in Python, starved by other tests, takes a host's connection and is late with the rest.
    assert len(swept.outcomes()) == 128 and set(swept.outcomes().values()) <= {"not_dicom", "unacknowledged"}
    columns = "list(DISTINCT engine), sum(probes_sent), sum(probes_abandoned), min(attempts)"
    assert swept.rows(f"SELECT {columns} FROM receipts") == [(["connect"], 128, 0, 3)]
