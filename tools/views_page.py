"""The views of `census sql` with their columns and joins, `docs/views.md`, from the headers of `analysis/`.

python -m tools.views_page > docs/views.md
"""

import re
from collections import defaultdict
from collections.abc import Iterator

import duckdb

from pipeline.outcome import Outcome
from pipeline.views import outcome_macros, views
from pipeline.views.views import Query

HEAD = """# Views

What `census sql` has besides the [tables](tables.md): every view with its columns, and every macro. This page is made from
`analysis/` by `python -m tools.views_page`; a test holds it against the catalogue. `.help NAME` at the prompt says the same of one
view, and so do the comments of DuckDB's catalogue. [SQL](sql.md) has examples.

A view of a table's name has the columns of the table, and some that follow from others. All others are marts. `raw_NAME` are the
tables as they are stored; queries need them only to see what `census reparse` has replaced.

## Joins

Views with the same key join by all of its columns; the rows of one are never doubled by the other. The columns of a shorter key are
in the views with a longer one. `country`, `asn` and `organisation` are null where they are not known, so join by country with
`IS NOT DISTINCT FROM`.

| key: one row for each | views |
|---|---|"""

ONE_COUNTRY = """
Names, ISO codes of three letters and regions come by `LEFT JOIN country_names USING (country)`. What a network's holder is comes by
`(sweep, ip)` from `owners`, the product of a service by `(sweep, ip, port)` from `fingerprints`.
"""
MACROS = """## Macros

A scalar is used like a function, a table after `FROM`.

| macro | question | notes |
|---|---|---|"""


def page() -> str:
    """The whole page."""
    with views.without_a_lake() as con:
        comments = {statement_name(text): meaning(text) for text in views.column_comments(con)}
        described = (line for query in named() for line in _view(query, columns(con, query.name), comments))
        return "\n".join([HEAD, *_joins(con), ONE_COUNTRY, *described, MACROS, *_macros(), ""])


def named() -> list[Query]:
    """The views by name."""
    return sorted(views.definitions(), key=lambda query: query.name)


def columns(con: duckdb.DuckDBPyConnection, view: str) -> list[tuple[str, str]]:
    """The names and types of a view's columns."""
    return [(name, kind) for name, kind, *_ in con.execute(f"DESCRIBE {view}").fetchall()]


def statement_name(comment: str) -> tuple[str, str]:
    """The view and column that a COMMENT statement is about."""
    ((view, column),) = re.findall(r'^COMMENT ON COLUMN (\w+)\."(\w+)"', comment)
    return view, column


def meaning(comment: str) -> str:
    """The text of a COMMENT statement, with its unit in words."""
    text = comment.partition(" IS '")[2][:-1].replace("''", "'")
    return re.sub(r" <([^>]+)>", r" (\1)", text)


def _joins(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """The keys, those of most views first, and the views that have them."""
    by_key = defaultdict(list)
    for query in named():
        if query.keys and set(query.keys) <= {name for name, _ in columns(con, query.name)}:
            by_key[query.keys].append(f"[`{query.name}`](#{query.name})")
    for key in sorted(by_key, key=lambda key: (-len(by_key[key]), key)):
        yield f"| {', '.join(f'`{column}`' for column in key)} | {', '.join(by_key[key])} |"


def _view(query: Query, described: list[tuple[str, str]], comments: dict[tuple[str, str], str]) -> Iterator[str]:
    told = _told(query.comment)
    yield f"## {query.name}"
    yield ""
    yield f"{_cell(told['Question'])} {_sentence(told['Grain'])} {_sentence(told['Notes'])}"
    yield ""
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    yield from (f"| `{name}` | {_type(kind)} | {_cell(comments[query.name, name])} |" for name, kind in described)
    yield ""


def _macros() -> Iterator[str]:
    """One row for each macro: how it is called, its question, and its notes."""
    for name, outcomes in outcome_macros.MACROS.items():
        listed = ", ".join(f"`{each}`" for each in Outcome if each in outcomes)
        known = "Every outcome is" if len(outcomes) == len(Outcome) else f"True of {listed}"
        yield f"| `{name}(outcome)` | {_told(outcome_macros.QUESTIONS[name])['Question']} | {known}. |"
    for query in views.macro_files():
        told = _told(query.comment)
        (call,) = re.findall(rf"MACRO ({query.name}\(.*?\)) AS", query.sql, re.DOTALL)
        yield f"| `{call}` | {_cell(told['Question'])} | {_sentence(told['Grain'])} {_sentence(told['Notes'])} |"


def _told(comment: str) -> dict[str, str]:
    """The parts of a header, each as one line: Question, Grain, Notes."""
    parts = re.split(r"^(Question|Grain|Order|Notes): ", comment, flags=re.MULTILINE)
    return {key: " ".join(text.split()) for key, text in zip(parts[1::2], parts[2::2], strict=True)}


def _sentence(text: str) -> str:
    """A text that begins as a sentence does, if it begins with a word of English."""
    first = re.match(r"[a-z]+(?=[ ;,:]|s\b)", text)
    return _cell(text[0].upper() + text[1:] if first else text)


def _type(kind: str) -> str:
    """A type in lower case; the members of a structure are in docs/tables.md."""
    return re.sub(r"struct\(.*\)", "struct", kind.lower())


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    print(page(), end="")
