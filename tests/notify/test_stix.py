"""The STIX bundle, read back by the OASIS library in its strict mode."""

import stix2

from pipeline.notify import stix
from tests.notify.exposed import edition


def test_the_library_reads_the_same_services() -> None:
    """Strictly parsed, a bundle has an observation for each service, with its address, port, time, severity and marking."""
    handed = edition(6)
    bundle = stix2.parse(stix.write(handed).decode(), allow_custom=False)
    objects = {each.id: each for each in bundle.objects}
    seen = [each for each in bundle.objects if each.type == "observed-data"]
    found = []
    for each in seen:
        referred = {objects[ref].type: objects[ref] for ref in each.object_refs}
        traffic, address = referred["network-traffic"], referred["ipv4-addr"]
        assert traffic.dst_ref == address.id and each.object_marking_refs == [stix2.v21.TLP_AMBER.id]
        found.append((address.value, traffic.dst_port, each.labels[0], each.first_observed))
    assert found == [(s.address, s.port, f"severity:{s.severity}", s.answered_at) for s in handed.services]
    assert {each.created_by_ref for each in seen} == {next(o.id for o in bundle.objects if o.type == "identity")}


def test_the_lab_is_one_identity() -> None:
    """Two bundles of a lab name one identity, so a receiver keeps one."""
    ids = {
        next(each.id for each in stix2.parse(stix.write(edition(n)).decode()).objects if each.type == "identity")
        for n in (1, 2)
    }
    assert len(ids) == 1


def test_nothing_to_say_is_a_bundle_too() -> None:
    """A bundle without services names the lab alone."""
    bundle = stix2.parse(stix.write(edition(0)).decode())
    assert [each.type for each in bundle.objects] == ["marking-definition", "identity"]
