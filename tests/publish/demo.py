"""A made-up sweep for the tests of publication, with hostile peers."""

from dataclasses import astuple
from functools import cache
from ipaddress import IPv4Address
from typing import Any

import duckdb

from pipeline.publish.data import Facts
from pipeline.publish.gather import gather
from pipeline.publish.scope import Scope
from tests.analysis import lake
from tests.made_once import computed

SOURCE = "made up, built {}, sha256 abcd"
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "image": '"><img src=x onerror=alert(1)>',
    "formula": "=cmd|' /C calc'!A0",
    "terminal": "\x1b[31mred\x07",
    "bidi": "abc\u202egnp.exe",
    "markup": "[bold]b[/bold]|a|`x`",
    "address": "at 193.62.0.9 now",
    "host": "pacs.hospital.example",
}
#: As long as a two-byte length field allows.
LONG = ("<b>=a|\x1b[31m" * 8192)[:65535]
NAMES = ["OFFIS_DCMTK_367", LONG, *HOSTILE.values()]
FIRST = int(IPv4Address("193.62.0.1"))


def connect(built: str = "2026-06-17", visited: int = 1_000_000) -> duckdb.DuckDBPyConnection:
    """A lake with ten accepting services, one rejecting and one silent target."""
    accepting = [
        {
            "ip": FIRST + n,
            "port": 104,
            "outcome": "accepted",
            "implementation_version_name": name,
            "implementation_class_uid": "1.2.276.0.7230010.3.0.3.6.7",
        }
        for n, name in enumerate(NAMES)
    ]
    rejecting = {"ip": FIRST + 90, "port": 11112, "outcome": "rejected", "rj_result": 1, "rj_source": 1, "rj_reason": 7}
    silent = {"ip": FIRST + 91, "port": 104, "outcome": "silent"}
    answered = [*accepting, rejecting, silent]
    return lake.connect(
        sweeps=[sweep_row(visited, len(answered))],
        receipts=[
            {
                "probes_sent": 2 * visited,
                "probes_abandoned": 0,
                "responses": len(answered),
                "associations": 11,
                "resets": 7,
            }
        ],
        responses=[{key: row[key] for key in ("ip", "port", "outcome")} for row in answered],
        associations=[*accepting, rejecting],
        locations=[{"ip": row["ip"], "country": place(n)} for n, row in enumerate(answered)],
        coverage=[
            {"country": code, "addresses": size, "country_source": SOURCE.format(built)}
            for code, size in (("GB", 600_000), ("SG", 300_000), (None, 100_000))
        ],
    )


@cache
def gathered(scope: Scope = Scope(), visited: int = 1_000_000) -> Facts:
    """What is published of the lake: 1.3 s of CPU, so that all processes of a run of tests gather it once."""
    key = ("demo", *astuple(scope), visited)
    return computed(key, lambda: gather(connect(visited=visited), lake.SWEEP, scope))


def focused() -> duckdb.DuckDBPyConnection:
    """The same as a focus sweep: its last service is in a drawn part of the space, of which a twentieth was probed."""
    con = connect()
    con.execute("UPDATE raw_sweeps SET focus = ['whole'], focus_addresses = 20000000").fetchall()
    other = FIRST + 90
    rows = ((lake.SWEEP, FIRST - 1, other - 1, 1.0), (lake.SWEEP, other, other + 164, 0.05))
    columns = "sweep TEXT, first UINTEGER, last UINTEGER, inclusion DOUBLE"
    con.execute(f"DROP VIEW raw_space; CREATE TABLE raw_space ({columns})").fetchall()
    con.executemany("INSERT INTO raw_space VALUES (?, ?, ?, ?)", rows)
    return con


def place(number: int) -> str | None:
    """The country of an answer: most are British, one is in Singapore, one has none."""
    return {3: "SG", 4: None}.get(number, "GB")


def sweep_row(visited: int, answers: int) -> dict[str, Any]:
    """The sweep's own row."""
    return {
        "name": "weekly",
        "plan_digest": "ab" * 32,
        "profile": "associate",
        "ports": [104, 11112],
        "addresses": 1_000_000,
        "sampled_addresses": visited,
        "probes_sent": 2 * visited,
        "responses": answers,
        "associations": 11,
        "code_version": "0.1.0",
        "vantages": ["198.51.100.7"],
        "started_at": lake.WHEN,
        "finished_at": lake.WHEN.replace(hour=5),
        "sealed_at": lake.WHEN.replace(hour=6),
    }
