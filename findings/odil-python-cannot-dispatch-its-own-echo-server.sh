#!/bin/bash
# python3-odil 0.12.2-2+b5 (Debian bookworm). Root.
# odil's Python classes for a server of Verification do not fit together: the dispatcher that its C++ side documents refuses the
# EchoSCP of the same module (its base class was never made known to Python), so an EchoSCP has to be called by hand with each
# message. What it then answers is not its own: the maximum PDU length in its acceptance is the requester's, whatever that is,
# and the version name of 0.12.2 is "Odil 0".
# Seen: SCPDispatcher.set_scp(EchoSCP) TypeError; called by hand: status 0; we say 12345, it says 12345; Odil 0
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$here/debian" bookworm "$work" python3-odil=0.12.2-2+b5
cat >"$work/root/server.py" <<'PY'
import odil
try:
    association = odil.Association()
    odil.SCPDispatcher(association).set_scp(odil.messages.Message.Command.C_ECHO_RQ, odil.EchoSCP(association))
    print("SCPDispatcher.set_scp(EchoSCP) works", flush=True)
except TypeError:
    try:
        odil.SCPDispatcher(association).set_scp(int(odil.messages.Message.Command.C_ECHO_RQ), odil.EchoSCP(association))
        print("SCPDispatcher.set_scp(EchoSCP) works", flush=True)
    except TypeError:
        print("SCPDispatcher.set_scp(EchoSCP) TypeError", flush=True)
echo = odil.EchoSCP(association)
echo.set_callback(lambda request: 0)
try:
    association.receive_association("v4", 11112)
    while True:
        echo(association.receive_message())
except odil.Exception:
    pass
PY
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pynetdicom==3.0.4 pydicom==3.0.2
cat >"$work/client.py" <<'PY'
import time
from pynetdicom import AE
ae = AE()
ae.maximum_pdu_size = 12345
ae.add_requested_context("1.2.840.10008.1.1")
for _ in range(100):
    association = ae.associate("127.0.0.1", 11112, ae_title="ODIL", max_pdu=12345)
    if association.is_established:
        break
    time.sleep(0.2)
print("called by hand: status", association.send_c_echo().Status)
print("we say 12345, it says", association.acceptor.maximum_length)
print(association.acceptor.implementation_version_name)
association.release()
PY
cat >"$work/inside" <<'SH'
ip link set lo up
chroot "$1/root" /usr/bin/python3 /server.py &
"$1/venv/bin/python" "$1/client.py"
wait
SH
seen=$(unshare --net --pid --fork --kill-child --mount-proc bash "$work/inside" "$work")
echo "$seen"
[ "$seen" = "SCPDispatcher.set_scp(EchoSCP) TypeError
called by hand: status 0
we say 12345, it says 12345
Odil 0" ]
