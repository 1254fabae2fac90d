"""IntelMQ events, read back by IntelMQ's own JSON parser, which refuses a field or value that its harmonization lacks."""

from pipeline.notify import intelmq
from tests.notify import receivers
from tests.notify.exposed import edition


def test_intelmq_reads_each_event() -> None:
    """Every service comes out as it was handed over: address, port, time, severity, classification, product."""
    handed = edition(6)
    events = receivers.parse("json", intelmq.write(handed), "x.jsonl")
    keys = ("source.ip", "source.port", "severity", "time.source", "extra.tag", "extra.sweep")
    assert [tuple(event[key] for key in keys) for event in events] == [
        (each.address, each.port, each.severity, "2026-06-20T04:05:06+00:00", each.tag, "s1")
        for each in handed.services
    ]
    assert {event["classification.type"] for event in events} == {"potentially-unwanted-accessible"}
    assert {event["classification.taxonomy"] for event in events} == {"vulnerable"}
    assert [event.get("source.asn") for event in events] == [each.asn for each in handed.services]
    assert [event["product.name"] for event in events[:2]] == ["=product", "kit"]
    assert {event["tlp"] for event in events} == {"AMBER"}
