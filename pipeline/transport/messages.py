"""The messages between the processes of a worker."""

from typing import Annotated

import msgspec
from msgspec import Meta

from pipeline.record.receipt import Counts, Part, VisitCounts
from pipeline.record.rounds import Round
from pipeline.space.shard import range_key

#: More shards or ranges than any plan has, and more attempts at a range than anybody makes.
MOST_RANGES, MOST_ATTEMPTS = 1 << 32, 10_000
Ip = Annotated[int, Meta(ge=0, lt=1 << 32)]
Port = Annotated[int, Meta(ge=0, lt=1 << 16)]
Attempt = Annotated[int, Meta(ge=1, le=MOST_ATTEMPTS)]


class Message(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A message about one range of one shard."""

    shard: Annotated[int, Meta(ge=0, le=MOST_RANGES)]
    number: Annotated[int, Meta(ge=0, le=MOST_RANGES)]

    @property
    def key(self) -> str:
        """The range's name in files and leases."""
        return range_key(self.shard, self.number)


class Assign(Message, frozen=True):
    """Coordinator → engine: send this range. `attempt` counts from 1."""

    first_index: int
    last_index: int
    attempt: Attempt


class Rows(Message, frozen=True):
    """Rows of `table`, which follow as an Arrow IPC payload; `vantage` is the dotted source address.

    Coordinator → engine: visit these targets again. Engine → associator: visit them. Associator → writer: write them.
    """

    attempt: Attempt
    table: str
    round: Round = Round.PROBES
    vantage: str = ""


class Begun(Message, frozen=True):
    """Engine → coordinator: the range, visits or checks that were assigned begin now; starting a process may take seconds."""


class Sent(Message, frozen=True):
    """Engine → coordinator: all SYNs of the range are sent, and it cools down; this sender can begin the next range."""

    sender: int


class Cooled(Message, frozen=True):
    """Sender → associator → writer: no more answers will come. A sender gives its `counts`, an associator its `visits`."""

    attempt: Attempt
    complete: bool
    counts: Counts | None = None
    visits: VisitCounts = msgspec.field(default_factory=VisitCounts)


class Written(Message, frozen=True):
    """Writer → coordinator: the range's rows are durable, in these parts."""

    attempt: Attempt
    complete: bool
    counts: Counts
    outcomes: dict[str, int]
    parts: tuple[Part, ...]


class Progress(Message, frozen=True):
    """Engine or associator → coordinator: counts since the process began, to be shown.

    `pause_reason` is why the sweep is paused now, by the register or by an outage; empty if it is not. `limit` is the most probes
    a second that the register allows; 0 if it sets no limit. `register` is the SHA-256 of the register that it obeys.
    """

    stage: str
    counts: dict[str, int]
    pause_reason: str = ""
    limit: int = 0
    register: str = ""

    @property
    def shown(self) -> tuple[str, dict[str, int], str, int, str]:
        """What a worker's progress takes of it."""
        return self.stage, self.counts, self.pause_reason, self.limit, self.register


class Doubt(Message, frozen=True):
    """Engine → coordinator: nothing that was finished after `since`, in microseconds since the epoch, can be trusted; why."""

    since: int
    reason: str


class Confirm(Message, frozen=True):
    """Engine → engine: check from your source address whether this target of a harm check answers, and say so to `sender`."""

    ip: Ip
    port: Port
    sender: int


class Confirmed(Message, frozen=True):
    """Engine → engine: whether a target answered another source address, after so many SYNs; null if the register withholds it."""

    ip: Ip
    port: Port
    answered: bool | None
    syns: int


class Vanished(Message, frozen=True):
    """Engine → coordinator: the frames that were sent have not left; why that is known."""

    reason: str


class Shutdown(Message, frozen=True):
    """Stop in order: finish what can be finished, abandon the rest."""


class Hello(Message, frozen=True):
    """Remote associator → worker: connected, with this code, for this plan."""

    plan_digest: str
    code_version: str


class Heartbeat(Message, frozen=True):
    """Between machines: no message was due, but this end is alive."""


class Failed(Message, frozen=True):
    """A process of the worker has failed; `reason` is its error message."""

    reason: str
    exit_code: int


AnyMessage = (
    Assign
    | Begun
    | Rows
    | Sent
    | Cooled
    | Written
    | Progress
    | Doubt
    | Confirm
    | Confirmed
    | Vanished
    | Shutdown
    | Hello
    | Heartbeat
    | Failed
)
