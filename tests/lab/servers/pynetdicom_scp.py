"""A server of pynetdicom's, of any version: `pynetdicom_scp.py PORT TITLE [CALLER]` takes only those titles if CALLER is given."""

import sys

from pynetdicom import AE

VERIFICATION = "1.2.840.10008.1.1"

port, title, *callers = sys.argv[1:]
ae = AE(ae_title=title) if hasattr(AE, "start_server") else AE(ae_title=title, port=int(port))
ae.add_supported_context(VERIFICATION)
if callers:
    known = callers if hasattr(AE, "make_server") else [caller.encode() for caller in callers]
    try:
        ae.require_calling_aet = known
    except TypeError:  # version 1.0 takes a single title
        ae.require_calling_aet = known[0]
    ae.require_called_aet = True if hasattr(AE, "start_server") else title.encode()
if hasattr(AE, "start_server"):
    ae.start_server(("", int(port)), block=True)
else:
    ae.start()
