#!/bin/bash
# nmap 7.93 (Debian bookworm, nmap=7.93+dfsg1-1), script dicom-ping; servers of pynetdicom 3.0.4. Root.
# The script says "Called AET check enabled" for any rejection, whatever its reason. A server that checks only the calling title
# (reason 3) gets that label, as does one that is full for a moment (source 3, reason 2, transient). And it says "Any AET is
# accepted (Insecure)" of a server that accepts the association but no service at all.
# (Debian keeps libblas, which nmap links, in a folder of its own: hence LD_LIBRARY_PATH.)
# Seen: checks calling title only -> Called AET check enabled; full for a moment -> Called AET check enabled;
#       accepts no service -> Any AET is accepted (Insecure)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$here/debian" bookworm "$work" nmap=7.93+dfsg1-1
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pynetdicom==3.0.4 pydicom==3.0.2
cat >"$work/server.py" <<'PY'
import sys, time
from pynetdicom import AE
ae = AE(ae_title="SERVER")
ae.add_supported_context("1.2.840.10008.1.1" if sys.argv[1] != "none" else "1.2.840.10008.5.1.4.1.1.2")
if sys.argv[1] == "calling":
    ae.require_calling_aet = ["KNOWN"]
if sys.argv[1] == "full":
    ae.maximum_associations = 1
ae.start_server(("127.0.0.1", 11112), block=False)
if sys.argv[1] == "full":
    client = AE()
    client.add_requested_context("1.2.840.10008.1.1")
    association = client.associate("127.0.0.1", 11112)
print("ready", flush=True)
time.sleep(300)
PY
cat >"$work/inside" <<'SH'
ip link set lo up
mount -t proc proc "$1/root/proc"
for kind in calling full none; do
    coproc server { exec "$1/venv/bin/python" "$1/server.py" "$kind"; }
    read -r _ <&"${server[0]}"
    echo "$kind: $(LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu/blas:/usr/lib/x86_64-linux-gnu/lapack chroot "$1/root" nmap -n -Pn -p 11112 --script dicom-ping 127.0.0.1 | sed -n 's/^|_ *config: //p')"
    kill "$server_PID"
    wait "$server_PID" 2>/dev/null
done
true
SH
seen=$(unshare --net --mount --pid --fork --kill-child --mount-proc bash "$work/inside" "$work")
echo "$seen"
[ "$seen" = "calling: Called AET check enabled
full: Called AET check enabled
none: Any AET is accepted (Insecure)" ]
