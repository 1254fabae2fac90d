"""What the numbers of a census mean, and what to do: for whoever runs a DICOM service, buys one, or writes about it."""

TITLE = "What this means, and what to do"
TEXT = (
    "DICOM is the protocol by which scanners, archives and workstations of hospitals exchange images. It has no password by "
    "default. A service that answers an unknown client can be reached, and tried, by anybody on the Internet. The census counts "
    "such services. It does not look for images or patients, and does not know whether any could be read."
)
#: Whom an advice is for, and the advice.
ADVICE = (
    (
        "If you run a DICOM service",
        "allow only the addresses that need it. Use TLS with client certificates, and accept only AE titles that you know.",
    ),
    ("If you procure one", "ask the vendor which addresses it listens on, and who may connect."),
    (
        "If you report on it",
        "give the interval with the number, and the date. A service is not a hospital, nor a leak.",
    ),
)
