"""The events of the register of hand-overs: what is written is read again, and anything else is one error."""

from datetime import UTC, date, datetime

import pytest

from pipeline.errors import InputError
from pipeline.notify import hand_over_events as events
from pipeline.notify.hand_over_events import Experiment, HandedFile, HandOver
from pipeline.optout.chained import NOTHING_BEFORE, chain

AT = datetime(2026, 11, 30, tzinfo=UTC)
FILE = HandedFile(name="a.csv.age", sha256="ab" * 32, size=7)
HANDED = HandOver(
    at=AT, who="w", recipient="cert-gb", scope="GB", sweep="s", key="age age1x", services=3, decoys_left_out=1, opted_out=2,
    waiting=4, files=(FILE,),
)  # fmt: skip


def experiment(recipient: str, until: date, key: str = "cd" * 32) -> Experiment:
    return Experiment(at=AT, who="w", recipient=recipient, sweep="s", until=until, key=key)


def test_what_is_written_is_read() -> None:
    """Events read are those that were written, and each line carries the hash of the one before."""
    written = (experiment("cert-gb", date(2027, 1, 1)), HANDED)
    read = events.parse(chain(written, NOTHING_BEFORE), "register")
    assert [(type(each), each.recipient) for each in read.events] == [(Experiment, "cert-gb"), (HandOver, "cert-gb")]
    assert read.events[1].files == (FILE,)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        (b'"services":3', b'"services":4', "the chain is broken"),
        (b'"event":"hand_over"', b'"event":"opt_out"', "is not an event of a register of hand-overs"),
        (b'"size":7', b'"size":7,"address":"192.0.2.7"', "is not an event of a register of hand-overs"),
    ],
)
def test_what_was_changed_is_noticed(before: bytes, after: bytes, fault: str) -> None:
    """A changed number breaks the chain; another event, or a field that there is not, is refused."""
    data = chain((HANDED, HANDED), NOTHING_BEFORE)
    with pytest.raises(InputError, match=fault):
        events.parse(data.replace(before, after, 1), "register")


def test_an_experiment_ends_with_its_day() -> None:
    """An experiment is on for its recipient alone until the end of its day; the first key of a lake is the one for all."""
    known = [experiment("cert-gb", date(2026, 12, 1)), experiment("cert-de", date(2027, 1, 1), "ef" * 32)]
    assert events.experiment_of(known, "cert-gb", date(2026, 12, 1)) is known[0]
    assert events.experiment_of(known, "cert-gb", date(2026, 12, 2)) is None
    assert events.experiment_of(known, "cert-fr", date(2026, 12, 1)) is None
    assert events.key_of(known) == "cd" * 32 and events.key_of([HANDED]) is None
