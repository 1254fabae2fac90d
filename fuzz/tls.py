"""Fuzz target: any bytes of a TLS server give a documented outcome, and only ciphertext leaves."""

from pipeline.associate.conversation import Conversation
from pipeline.associate.tls import WHOLE_TLS_US, Sealed, Secured
from pipeline.outcome import ClientCertificate, Handshake, Outcome
from pipeline.wire.outgoing import encode

OUTGOING = encode(calling_ae="CENSUS", class_uid="2.25.1")
ENDS = ("peer_closed", "peer_reset", "deadline")


def target(data: bytes) -> None:
    """Answer our hello with these bytes: the first says how the connection ends, the second how the rest is cut."""
    if len(data) < 2:
        return
    end, size, reply = ENDS[data[0] % len(ENDS)], data[1] + 1, data[2:]
    talk = Conversation(OUTGOING, echo=True, ip=1, port=2762, started_at_us=0, whole_us=WHOLE_TLS_US)
    secured = Secured(talk, OUTGOING)
    sent = [secured.connected(1)]
    sent += [secured.received(reply[at : at + size], 2) for at in range(0, len(reply), size)]
    while not secured.finished:
        sent.append(getattr(secured, end)(secured.next_deadline_us))
    assert all(isinstance(one, Sealed) for one in sent)
    visit = secured.visit()
    assert visit.tls is not None
    assert visit.outcome in Outcome
    assert visit.tls.handshake in Handshake
    assert visit.tls.client_certificate in ClientCertificate
