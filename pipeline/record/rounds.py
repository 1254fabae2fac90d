"""The rounds of a sweep: who is visited when. Each round's targets follow from the rows of the rounds before it."""

from enum import IntEnum


class Round(IntEnum):
    """A round: 1 probes every target, 2 visits some hosts again inside TLS, 3 measures what the visits did to their hosts.

    4 sends companion SYNs to addresses that spoke DICOM in the first two.
    """

    PROBES = 1
    SECOND_VISITS = 2
    HARM_CHECKS = 3
    COMPANIONS = 4

    @property
    def table(self) -> str:
        """The table that the rows of its targets go to."""
        return {1: "responses", 2: "tls", 3: "harm", 4: "companions"}[self]

    @property
    def visits_table(self) -> str:
        """The table that has a row for each of its visits; companion SYNs are none, and it has no row for them."""
        return {1: "responses", 2: "tls", 3: "responses", 4: "responses"}[self]

    @property
    def visits_column(self) -> str:
        """The column of a receipt that counts those rows."""
        return {1: "responses", 2: "handshakes", 3: "responses", 4: "responses"}[self]

    @property
    def makes_visits(self) -> bool:
        """Whether it visits hosts that later rounds come back to."""
        return self in (Round.PROBES, Round.SECOND_VISITS)

    @property
    def task(self) -> str:
        """What a shard's task is called in Prefect."""
        return {1: "shard", 2: "second-visits", 3: "harm-checks", 4: "companions"}[self]


#: Tables that have a row for each visit of some round.
VISITS_TABLES = tuple(dict.fromkeys(number.visits_table for number in Round))
