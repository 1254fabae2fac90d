"""The steps of a sweep's funnel by their names, and the words for them: the same in status, progress, artifacts and reports."""

#: `visited` is of status and progress alone: a visited target may still be taking our request.
STEPS = {
    "probed": "probed",
    "responsive": "answered our SYN",
    "visited": "visited",
    "accepts_data": "accepted our data",
    "speaks_dicom": "speak DICOM",
    "accepts_association": "accept the association",
    "echoes": "answer C-ECHO",
}
