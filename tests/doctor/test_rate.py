"""The measurement of a machine's rate: why it was not made."""

import pytest

from pipeline.doctor import rate

TESTBED = 'testbed: internet: {"visits": 0}'


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        (f"census: it broke\n{TESTBED}\n", "census: it broke"),
        (f"Traceback\nKeyError: 1\ntestbed: ready\n{TESTBED}\n", "KeyError: 1"),
        (TESTBED, TESTBED),
        ("", ""),
    ],
)
def test_the_reason_is_not_the_testbeds_count(errors: str, reason: str) -> None:
    """The testbed counts after its command has failed; the reason is the line before that."""
    assert rate.why(errors) == reason
