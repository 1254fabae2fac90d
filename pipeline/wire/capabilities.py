"""What the profile `capabilities` proposes, to learn what a server of one's own would accept; nothing is asked of it.

Which of these a node accepts tells its role (archive, worklist, modality, printer) one step before any command (PS3.7
§D.3.2). UIDs are those of PS3.6 Annex A.
"""

from typing import NamedTuple


class Proposed(NamedTuple):
    """An abstract syntax: what accepting it makes a node, and its name in PS3.6."""

    uid: str
    group: str
    name: str


#: In the order of their presentation contexts: ids 1, 3, 5 and so on; Verification first, as in every other request.
PROPOSED = (
    Proposed("1.2.840.10008.1.1", "verification", "Verification SOP Class"),
    Proposed("1.2.840.10008.5.1.4.1.1.2", "storage", "CT Image Storage"),
    Proposed("1.2.840.10008.5.1.4.1.1.4", "storage", "MR Image Storage"),
    Proposed("1.2.840.10008.5.1.4.1.1.1", "storage", "Computed Radiography Image Storage"),
    Proposed("1.2.840.10008.5.1.4.1.1.6.1", "storage", "Ultrasound Image Storage"),
    Proposed("1.2.840.10008.5.1.4.1.1.7", "storage", "Secondary Capture Image Storage"),
    Proposed("1.2.840.10008.5.1.4.1.1.104.1", "storage", "Encapsulated PDF Storage"),
    Proposed("1.2.840.10008.5.1.4.1.2.1.1", "query", "Patient Root Query/Retrieve Information Model - FIND"),
    Proposed("1.2.840.10008.5.1.4.1.2.2.1", "query", "Study Root Query/Retrieve Information Model - FIND"),
    Proposed("1.2.840.10008.5.1.4.31", "worklist", "Modality Worklist Information Model - FIND"),
    Proposed("1.2.840.10008.3.1.2.3.3", "procedure step", "Modality Performed Procedure Step SOP Class"),
    Proposed("1.2.840.10008.1.20.1", "commitment", "Storage Commitment Push Model SOP Class"),
    Proposed("1.2.840.10008.5.1.1.9", "print", "Basic Grayscale Print Management Meta SOP Class"),
)


def context_id(position: int) -> int:
    """The presentation context id of the proposal at a position (odd, PS3.8 §9.3.2.2)."""
    return 2 * position + 1
