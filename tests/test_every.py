"""Many cases as one test."""

import pytest

from tests.every import every


def test_each_case_is_called_and_each_failure_named() -> None:
    """All cases are called, also after one that fails; the failure names those that fail, and no other."""
    called = []

    @every(("number", "text"), [(1, "a"), (2, "b"), (3, "c")], ids=["one", "two", "three"])
    def check(number: int, text: str, fixture: object) -> None:
        called.append((number, text, fixture))
        assert number == 2

    with pytest.raises(ExceptionGroup) as failed:
        check(fixture="given")
    assert called == [(1, "a", "given"), (2, "b", "given"), (3, "c", "given")]
    assert failed.value.message == "2 of 3 cases fail: 0 (one), 2 (three)"
    assert [error.__notes__ for error in failed.value.exceptions] == [["case 0 (one)"], ["case 2 (three)"]]


def test_a_refusal_that_does_not_come_is_a_failure() -> None:
    """`pytest.fail`, and so a `pytest.raises` without its exception, fails the case."""

    @every("text", ["1", "x"])
    def check(text: str) -> None:
        with pytest.raises(ValueError):
            int(text)

    with pytest.raises(BaseExceptionGroup, match=r"1 of 2 cases fail: 0 \('1'\)"):
        check()


def test_no_case_fails() -> None:
    """A table that has lost all of its cases proves nothing."""

    @every("number", [])
    def check(number: int) -> None:
        pass

    with pytest.raises(AssertionError, match="there is no case"):
        check()


@every("number", [3, 5])
def test_fixtures_are_given(number: int, request: pytest.FixtureRequest) -> None:
    """pytest gives the test its fixtures, and knows nothing of the cases."""
    assert number % 2
    assert request.fixturenames == ["request"]
