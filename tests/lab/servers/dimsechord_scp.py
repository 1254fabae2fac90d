"""A server of dimsechord's: `dimsechord_scp.py PORT TITLE`, by the interface of its version."""

import inspect
import sys
import threading

from dimsechord import StorageSCP

port, title = int(sys.argv[1]), sys.argv[2]
scp = StorageSCP()
if "bindings" in inspect.signature(scp.start).parameters:
    scp.start({title: port})
else:
    scp.start(title, port)
threading.Event().wait()
