"""The quarantine of hosts that fell silent after a visit."""

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.optout import edit, quarantine, register
from pipeline.optout.events import fold
from pipeline.optout.watch import Watch
from pipeline.space.ranges import Ranges

HOST = (192 << 24) + (2 << 8) + 7
SPACE = Ranges.of([(192 << 24, (193 << 24) - 1)])


@pytest.fixture
def kept(tmp_path: Path) -> register.Register:
    found = register.at(str(tmp_path / "optout.jsonl"))
    found.create()
    return found


def test_a_host_rests_for_a_year(kept: register.Register) -> None:
    """A host is withheld, apart from opt-outs, until the last of 365 days; a second sweep adds no second event."""
    assert quarantine.add(kept, [HOST, HOST], "s1") == ["192.0.2.7/32"]
    assert quarantine.add(kept, [HOST], "s2") == []
    events = register.load(kept)[1].events
    assert len(events) == 1
    for days, holds in ((0, True), (365, True), (366, False)):
        assert bool(fold(events, register.today() + timedelta(days)).quarantined.count) is holds


def test_a_worker_withholds_it(kept: register.Register) -> None:
    """A watch withholds opted-out and quarantined addresses, and lists the latter; an address with both is opted out."""
    quarantine.add(kept, [HOST, HOST + 1], "s1")
    edit.add(kept, ["192.0.2.8/32", "192.0.3.0/24"], edit.Evidence("A. Doe"))
    with Watch(kept, SPACE) as watch:
        permit = watch.permit()
    assert permit.withheld.count == 2 + 256
    assert list(permit.quarantined.pairs()) == [(HOST, HOST)]


def test_it_can_be_ended(kept: register.Register) -> None:
    """Ending a quarantine needs a name and a quarantined host; the history keeps both events."""
    quarantine.add(kept, [HOST], "s1")
    with pytest.raises(InputError, match="--who"):
        quarantine.expire(kept, ["192.0.2.7"], edit.Evidence(""))
    with pytest.raises(InputError, match=r"has no quarantine of 192\.0\.2\.9/32"):
        quarantine.expire(kept, ["192.0.2.9"], edit.Evidence("A. Doe"))
    assert quarantine.expire(kept, ["192.0.2.7"], edit.Evidence("A. Doe")) == ["192.0.2.7/32"]
    assert not register.state(kept).quarantines
    assert len(register.load(kept)[1].events) == 2


def test_nobody_fell_silent(kept: register.Register) -> None:
    """Without silent hosts nothing is written."""
    assert quarantine.add(kept, [], "s1") == []
    assert kept.read() == b""
