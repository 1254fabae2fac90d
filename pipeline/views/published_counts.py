"""View `published_counts`, made from `data/reference/published.csv`: what studies have counted, and by which rule."""

from functools import cache

from pipeline.views import reference_rows

#: The columns of the file, and their types.
TYPES = {
    "study": "VARCHAR", "published": "INTEGER", "figure": "VARCHAR", "counted_as": "VARCHAR", "unit": "VARCHAR", "port": "USMALLINT",
    "country": "VARCHAR", "published_count": "BIGINT", "at_least": "BOOLEAN", "source": "VARCHAR",
}  # fmt: skip
COMMENT = """Question: How many DICOM services have other studies counted, and by which rule?
Grain: one row for each (study, published, figure).
Notes: counted_as is what counts as one: responded (a SYN-ACK), spoke (a DICOM answer), accepted (an accepted association) or
undoubted (a DICOM answer besides likely decoys). unit is what is counted, port and country where; null: all. at_least: more than
the number."""


@cache
def sql() -> str:
    """The rows of the view, as a SELECT over constants."""
    return reference_rows.select("published.csv", TYPES, reference_rows.literals(TYPES))
