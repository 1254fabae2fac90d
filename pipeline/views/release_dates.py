"""View `releases`, made from `data/reference/releases.csv`: when the versions that services declare were released."""

from functools import cache

from pipeline.views import reference_rows

#: The columns of the file, and their types.
TYPES = {"toolkit": "VARCHAR", "version": "VARCHAR", "released": "DATE", "source": "VARCHAR"}
COMMENT = """Question: When was each version of a toolkit released?
Grain: one row for each (toolkit, version).
Notes: toolkit and version are named as in `fingerprints`. released is the day of the commit that the version's public tag names, as
source has it. Versions of which no stable release exists, such as DCMTK 3.6.1, are not in it."""


@cache
def sql() -> str:
    """The rows of the view, as a SELECT over constants."""
    return reference_rows.select("releases.csv", TYPES, reference_rows.literals(TYPES))
