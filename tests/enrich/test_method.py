"""The tables of a sweep's method and target space."""

from pipeline import schema
from pipeline.enrich import method
from pipeline.space.ranges import Ranges

ASKED = {"profile": "associate", "ports": [104, 11112], "engine": "ring"}


def test_each_change_of_the_request_is_another_method() -> None:
    """Another request byte, profile, port or engine changes the digest; the order of the passes does not."""
    base = method.digest({"request": "0100"}, **ASKED)
    others = [
        method.digest({"request": "0101"}, **ASKED),
        *(
            method.digest({"request": "0100"}, **{**ASKED, **more})
            for more in ({"profile": "echo"}, {"ports": [104]}, {"engine": "x"})
        ),
    ]
    assert base not in others and len(set(others)) == 4
    assert method.digest({"request": "0100"}, **{**ASKED, "ports": [11112, 104]}) == base


def test_tables() -> None:
    """The method is one row with its digests, the space one row per range."""
    space = Ranges.of([(1, 5), (9, 2**32 - 1)])
    (row,) = method.methods("ab", {"request": "00"}, space, **ASKED).to_pylist()
    assert row["plan_digest"] == "ab" and row["space_digest"] == space.digest and len(row["requests_digest"]) == 64
    assert method.space(space).to_pylist() == [{"first": 1, "last": 5}, {"first": 9, "last": 2**32 - 1}]
    assert method.space(space).schema.equals(schema.table("space").arrow)
