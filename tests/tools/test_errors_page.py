"""The catalogue of errors is that of the code."""

import ast
from pathlib import Path

import pytest

from pipeline.errors import CensusError, GuardError, InputError
from tools import errors_page


def test_page_is_current() -> None:
    """`docs/errors.md` is what the code gives: `python -m tools.errors_page > docs/errors.md` writes it."""
    page = (Path(__file__).parents[2] / "docs" / "errors.md").read_text("utf-8")
    assert page == errors_page.page(), "run `make docs`"


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ('raise InputError("--until", f"{text!r} is not a date")', InputError, "--until: <text> is not a date"),
        ('raise GuardError(f"{plan.sweep} was changed; plan again")', GuardError, "<sweep> was changed; plan again"),
        ('raise CensusError(f"{path}: {error.strerror}; mend it")', CensusError, "<path>: <reason>; mend it"),
        ('MOST = 9\nraise InputError("x", f"must be 2 to {MOST}")', InputError, "x: must be 2 to 9"),
        ('def why(x):\n    return f"{x} is shut"\nerror = CensusError(why(1))', CensusError, "<x> is shut"),
        ('raise Unfinished(where, "has no end")', InputError, "<where>: has no end"),
    ],
)
def test_a_message_has_placeholders(code: str, kind: type[CensusError], message: str) -> None:
    """Values become names that readers understand; constants and the texts of functions are filled in."""
    [site] = errors_page._of_module("pipeline/x.py", ast.parse(code))
    assert (site.kind, site.message) == (kind, message)


def test_errors_that_pass_others_on_are_left_out() -> None:
    """An error without words of its own is not listed: it is where it was raised first."""
    assert not list(errors_page._of_module("pipeline/x.py", ast.parse("raise InputError(error.where, error.reason)")))
