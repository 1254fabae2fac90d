"""What the processes of a worker say to each other."""

import msgspec

from pipeline.record.receipt import Counts, Part, VisitCounts
from pipeline.record.rounds import Round
from pipeline.space.shard import range_key


class Message(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A message about one range of one shard."""

    shard: int
    number: int

    @property
    def key(self) -> str:
        """Name of the range in files and leases."""
        return range_key(self.shard, self.number)


class Assign(Message, frozen=True):
    """Coordinator → engine: send this range. `attempt` counts from 1."""

    first_index: int
    last_index: int
    attempt: int


class Rows(Message, frozen=True):
    """Rows of `table` follow as an Arrow IPC payload; `vantage` is the source address, dotted.

    Coordinator → engine: visit these targets a second time. Engine → associator: visit them. Associator → writer: keep them.
    """

    attempt: int
    table: str
    round: Round = Round.PROBES
    vantage: str = ""


class Sent(Message, frozen=True):
    """Engine → coordinator: the range is sent and cools down; this sender may begin the next."""

    sender: int


class Cooled(Message, frozen=True):
    """Sender → associator → writer: no more answers will come. A sender gives its `counts`, an associator its `visits`."""

    attempt: int
    complete: bool
    counts: Counts | None = None
    visits: VisitCounts = msgspec.field(default_factory=VisitCounts)


class Written(Message, frozen=True):
    """Writer → coordinator: the range's rows are durable, in these parts."""

    attempt: int
    complete: bool
    counts: Counts
    outcomes: dict[str, int]
    parts: tuple[Part, ...]


class Progress(Message, frozen=True):
    """Engine or associator → coordinator: counts since the process began, for people to watch.

    `held` is why the register lets nothing be begun now, empty if it does.
    """

    stage: str
    counts: dict[str, int]
    held: str = ""


class Stop(Message, frozen=True):
    """Stop in an orderly way: give up what is not done, keep what is."""


class Hello(Message, frozen=True):
    """Associator elsewhere → worker: here I am, with this code, for this plan."""

    plan_digest: str
    code_version: str


class Alive(Message, frozen=True):
    """Between machines: nothing to say, but still here."""


class Failed(Message, frozen=True):
    """A process of the worker failed; `reason` is its error."""

    reason: str
    exit_code: int


Any = Assign | Rows | Sent | Cooled | Written | Progress | Stop | Hello | Alive | Failed
