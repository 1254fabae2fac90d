"""`census sql` as people run it: in pipes, into files, and at a terminal.

A process of its own, which takes a second of CPU, has what only a process shows: a pipe, a terminal, its exit.
"""

import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet
import pytest

from tests.commands.conftest import census
from tests.commands.running import Census, Ended
from tests.publish.conftest import history_lake
from tests.testbed.running import CENSUS, ROOT

__all__ = ["census", "history_lake"]
Sql = Callable[..., Ended]


def in_a_process(lake: Path, *words: str, text: str = "") -> "subprocess.CompletedProcess[str]":
    """What the command does with a text on its standard input."""
    command = [*CENSUS, "sql", str(lake), *words]
    return subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True, timeout=120)


@pytest.fixture
def sql(census: Census, history_lake: Path, monkeypatch: pytest.MonkeyPatch) -> Sql:
    """The same on the made-up history, by the command line in this process."""

    def run(*words: str, text: str = "") -> Ended:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        return census("sql", history_lake, *words)

    return run


def test_a_pipe_has_results_only(history_lake: Path) -> None:
    """Statements from a pipe may take several lines; their results are printed without a prompt."""
    done = in_a_process(
        history_lake, "--format", "json", text="SELECT 1 AS one;\nSELECT\n  count(*) AS sweeps\nFROM sweeps"
    )
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == [[{"one": 1}], [{"sweeps": 15}]]


def test_an_error_in_a_pipe_ends_it(history_lake: Path) -> None:
    """A statement that DuckDB refuses ends a script with exit code 2 and DuckDB's reason."""
    done = in_a_process(history_lake, text="SELECT 1 AS one; FROM nowhere; SELECT 2 AS two")
    assert done.returncode == 2 and "one" in done.stdout and "two" not in done.stdout
    assert "nowhere does not exist" in done.stderr and "Traceback" not in done.stderr


def test_replies_as_csv(sql: Sql) -> None:
    """Bytes of replies are text in CSV and JSON."""
    for form in ("csv", "json"):
        done = sql("SELECT ip, '\\x02'::BLOB AS raw FROM associations LIMIT 1", "--format", form)
        assert done.returncode == 0 and "\\x02" in done.stdout, done.stderr


@pytest.mark.parametrize("words", [("-o", "totals.parquet"), ("-o", "totals", "--format", "parquet")])
def test_a_file(sql: Sql, tmp_path: Path, words: tuple[str, ...]) -> None:
    """`-o FILE` writes the format that the file's name ends in, or that is given."""
    file = tmp_path / words[1]
    done = sql("FROM totals", "-o", str(file), *words[2:])
    assert done.returncode == 0, done.stderr
    assert done.stdout == "" and pyarrow.parquet.read_table(file).num_rows == 15


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("FROM totals", "--format", "xls"), "'xls' is not one of table, csv, json, jsonl, parquet, xlsx, geojson"),
        (("FROM totals", "--format", "xlsx"), "xlsx needs --output FILE"),
        (("FROM totals", "--format", "geojson"), "geojson needs a column 'country'"),
        ((".help nowhere",), "'nowhere' is not a view or macro of the lake"),
        (("FROM totals", "--format", "parquet"), "parquet needs --output FILE"),
        (("FROM totals", "-o", "totals.txt"), "'txt' is not one of"),
        (("FROM totals", "-o", "/nowhere/totals.csv"), "/nowhere/totals.csv cannot be written"),
    ],
)
def test_formats_that_are_refused(sql: Sql, words: tuple[str, ...], reason: str) -> None:
    """A format that does not exist or does not fit, and a file that cannot be written, end with exit code 2 and the reason."""
    done = sql(*words)
    assert done.returncode == 2 and reason in done.stderr and "Traceback" not in done.stderr


def test_help(sql: Sql) -> None:
    """`.help` lists the views with their questions, and explains a view with its columns, or a macro, also in a pipe."""
    listed = sql(text=".help").stdout
    assert "latest()" in listed and "How many DICOM services answer in each country" in listed and "raw_" not in listed
    told = sql(".help Countries").stdout
    assert told.startswith("Question: How many DICOM services") and "Services that accepted the association" in told
    assert "latest(series_name)\nQuestion: " in sql(".help latest").stdout


def test_statements_are_locked_in(sql: Sql, tmp_path: Path) -> None:
    """Statements read the lake alone and write nothing, with one error; `--unsafe` opens them, with one warning."""
    new = tmp_path / "new.csv"
    for statement in (
        "FROM read_text('/etc/hostname')",
        f"EXPLAIN ANALYZE COPY (SELECT 1) TO '{new}' (USE_TMP_FILE false)",
    ):
        done = sql(statement)
        assert done.returncode == 2 and "--unsafe" in done.stderr and "Traceback" not in done.stderr
    assert not new.exists()
    done = sql("--unsafe", f"COPY (SELECT 1) TO '{new}'")
    assert done.returncode == 0 and new.exists() and done.stderr.count("warning: ") == 1, done.stderr


def test_at_a_terminal(history_lake: Path) -> None:
    """At a terminal a prompt reads one query a line, explains itself, survives an error, and ends by `quit`."""
    main, terminal = pty.openpty()
    command = [*CENSUS, "sql", str(history_lake)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    os.write(main, b".help\nFROM nowhere\nSELECT 41 + 1 AS answer\nquit\n")
    output, errors = process.communicate(timeout=120)
    os.close(terminal)
    os.close(main)
    assert process.returncode == 0, errors
    assert "42" in output and "nowhere does not exist" in errors and "DESCRIBE NAME" in output


def test_the_views_are_ready_in_the_command_line_of_duckdb(history_lake: Path) -> None:
    """What `--init` prints makes every view in a new connection, with its comment."""
    script = in_a_process(history_lake, "--init").stdout
    count = "SELECT count(*) FROM duckdb_views() WHERE NOT internal AND comment IS NOT NULL"
    run = f"import sys, duckdb; c = duckdb.connect(); c.execute(sys.stdin.read()); print(c.execute({count!r}).fetchall()[0][0])"
    done = subprocess.run([sys.executable, "-c", run], input=script, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 30 and "deprecated" not in done.stderr.lower()
