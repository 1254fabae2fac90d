"""A STIX 2.1 bundle by the OASIS library: for each service the address, the traffic to its port, and that it was observed.

Everything is marked TLP:AMBER, and made by the identity of the lab.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pipeline.errors import InputError
from pipeline.notify.edition import Edition, Notifiable
from pipeline.notify.recipient_key import INSTALL


def write(edition: Edition) -> bytes:
    """The bundle, as JSON. Raises InputError if the library is missing."""
    try:
        from stix2 import v21
    except ImportError:
        raise InputError("format stix", INSTALL) from None
    since = datetime.combine(edition.day, time(), UTC)
    lab = v21.Identity(
        id=f"identity--{uuid5(NAMESPACE_URL, f'mailto:{edition.contact}')}", created=since, modified=since,
        name=edition.lab, identity_class="organization", contact_information=edition.contact,
    )  # fmt: skip
    objects = {each.id: each for service in edition.services for each in _objects(v21, lab, edition, service)}
    return str(v21.Bundle(v21.TLP_AMBER, lab, *objects.values(), allow_custom=False).serialize()).encode()


def _objects(v21: Any, lab: Any, edition: Edition, service: Notifiable) -> Iterator[Any]:
    marked = {"object_marking_refs": [v21.TLP_AMBER.id]}
    network = v21.AutonomousSystem(number=service.asn, name=service.organisation or None) if service.asn else None
    address = v21.IPv4Address(value=service.address, **marked)
    traffic = v21.NetworkTraffic(
        dst_ref=address.id,
        dst_port=service.port,
        protocols=["ipv4", "tcp", "dicom"],
        start=service.answered_at,
        **marked,
    )
    software = (
        v21.Software(name=service.software, vendor=service.vendor or None, version=service.version or None, **marked)
        if service.software
        else None
    )
    seen = [each for each in (address, network, traffic, software) if each]
    yield from seen
    yield v21.ObservedData(
        created_by_ref=lab.id, first_observed=service.answered_at, last_observed=service.answered_at, number_observed=1,
        object_refs=[each.id for each in seen], labels=[f"severity:{service.severity}", *service.tag.split(";")], **marked,
        external_references=[{"source_name": edition.lab, "description": service.meaning, "external_id": edition.sweep}],
    )  # fmt: skip
