"""The tables of a sweep's method and target space."""

from dataclasses import replace
from typing import Any

from pipeline import schema
from pipeline.enrich import method
from pipeline.enrich.method import Method
from pipeline.space.ranges import Ranges

SENT = Method({"request": "0100"}, "associate", [104, 11112], "ring")


def test_each_change_of_the_request_is_another_method() -> None:
    """Another request byte, profile, port, engine or companion port changes the digest; the order of the passes does not."""
    changes: list[dict[str, Any]] = [
        {"requests": {"request": "0101"}}, {"profile": "echo"}, {"ports": [104]}, {"engine": "x"}, {"companions": [80]},
    ]  # fmt: skip
    others = {replace(SENT, **change).digest for change in changes}
    assert SENT.digest not in others and len(others) == len(changes)
    assert replace(SENT, ports=[11112, 104]).digest == SENT.digest
    assert replace(SENT, companions=[80, 443]).digest == replace(SENT, companions=[443, 80]).digest


def test_tables() -> None:
    """The method is one row with its digests, the space one row per range."""
    space = Ranges.of([(1, 5), (9, 2**32 - 1)])
    (row,) = method.methods("ab", SENT, space).to_pylist()
    assert row["plan_digest"] == "ab" and row["space_digest"] == space.digest and len(row["requests_digest"]) == 64
    assert method.space(space).to_pylist() == [{"first": 1, "last": 5}, {"first": 9, "last": 2**32 - 1}]
    assert method.space(space).schema.equals(schema.table("space").arrow)
