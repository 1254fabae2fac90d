"""The abstract syntaxes that the profile `capabilities` proposes, to signed ranges only. No command follows.

Which of them a node accepts shows its role (archive, worklist, modality, printer) before any command is sent (PS3.7
§D.3.2). UIDs are those of PS3.6 Annex A.
"""

from typing import NamedTuple


class Proposal(NamedTuple):
    """An abstract syntax, the role that a node has which accepts it, and its name in PS3.6."""

    uid: str
    group: str
    name: str


#: In the order of their presentation contexts, with ids 1, 3, 5 and so on. Verification is first, as in every other request.
PROPOSALS = (
    Proposal("1.2.840.10008.1.1", "verification", "Verification SOP Class"),
    Proposal("1.2.840.10008.5.1.4.1.1.2", "storage", "CT Image Storage"),
    Proposal("1.2.840.10008.5.1.4.1.1.4", "storage", "MR Image Storage"),
    Proposal("1.2.840.10008.5.1.4.1.1.1", "storage", "Computed Radiography Image Storage"),
    Proposal("1.2.840.10008.5.1.4.1.1.6.1", "storage", "Ultrasound Image Storage"),
    Proposal("1.2.840.10008.5.1.4.1.1.7", "storage", "Secondary Capture Image Storage"),
    Proposal("1.2.840.10008.5.1.4.1.1.104.1", "storage", "Encapsulated PDF Storage"),
    Proposal("1.2.840.10008.5.1.4.1.2.1.1", "query", "Patient Root Query/Retrieve Information Model - FIND"),
    Proposal("1.2.840.10008.5.1.4.1.2.2.1", "query", "Study Root Query/Retrieve Information Model - FIND"),
    Proposal("1.2.840.10008.5.1.4.31", "worklist", "Modality Worklist Information Model - FIND"),
    Proposal("1.2.840.10008.3.1.2.3.3", "procedure step", "Modality Performed Procedure Step SOP Class"),
    Proposal("1.2.840.10008.1.20.1", "commitment", "Storage Commitment Push Model SOP Class"),
    Proposal("1.2.840.10008.5.1.1.9", "print", "Basic Grayscale Print Management Meta SOP Class"),
)


def context_id(position: int) -> int:
    """The presentation context id of the proposal at a position (odd, PS3.8 §9.3.2.2)."""
    return 2 * position + 1
