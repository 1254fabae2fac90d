"""A server of SautiRIS's with its defaults: `sautiris_scp.py MODULE CLASS`, of sautiris.integrations.dicom."""

import importlib
import sys
import threading

module = importlib.import_module(f"sautiris.integrations.dicom.{sys.argv[1]}_scp")
getattr(module, sys.argv[2])().start()
threading.Event().wait()
