#!/bin/bash
# dcm2json of Debian's dcmtk 3.6.7-9~deb12u4 (bookworm) and 3.6.9-5+deb13u3 (trixie); pydicom 3.0.2 (PyPI). Root.
# The DICOM JSON of one valid file differs by who writes it, so two of them cannot be compared as text or by digest:
# - a decimal string may end in its point ("70."); DCMTK 3.6.7 copies it as a number that is no JSON, 3.6.9 writes 70.0;
# - an empty value among others is null in DCMTK, as PS3.18 F.2.5 has it, and an empty string in pydicom;
# - leading spaces of an SH, and trailing carets of a name, are kept by pydicom and dropped by DCMTK.
# Read both back into data sets, strip spaces and carets there, and take null and "" for the same.
# Seen: dcmtk 3.6.7: no JSON (70.); dcmtk 3.6.9: 70.0, ["ORIGINAL", null, "AXIAL"], "lead", "A^B";
#       pydicom 3.0.2: 70.0, ["ORIGINAL", "", "AXIAL"], "  lead", "A^B^^^"
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bookworm" "$work/trixie"
"$here/debian" bookworm "$work/bookworm" dcmtk=3.6.7-9~deb12u4
"$here/debian" trixie "$work/trixie" dcmtk=3.6.9-5+deb13u3
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pydicom==3.0.2
cat >"$work/write.py" <<'PY'
import sys
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

data = Dataset()
data.SOPClassUID, data.SOPInstanceUID = SecondaryCaptureImageStorage, "2.25.1"
data.ImageType = ["ORIGINAL", "", "AXIAL"]
data.AccessionNumber = "  lead"
data.PatientName = "A^B^^^"
data.PatientWeight = "70."
data.file_meta = FileMetaDataset()
data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
data.save_as(sys.argv[1], enforce_file_format=True)
PY
cat >"$work/look.py" <<'PY'
import json, sys

text = sys.stdin.read()
try:
    data = json.loads(text)
except ValueError:
    print("no JSON", f"({'70.' if '70.' in text.split() else 'another reason'})")
else:
    kind, accession, name, weight = (data[tag]["Value"] for tag in ("00080008", "00080050", "00100010", "00101030"))
    print(f"{weight[0]}, {json.dumps(kind)}, {json.dumps(accession[0])}, {json.dumps(name[0]['Alphabetic'])}")
PY
"$work/venv/bin/python" "$work/write.py" "$work/file.dcm"
of() {
    cp "$work/file.dcm" "$work/$1/root/"
    DCMDICTPATH=$2 chroot "$work/$1/root" /usr/bin/dcm2json /file.dcm | "$work/venv/bin/python" "$work/look.py"
}
seen="dcmtk 3.6.7: $(of bookworm /usr/share/libdcmtk17/dicom.dic)
dcmtk 3.6.9: $(of trixie /usr/share/dcmtk/dicom.dic)
pydicom 3.0.2: $("$work/venv/bin/python" -c 'import sys, pydicom; print(pydicom.dcmread(sys.argv[1]).to_json())' "$work/file.dcm" |
    "$work/venv/bin/python" "$work/look.py")"
echo "$seen"
[ "$seen" = 'dcmtk 3.6.7: no JSON (70.)
dcmtk 3.6.9: 70.0, ["ORIGINAL", null, "AXIAL"], "lead", "A^B"
pydicom 3.0.2: 70.0, ["ORIGINAL", "", "AXIAL"], "  lead", "A^B^^^"' ]
