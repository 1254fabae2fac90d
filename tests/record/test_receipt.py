"""A receipt in the program equals its schema, and counts of several processes add up."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pipeline import schema
from pipeline.record.receipt import Counts, OutcomeCount, Part, Receipt, VisitCounts, detection, joined
from pipeline.record.rounds import Round

COUNT = st.integers(0, 2**40)


def test_fields_are_the_columns_of_the_schema() -> None:
    """Every column of `receipts` is a field of a receipt and every field is a column; the same holds for members of structs."""
    arrow = schema.table("receipts").arrow
    assert set(Receipt.__struct_fields__) == set(arrow.names)
    assert list(OutcomeCount.__struct_fields__) == [field.name for field in arrow.field("outcomes").type.value_type]
    assert list(Part.__struct_fields__) == [field.name for field in arrow.field("parts").type.value_type]


def test_json_keys_are_the_columns_and_a_round_is_a_number() -> None:
    """A receipt's JSON is flat, as in every earlier version: keys are columns, and the round is its number."""
    receipt = Receipt(round=Round.HARM_CHECKS, probes_sent=3, parts=(Part("responses", "f", 1, "ab"),))
    columns = msgspec.json.decode(msgspec.json.encode(receipt))
    assert set(columns) == set(schema.table("receipts").arrow.names)
    assert (columns["round"], columns["probes_sent"], columns["parts"][0]["table"]) == (3, 3, "responses")
    assert msgspec.convert(columns, Receipt) == receipt


@given(COUNT, st.lists(st.tuples(COUNT, COUNT, COUNT)))
def test_visits_are_added_to_their_senders_counts(sent: int, visits: list[tuple[int, int, int]]) -> None:
    """The associators' counts are added to the sender's; all other fields are the sender's."""
    sender = Counts(round=Round.SECOND_VISITS, vantage="v", probes_sent=sent, syn_retransmits=sent)
    ends = [VisitCounts(connects=a, syn_retransmits=b, suppressed_visits=c) for a, b, c in visits]
    total = joined(sender, ends)
    assert total.connects == sum(a for a, _, _ in visits)
    assert total.syn_retransmits == sent + sum(b for _, b, _ in visits)
    assert total.suppressed_visits == sum(c for _, _, c in visits)
    assert (total.round, total.vantage, total.probes_sent) == (Round.SECOND_VISITS, "v", sent)


def test_detection_is_of_hosts_and_else_of_answers() -> None:
    """Hosts that took our request count, whatever else answers; a receipt that does not count them has only answers to count."""
    counted = Receipt(took=10, took_twice=9, seen_twice=900, second_only=3)
    earlier = Receipt(took=None, took_twice=None, seen_twice=7, second_only=1)
    assert detection([counted, earlier]) == (9 + 7, 10 + 8)
