#!/bin/bash
# pynetdicom2 0.9.7 and 0.9.8 (PyPI), a server of Verification as its documentation shows it; client pynetdicom 3.0.4.
# An acceptance declares who accepts. Both versions return the implementation class UID and version name of the requester
# instead, so a log of peers shows oneself. Between the two, a patch release: 0.9.7 pads AE titles by spaces and states a command
# group length two bytes too short in its C-ECHO response, 0.9.8 pads them by NULs and states the right one. Both leave the
# affected SOP class UID of that response empty.
# Seen: 0.9.7: its class UID is ours True, its version name is ours True, titles end in 20, group length 46 of 48, SOP class of 0 bytes
#       0.9.8: its class UID is ours True, its version name is ours True, titles end in 00, group length 48 of 48, SOP class of 0 bytes
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for version in 0.9.7 0.9.8; do
    python3 -m venv "$work/$version"
    "$work/$version/bin/pip" install --quiet --disable-pip-version-check "pynetdicom2==$version"
done
python3 -m venv "$work/client"
"$work/client/bin/pip" install --quiet --disable-pip-version-check pynetdicom==3.0.4 pydicom==3.0.2
cat >"$work/server.py" <<'PY'
import threading
from pynetdicom2.applicationentity import AE
from pynetdicom2.sopclass import verification_scp
with AE("SERVER", 11112).add_scp(verification_scp):
    print("ready", flush=True)
    threading.Event().wait()
PY
cat >"$work/client.py" <<'PY'
import sys
from pynetdicom import AE, evt
ours = ("1.2.826.0.1.3680043.10.999.1", "MY_VERSION_7")
raw = []
ae = AE(ae_title="CLIENT")
ae.implementation_class_uid, ae.implementation_version_name = ours
ae.add_requested_context("1.2.840.10008.1.1")
association = ae.associate("127.0.0.1", 11112, ae_title="SERVER", evt_handlers=[(evt.EVT_DATA_RECV, lambda e: raw.append(e.data))])
acceptor = association.acceptor
association.send_c_echo()
association.release()
accept, command = raw[0], raw[1][12:]
stated, actual = int.from_bytes(command[8:12], "little"), len(command) - 12
print(f"{sys.argv[1]}: its class UID is ours {acceptor.implementation_class_uid == ours[0]}, "
      f"its version name is ours {acceptor.implementation_version_name == ours[1]}, titles end in {accept[25:26].hex()}, "
      f"group length {stated} of {actual}, SOP class of {int.from_bytes(command[16:20], 'little')} bytes")
PY
cat >"$work/inside" <<'SH'
ip link set lo up
for version in 0.9.7 0.9.8; do
    coproc server { exec "$1/$version/bin/python" "$1/server.py"; }
    read -r _ <&"${server[0]}"
    "$1/client/bin/python" "$1/client.py" "$version"
    kill -KILL "$server_PID"
    wait "$server_PID" 2>/dev/null
done
true
SH
seen=$(unshare --net --pid --fork --kill-child --mount-proc bash "$work/inside" "$work")
echo "$seen"
same="its class UID is ours True, its version name is ours True"
[ "$seen" = "0.9.7: $same, titles end in 20, group length 46 of 48, SOP class of 0 bytes
0.9.8: $same, titles end in 00, group length 48 of 48, SOP class of 0 bytes" ]
