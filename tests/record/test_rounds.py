"""Each round's tables and counts exist, and its task's name is the name that Prefect's history has."""

from pipeline import schema
from pipeline.record.rounds import VISITS_TABLES, Round


def test_tables_and_columns_are_those_of_the_schemas() -> None:
    """A round's tables are tables of the lake, and the column that counts its visits is a column of the receipts."""
    tables = {table.name for table in schema.tables()}
    columns = set(schema.table("receipts").arrow.names)
    for number in Round:
        assert {number.table, number.visits_table} <= tables
        assert number.visits_column in columns
    assert VISITS_TABLES == ("responses", "tls")


def test_numbers_and_tasks_stay() -> None:
    """Receipts store the numbers, and Prefect's history the names: both are an interface."""
    assert {number.value: number.task for number in Round} == {
        1: "shard",
        2: "second-visits",
        3: "harm-checks",
        4: "companions",
    }
