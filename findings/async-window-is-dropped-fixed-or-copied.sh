#!/bin/bash
# Debian bookworm's orthanc 1.10.1+dfsg-2+deb12u1 and dcmtk 3.6.7-9~deb12u4 (dcmqrscp), pynetdicom 3.0.4 and pydicom 3.0.2 (PyPI),
# dcmjs-dimse 0.3.3 (npm) as servers; client pynetdicom. Root.
# A requester may propose an asynchronous operations window: how many operations it may have outstanding (PS3.7 D.3.3.3). Orthanc and
# dcmqrscp leave it out of their answer, which means 1 and 1. pynetdicom answers 1 and 1, whatever the server's own handler returns.
# dcmjs-dimse copies what was proposed, also if that is unlimited (0 and 0), into every acceptance, whether its server can or not. So
# a window in an answer is a trace of the library; whoever wants to send more than one operation at a time has to try it.
# Seen: orthanc and dcmqrscp: window 5/3 no answer, window 0/0 no answer; pynetdicom: window 5/3 1/1, window 0/0 1/1;
#       dcmjs-dimse: window 5/3 5/3, window 0/0 0/0
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$here/debian" bookworm "$work" orthanc=1.10.1+dfsg-2+deb12u1 dcmtk=3.6.7-9~deb12u4
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pynetdicom==3.0.4 pydicom==3.0.2
npm install --silent --no-audit --no-fund --prefix "$work" dcmjs-dimse@0.3.3 >/dev/null
mkdir -p "$work/root/store"
echo '{"StorageDirectory": "/store", "IndexDirectory": "/store", "HttpServerEnabled": false, "DicomPort": 11112}' \
    >"$work/root/orthanc.json"
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
from pynetdicom import AE, evt

ae = AE(ae_title="SERVER")
ae.add_supported_context("1.2.840.10008.1.1")
handlers = [(evt.EVT_ASYNC_OPS, lambda event: (5, 3))]
ae.start_server(("127.0.0.1", 11112), block=True, evt_handlers=handlers)
PY
cat >"$work/server.js" <<'JS'
const { Server, Scp, constants } = require("dcmjs-dimse");
class Verification extends Scp {
  associationRequested(association) {
    for (const { id } of association.getPresentationContexts()) {
      association.getPresentationContext(id).setResult(
        constants.PresentationContextResult.Accept, constants.TransferSyntax.ImplicitVRLittleEndian);
    }
    this.sendAssociationAccept();
  }
  associationReleaseRequested() {
    this.sendAssociationReleaseResponse();
  }
}
new Server(Verification).listen(11112);
JS
cat >"$work/client.py" <<'PY'
import sys, time
from pynetdicom import AE
from pynetdicom.pdu_primitives import AsynchronousOperationsWindowNegotiation as Window


def window(invoked, performed):
    item = Window()
    item.maximum_number_operations_invoked, item.maximum_number_operations_performed = invoked, performed
    return item


def answer(item):
    ae = AE(ae_title="CLIENT")
    ae.add_requested_context("1.2.840.10008.1.1")
    for _ in range(100):
        association = ae.associate("127.0.0.1", 11112, ae_title="SERVER", ext_neg=[item])
        if association.is_established:
            break
        time.sleep(0.3)
    windows = [each for each in association.acceptor.user_information if isinstance(each, Window)]
    association.release()
    if not windows:
        return "no answer"
    return f"{windows[0].maximum_number_operations_invoked}/{windows[0].maximum_number_operations_performed}"


items = {"window 5/3": window(5, 3), "window 0/0": window(0, 0)}
print(f"{sys.argv[1]}:", ", ".join(f"{name} {answer(item)}" for name, item in items.items()))
PY
cat >"$work/inside" <<'INSIDE'
ip link set lo up
work=$1
serve() {
    "${@:2}" >/dev/null 2>&1 &
    "$work/venv/bin/python" "$work/client.py" "$1"
    kill -KILL $!
    wait $! 2>/dev/null
}
serve orthanc chroot "$work/root" /usr/sbin/Orthanc /orthanc.json
serve dcmqrscp chroot "$work/root" /usr/bin/dcmqrscp --config /dcmqrscp.cfg
serve pynetdicom "$work/venv/bin/python" "$work/server.py"
serve dcmjs-dimse node "$work/server.js"
true
INSIDE
seen=$(unshare --net --pid --fork --kill-child --mount-proc bash "$work/inside" "$work")
echo "$seen"
none="window 5/3 no answer, window 0/0 no answer"
[ "$seen" = "orthanc: $none
dcmqrscp: $none
pynetdicom: window 5/3 1/1, window 0/0 1/1
dcmjs-dimse: window 5/3 5/3, window 0/0 0/0" ]
