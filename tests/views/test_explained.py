"""What the catalogue says of views and macros."""

import pytest

from pipeline.errors import InputError
from pipeline.views import explained, views
from tests.analysis import lake


def test_every_view_is_listed_with_its_question() -> None:
    """Each view has a row with its question; raw tables have none."""
    text, listed = explained.views(lake.connect())
    assert text == ""
    assert {row["view"]: row["question"] for row in listed.to_pylist()} == {
        q.name: q.question for q in views.definitions()
    }


def test_a_view_has_its_columns() -> None:
    """A view is explained by its comment and its columns in their order, whatever the case of its name; no other name is a view."""
    con = lake.connect()
    text, columns = explained.view(con, "Ports") or ("", explained.NO_TABLE)
    assert text == views.view("ports").comment
    assert columns["column"].to_pylist() == [row[0] for row in lake.rows(con, "DESCRIBE ports")]
    assert all(columns["meaning"].to_pylist()) and explained.view(con, "latest") is None


def test_a_macro_has_its_call() -> None:
    """A macro is explained by how it is called and its comment; what does not exist is an error."""
    con = lake.connect()
    text, columns = explained.macro(con, "wilson_low")
    assert text.startswith("wilson_low(k, n)\nQuestion: ") and len(columns) == 0
    with pytest.raises(InputError, match="is not a view or macro"):
        explained.macro(con, "nowhere")
