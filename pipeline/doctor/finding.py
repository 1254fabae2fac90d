"""What a check finds: the words that all checks share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from pipeline.lake.store import Location
from pipeline.plan.plan import Plan
from pipeline.worker import engine_choice


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    """As it should be."""
    WARNING = "warning"
    """A sweep runs, but may send more slowly, find less, or be hard to account for."""
    STOP = "stop"
    """A sweep would be refused, would fail, or would measure something else."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: how something is, what to do (empty if nothing), and the name of the check that found it."""

    level: Level
    text: str
    remedy: str = ""
    check: str = ""

    @property
    def sentence(self) -> str:
        """All of it on one line."""
        return f"{self.check}: {self.text}" + (f"; {self.remedy}" if self.remedy else "")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is examined: this machine, and the plan and the lake of a configuration if one was given."""

    plan: Plan | None = None
    """With the engine that this machine takes, if the plan leaves it to the machine."""
    lake: Location | None = None
    choice: str = ""
    """How that engine was chosen, in a sentence; empty if the plan names it."""

    @classmethod
    def here(cls, plan: Plan | None, lake: Location | None) -> "Subject":
        """This machine as a vantage of a plan."""
        if plan is None:
            return cls(None, lake)
        run, choice = engine_choice.preview(plan)
        return cls(run, lake, choice)

    @property
    def raw(self) -> bool:
        """Whether probes are to leave through rings; without a plan, whether they can."""
        return self.plan.probe.engine.raw if self.plan else engine_choice.of_machine()[0].engine.raw


#: Yields its findings; a CensusError that it raises is a finding too. Nothing is changed, and no probe is sent.
Look = Callable[[Subject], Iterator[Finding]]


def ok(text: str) -> Finding:
    """As it should be."""
    return Finding(Level.OK, text)


def warning(text: str, remedy: str) -> Finding:
    """A sweep runs, but not as well as it could."""
    return Finding(Level.WARNING, text, remedy)


def stop(text: str, remedy: str) -> Finding:
    """A sweep must not begin like this."""
    return Finding(Level.STOP, text, remedy)
