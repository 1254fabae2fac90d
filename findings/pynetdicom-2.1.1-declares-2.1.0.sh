#!/bin/bash
# pynetdicom 2.1.0, 2.1.1 and 3.0.1 (PyPI), on Python 3.10 or later.
# A pynetdicom server declares its version twice, in its implementation class UID and its implementation version name, both made
# from the package's version. Release 2.1.1 is the exception: its package says 2.1.1, its answers say 2.1.0, so nobody can tell
# the two apart from outside.
# Seen: 2.1.0 declares 2.1.0 PYNETDICOM_210; 2.1.1 declares 2.1.0 PYNETDICOM_210; 3.0.1 declares 3.0.1 PYNETDICOM_301
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pydicom==2.4.4
cat >"$work/look.py" <<'PY'
import importlib.metadata
import sys

sys.path.insert(0, sys.argv[1])
import pynetdicom

installed = next(importlib.metadata.distributions(name="pynetdicom", path=[sys.argv[1]])).version
uid = pynetdicom.PYNETDICOM_IMPLEMENTATION_UID.removeprefix("1.2.826.0.1.3680043.9.3811.")
print(installed, "declares", uid, pynetdicom.PYNETDICOM_IMPLEMENTATION_VERSION)
PY
seen=$(for version in 2.1.0 2.1.1 3.0.1; do
    "$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$work/$version" "pynetdicom==$version" 2>/dev/null
    "$work/venv/bin/python" "$work/look.py" "$work/$version" 2>/dev/null || echo "$version cannot be imported"
done)
echo "$seen"
[ "$seen" = "2.1.0 declares 2.1.0 PYNETDICOM_210
2.1.1 declares 2.1.0 PYNETDICOM_210
3.0.1 declares 3.0.1 PYNETDICOM_301" ]
