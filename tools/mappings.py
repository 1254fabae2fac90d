"""The fields of other censuses and the columns that hold the same facts: `schemas/mappings/*.toml`, and SQL made from them."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline import schema

FOLDER = schema.FOLDER / "mappings"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of another census, the columns of `associations` that it follows from, and its names for their codes.

    The codes of several columns are joined by a stroke. Without names the field is the column.
    """

    name: str
    columns: tuple[str, ...]
    meaning: str
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def sql(self) -> str:
        """The field as SQL over `associations`."""
        if not self.names:
            return self.columns[0]
        cases = " ".join(f"WHEN {self._holds(codes)} THEN '{name}'" for codes, name in self.names.items())
        return f"CASE {cases} END"

    def _holds(self, codes: str) -> str:
        """The condition that the columns have these codes."""
        pairs = zip(self.columns, codes.split("/"), strict=True)
        return " AND ".join(f"{column} = {code}" for column, code in pairs)


@dataclass(frozen=True, slots=True)
class Census:
    """Another census, its record of a DICOM service, and where that is described."""

    name: str
    record: str
    source: str
    note: str
    fields: tuple[Field, ...]


def mappings() -> Iterator[Census]:
    """Yield all mappings, by the name of their file."""
    for path in sorted(FOLDER.glob("*.toml")):
        data: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        fields = tuple(Field(**{**one, "columns": tuple(one["columns"])}) for one in data.pop("field"))
        yield Census(**data, fields=fields)
