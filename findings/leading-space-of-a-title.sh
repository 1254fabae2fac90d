#!/bin/bash
# Debian bookworm's orthanc 1.10.1+dfsg-2+deb12u1 and dcmtk 3.6.7-9~deb12u4, and pynetdicom 3.0.4 (PyPI), each checking the called
# AE title SERVER. Root.
# Spaces at both ends of an AE title do not count (PS3.5 §6.2, VR AE). Trailing ones are ignored by all three, as they pad the
# field. A leading one is not: Orthanc and dcmqrscp refuse the title, pynetdicom takes it.
# Seen: orthanc and dcmqrscp: 'SERVER' accepted, ' SERVER' refused 1/1/7; pynetdicom: both accepted
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$here/debian" bookworm "$work" orthanc=1.10.1+dfsg-2+deb12u1 dcmtk=3.6.7-9~deb12u4
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pynetdicom==3.0.4 pydicom==3.0.2
mkdir -p "$work/root/store"
echo '{"StorageDirectory": "/store", "IndexDirectory": "/store", "HttpServerEnabled": false, "DicomPort": 11112,
"DicomAet": "SERVER", "DicomCheckCalledAet": true}' >"$work/root/orthanc.json"
cat >"$work/root/dcmqrscp.cfg" <<'CFG'
NetworkTCPPort = 11112
MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
SERVER /store RW (10, 1mb) ANY
AETable END
CFG
cat >"$work/server.py" <<'PY'
from pynetdicom import AE
ae = AE(ae_title="SERVER")
ae.require_called_aet = True
ae.add_supported_context("1.2.840.10008.1.1")
ae.start_server(("", 11112), block=True)
PY
cat >"$work/client.py" <<'PY'
import socket, struct, sys, time

def item(kind, data):
    return struct.pack(">BxH", kind, len(data)) + data

user = item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.826.0.1.3680043.10.999.1")
context = struct.pack(">Bxxx", 1) + item(0x30, b"1.2.840.10008.1.1") + item(0x40, b"1.2.840.10008.1.2")
items = item(0x10, b"1.2.840.10008.3.1.1.1") + item(0x20, context) + item(0x50, user)
answers = []
for title in (b"SERVER", b" SERVER"):
    body = struct.pack(">Hxx", 1) + title.ljust(16) + b"CLIENT".ljust(16) + bytes(32) + items
    for _ in range(100):
        try:
            peer = socket.create_connection(("127.0.0.1", 11112))
            break
        except ConnectionRefusedError:
            time.sleep(0.3)
    peer.sendall(struct.pack(">BxI", 1, len(body)) + body)
    reply = peer.recv(4096)
    answers.append("accepted" if reply[0] == 2 else f"refused {reply[7]}/{reply[8]}/{reply[9]}")
    if reply[0] == 2:
        peer.sendall(bytes.fromhex("05000000000400000000"))
        peer.recv(4096)
    peer.close()
    time.sleep(0.5)
print(f"{sys.argv[1]}: 'SERVER' {answers[0]}, ' SERVER' {answers[1]}")
PY
cat >"$work/inside" <<'SH'
ip link set lo up
serve() {
    "${@:2}" >/dev/null 2>&1 &
    "$work/venv/bin/python" "$work/client.py" "$1"
    kill -KILL $!
    wait $! 2>/dev/null
}
work=$1
serve orthanc chroot "$work/root" /usr/sbin/Orthanc /orthanc.json
serve dcmqrscp chroot "$work/root" /usr/bin/dcmqrscp --config /dcmqrscp.cfg
serve pynetdicom "$work/venv/bin/python" "$work/server.py"
true
SH
seen=$(unshare --net --pid --fork --kill-child --mount-proc bash "$work/inside" "$work")
echo "$seen"
[ "$seen" = "orthanc: 'SERVER' accepted, ' SERVER' refused 1/1/7
dcmqrscp: 'SERVER' accepted, ' SERVER' refused 1/1/7
pynetdicom: 'SERVER' accepted, ' SERVER' accepted" ]
