"""Fuzz target: any bytes of a TLS server give a documented outcome, and only ciphertext is sent."""

from pipeline.associate.conversation import Conversation
from pipeline.associate.tls import TLS_VISIT_US, Ciphertext, TlsConversation
from pipeline.outcome import ClientCertificate, Handshake, Outcome
from pipeline.wire.outgoing import encode

OUTGOING = encode(calling_ae="CENSUS", class_uid="2.25.1")
ENDS = ("peer_closed", "peer_reset", "deadline")


def target(data: bytes) -> None:
    """Answer our ClientHello with these bytes; the first gives the connection's end, the second the size of pieces."""
    if len(data) < 2:
        return
    end, size, reply = ENDS[data[0] % len(ENDS)], data[1] + 1, data[2:]
    conversation = Conversation(OUTGOING, echo=True, ip=1, port=2762, started_at_us=0, visit_us=TLS_VISIT_US)
    tls_conversation = TlsConversation(conversation, OUTGOING)
    sent = [tls_conversation.connected(1)]
    sent += [tls_conversation.received(reply[at : at + size], 2) for at in range(0, len(reply), size)]
    while not tls_conversation.finished:
        sent.append(getattr(tls_conversation, end)(tls_conversation.next_deadline_us))
    assert all(isinstance(data_sent, Ciphertext) for data_sent in sent)
    visit = tls_conversation.visit()
    assert visit.tls is not None
    assert visit.outcome in Outcome
    assert visit.tls.handshake in Handshake
    assert visit.tls.client_certificate in ClientCertificate
