"""A server of odil's: `odil_scp.py PORT` answers C-ECHO, one visitor after the other."""

import contextlib
import sys

import odil

while True:
    association = odil.Association()
    echo = odil.EchoSCP(association)
    echo.set_callback(lambda _: 0)
    with contextlib.suppress(odil.Exception):  # releases and aborts among them
        association.receive_association("v4", int(sys.argv[1]))
        while True:
            echo(association.receive_message())
