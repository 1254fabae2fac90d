"""A server of pydcm's: `pydcm_scp.py PORT TITLE` accepts Verification and CT images."""

import sys

from pydcm.dimse import AE

ae = AE(ae_title=sys.argv[2])
ae.add_supported_context("1.2.840.10008.1.1")
ae.add_supported_context("1.2.840.10008.5.1.4.1.1.2")
ae.start_server(("0.0.0.0", int(sys.argv[1])), block=True)
