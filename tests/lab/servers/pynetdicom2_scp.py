"""A server of pynetdicom2's: `pynetdicom2_scp.py PORT TITLE` answers C-ECHO, as its documentation has it."""

import sys
import threading

from pynetdicom2.applicationentity import AE
from pynetdicom2.sopclass import verification_scp

with AE(sys.argv[2], int(sys.argv[1])).add_scp(verification_scp):
    threading.Event().wait()
