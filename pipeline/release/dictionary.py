"""The pages of a bundle for people: its README, and the dictionary of its tables and columns."""

from collections.abc import Iterator, Sequence

from pipeline.publish.data import Facts
from pipeline.publish.escape import markdown
from pipeline.publish.sentences import headline, simulated
from pipeline.release.citation import Citation
from pipeline.release.contents import Content

README = """\
# {title}

{finding}.

Cite as: {text}

Licence of the data: {licence} ({url}). The outlines of the maps have their own (`outlines-LICENSE.txt`).

## What is in it

- `data/`: each table as Parquet and as CSV; `dictionary.md` has the meaning of each column.
- `claims.csv`: what the report claims, the command that computes it again, and the minutes that this takes.
- `sql/`: `marts` and what they are made of (`staging`, `macros`, `questions`) turned the laboratory's rows into these tables;
  `recompute` computes what follows from their counts.
- `datapackage.json`, `croissant.json`, `ro-crate-metadata.json`, `datacite.json`, `CITATION.cff`: the same facts for
  programs. `release.json` has the rest.
- `checksums.sha256`: `sha256sum --check checksums.sha256`.

## Reproduce

```
pip install duckdb
python reproduce.py
```

Nothing is fetched. A line for each claim says whether it is as published. The results go to `reproduced/`.

## What is not in it

No address, host name or AE title. Counts of a country that would distinguish fewer than {min_cell} services are merged or
left empty. An empty cell is not a zero.

{suppression}

## Proof

{proof}.
"""
NO_ROWS = "There is no row for a single service."
ROWS = """\
`data/microdata` has a row for each service. A kind is a combination of all its columns. Kinds of fewer services than k
are withheld, and so are others by which a withheld one could be found: k is {k}.

{amounts}"""


def readme(cited: Citation, last: Facts, suppression: Sequence[str], proof: str, k: int) -> str:
    """The page that explains the bundle."""
    amounts = "\n".join(f"- {sentence}" for sentence in suppression)
    banner = simulated(last)
    return README.format(
        title=cited.title,
        finding=f"{banner} {headline(last)}" if banner else headline(last),
        text=cited.text,
        licence=cited.licence,
        url=cited.licence_url,
        min_cell=last.scope.min_cell,
        suppression=ROWS.format(k=k, amounts=amounts) if suppression else NO_ROWS,
        proof=proof[:1].upper() + proof[1:] if proof else "None was looked at",
    )


def dictionary(tables: Sequence[Content]) -> str:
    """Every table and column, with what it means."""
    return "\n".join(["# Data dictionary", "", *(line for table in tables for line in _table(table))])


def _table(table: Content) -> Iterator[str]:
    yield from (f"## `{table.name}`", "", table.question, "", f"{len(table.rows):,} rows.", "")
    yield from ("| column | type | meaning |", "|---|---|---|")
    for column in table.columns:
        unit = f" [{column.unit}]" if column.unit else ""
        yield f"| `{column.name}` | {column.type} | {markdown(column.meaning)}{unit} |"
    yield ""
