"""Which services a recipient gets: those of its scope, without opt-outs, decoys and those that wait."""

from dataclasses import replace

from pipeline.notify.edition import choose
from pipeline.notify.lot import waits
from pipeline.outcome import Notice
from pipeline.space.ranges import Ranges
from tests.notify.exposed import GB, edition

NONE = Ranges.of(())


def test_each_service_is_counted_once() -> None:
    """A service is handed over, waits, or is left out as opted out or else as a decoy; nothing is lost."""
    services = [replace(service, decoy=service.ip % 3 == 0) for service in edition(200).services]
    selection = choose(services, Ranges.of([(GB, GB + 9)]), "00" * 32, decoys=False)
    parts = (len(selection.informed), len(selection.waiting), selection.decoys, selection.opted_out)
    assert sum(parts) == 200 and selection.opted_out == 10 and min(parts) > 0
    assert all(service.ip > GB + 9 and not service.decoy for service in (*selection.informed, *selection.waiting))
    assert all(waits("00" * 32, service.ip) for service in selection.waiting)
    assert not any(waits("00" * 32, service.ip) for service in selection.informed)


def test_order_does_not_matter() -> None:
    """The lot of an address does not depend on where its row stands, nor on the other rows."""
    services = edition(50).services
    whole, part = (choose(each, NONE, "00" * 32, decoys=False) for each in (services, services[::-2]))
    assert {s.ip for s in part.waiting} == {s.ip for s in whole.waiting} & {s.ip for s in services[::-2]}


def test_both_ports_of_an_address_have_one_lot() -> None:
    """An address waits with all of its ports."""
    first = edition(20).services
    both = choose([*first, *(replace(each, port=11112) for each in first)], NONE, "00" * 32, decoys=False)
    assert {each.ip for each in both.waiting}.isdisjoint(each.ip for each in both.informed)


def test_notices_say_whether_there_was_a_lot() -> None:
    """Without an experiment nobody waits, and the notices say that no lot was drawn."""
    selection = choose(edition(4).services, NONE, None, decoys=False)
    assert {notice for _, notice in selection.notices(experiment=False)} == {Notice.NO_EXPERIMENT}
    drawn = choose(edition(40).services, NONE, "00" * 32, decoys=False).notices(experiment=True)
    assert {notice for _, notice in drawn} == {Notice.INFORMED, Notice.WAITING} and len(drawn) == 40
