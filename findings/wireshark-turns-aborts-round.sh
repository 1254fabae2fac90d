#!/bin/bash
# tshark 4.0.17 (Debian bookworm, tshark=4.0.17-0+deb12u3) on an exchange of pynetdicom 3.0.4 (PyPI) with itself. Root.
# The arrow that Wireshark draws for an A-ABORT does not say who sent it. It follows the PDU's source field: service user (0) is
# drawn from client to server, service provider (2) from server to client. A server's own abort is of the first kind, so the trace
# blames the client, and a client's provider abort blames the server. Judge by the port or address of the frame, never the arrow.
# Seen: server sends: ABORT CLIENT --> SERVER; client sends: ABORT CLIENT <-- SERVER (Not specified)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$here/debian" bookworm "$work" tshark=4.0.17-0+deb12u3
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pynetdicom==3.0.4 pydicom==3.0.2
cat >"$work/exchange.py" <<'PY'
import socket, struct, sys, time
from pynetdicom import AE, evt

capture = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
capture.bind(("lo", 0))
capture.settimeout(2)


def answer(event):
    event.assoc.abort()
    return 0


server = AE(ae_title="SERVER")
server.add_supported_context("1.2.840.10008.1.1")
running = server.start_server(("127.0.0.1", 11112), block=False, evt_handlers=[(evt.EVT_C_ECHO, answer)])
client = AE(ae_title="CLIENT")
client.add_requested_context("1.2.840.10008.1.1")
client.associate("127.0.0.1", 11112, ae_title="SERVER").send_c_echo()
client.associate("127.0.0.1", 11112, ae_title="SERVER").acse.send_ap_abort(0)
time.sleep(1)
running.shutdown()
with open(sys.argv[1], "wb") as pcap:
    pcap.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    try:
        while True:
            frame, origin = capture.recvfrom(65535)
            if origin[2] != socket.PACKET_OUTGOING:
                pcap.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)
    except TimeoutError:
        pass
PY
cat >"$work/inside" <<'SH'
ip link set lo up
"$1/venv/bin/python" "$1/exchange.py" "$1/root/exchange.pcap" >/dev/null
mount -t proc proc "$1/root/proc"
chroot "$1/root" tshark -r /exchange.pcap -d tcp.port==11112,dicom -Y "dicom.pdu.type == 7" -T fields -E separator=/s \
    -e tcp.srcport -e _ws.col.Info 2>/dev/null | sed 's/ / sends: /'
SH
seen=$(unshare --net --mount --pid --fork --kill-child --mount-proc bash "$work/inside" "$work" | sed 's/^11112/server/; s/^[0-9]\+/client/')
echo "$seen"
[ "$seen" = "server sends: ABORT CLIENT --> SERVER
client sends: ABORT CLIENT <-- SERVER (Not specified)" ]
