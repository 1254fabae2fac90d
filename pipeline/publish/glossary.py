"""The terms of a report, each in a sentence or two."""

TITLE = "Glossary"
#: In the order of the alphabet.
TERMS = (
    ("Address", "An IPv4 address. One address may lead to several systems, and one system may have several addresses."),
    (
        "AE title",
        "The name by which DICOM software calls itself and its peer. It is not secret. Software may reject titles that it does not "
        "know: the called title is that of the service, the calling title that of the client.",
    ),
    (
        "Association",
        "What two DICOM systems agree on before they exchange anything. An unknown client whose association is accepted may go on "
        "to ask for something; whether that would be granted is not known.",
    ),
    ("C-ECHO", "A request for nothing but an answer; it tests the connection."),
    (
        "Captures tried, wrong",
        "On how many recorded conversations of known software a rule was tried, and how many of them it got wrong.",
    ),
    (
        "Grade",
        "What the rule that names a product or toolkit is based on: L a real server in a laboratory, C its source code, W the "
        "quotation of a third party, F the headers of files, NV nothing that was verified.",
    ),
    (
        "Interval, 95 %",
        "The range in which the true number lies in 95 of 100 cases, as far as chance alone makes the difference. CI is short for "
        "confidence interval.",
    ),
    (
        "Likely decoy",
        "A service that behaves like a known honeypot, or is in a network in which nearly every address answers or many give the "
        "same answer.",
    ),
    (
        "Packet loss",
        "A probe or its answer that does not arrive. A service that was missed this way looks as if it were not there.",
    ),
    ("Per million", "Addresses with a DICOM service per million addresses that were probed."),
    ("Port", "The number of a door at an address. DICOM services usually listen on 104 or 11112."),
    (
        "Rejected, aborted",
        "A service rejects an association with a reason, or aborts it by ending the connection. Either shows that DICOM is spoken.",
    ),
    (
        "Service",
        "An address and port that answered as DICOM software does: it accepted, rejected or aborted the association.",
    ),
    ("SYN", "The first packet of a connection. Only hosts that answered it were sent more."),
    ("Target", "An address and a port that was probed."),
    (
        "TLS",
        "Encryption of the connection. A service may require a certificate of its clients, which keeps unknown ones out.",
    ),
    (
        "UID root",
        "The first numbers of an identifier in what a service declares; they belong to whoever made the software.",
    ),
    ("Vantage", "The place on the Internet that probes are sent from."),
)
