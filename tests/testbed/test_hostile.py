"""Hostile peers: a sweep survives them, records each with its outcome, and visits their neighbours without delay."""

from pathlib import Path

import pytest

from pipeline.testbed import spec, truth
from pipeline.views import connection
from tests.testbed import running
from tests.testbed.running import ROOT

SPEC = ROOT / "tests" / "data" / "hostile.toml"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake of a sweep over all hostile peers."""
    folder = tmp_path_factory.mktemp("hostile")
    running.swept(ROOT / "tests" / "data" / "hostile-sweep.toml", folder, spec=SPEC)
    return folder / "lake"


def test_each_gets_its_outcome(lake: Path) -> None:
    """Every hostile peer and every real server has the outcome of the specification."""
    with connection.connect(lake) as con:
        rows = con.execute("SELECT ip, port, outcome FROM responses").fetchall()
    expected = {(t.address, t.port): str(t.outcome) for t in truth.truth(spec.load(SPEC))}
    assert {(ip, port): outcome for ip, port, outcome in rows} == expected


def test_what_is_kept_is_bounded(lake: Path) -> None:
    """At most 16 KiB of an endless answer are kept, and little more is read."""
    with connection.connect(lake) as con:
        stored, read = con.execute("SELECT max(octet_length(raw)), max(raw_length) FROM associations").fetchone() or ()
    assert 0 < stored <= 16 * 1024 and read <= 16 * 1024 + 4096


def test_no_conversation_exceeds_its_deadline(lake: Path) -> None:
    """Every conversation ends within 5 s, plus a second for a busy machine."""
    with connection.connect(lake) as con:
        (longest,) = con.execute("SELECT max(closed_us) FROM associations").fetchone() or ()
    assert longest < 6_000_000


def test_neighbours_are_not_slowed(lake: Path) -> None:
    """Real servers are visited quickly, while two hundred hostile peers use up their deadlines."""
    with connection.connect(lake) as con:
        durations = con.execute(
            "SELECT closed_us FROM associations WHERE address LIKE '89.241.32.%' ORDER BY closed_us"
        ).fetchall()
    assert len(durations) == 24
    assert durations[len(durations) // 2][0] < 500_000 and durations[-1][0] < 2_500_000


def test_what_we_gave_up_on_is_explained(lake: Path) -> None:
    """Where we ended a malformed conversation, a warning gives the reason."""
    with connection.connect(lake) as con:
        rows = con.execute(
            "SELECT len(parse_warnings) > 0 FROM associations WHERE outcome = 'malformed' AND close_kind = 'we_closed'"
        ).fetchall()
    assert rows and all(explained for (explained,) in rows)
