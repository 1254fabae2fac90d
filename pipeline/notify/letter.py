"""The letter that goes with every hand-over: what the files are, what the severities mean, what is left out, whom to ask."""

from pipeline.notify.edition import MEANINGS, Edition
from pipeline.untrusted import visible
from pipeline.words.plural import plural

TEXT = """\
TLP:AMBER. Services that speak DICOM, the protocol of medical images, and answer strangers on the Internet.

From:       {lab} ({contact})
To:         {recipient} ({scope})
Sweep:      {sweep}
Services:   {services}

{severities}

A service was visited once: one association was proposed and ended. Nothing was queried, retrieved or stored, and
what it holds is not known. An address may have changed hands since. What a service declares of itself may be untrue.

Left out:
- {opted_out} in ranges whose owners want to be left alone;
- {decoys} that look like honeypots, or are in a network that answers everything.

Files encrypted to your key come in the formats of your choice; each has the same services. Please write to
{contact} about errors, about what became of a service, or if you want no more of these.
"""


def write(edition: Edition) -> bytes:
    """The letter."""
    severities = "\n".join(f"{name + ':':<12}{edition.count(name):>5}  {text}" for name, text in MEANINGS.items())
    text = TEXT.format(
        lab=edition.lab, contact=edition.contact, recipient=edition.recipient, scope=edition.scope, sweep=edition.sweep,
        services=len(edition.services), severities=severities, opted_out=plural(edition.opted_out, "service"),
        decoys=plural(edition.decoys_left_out, "service"),
    )  # fmt: skip
    return visible.lines(text).encode()
