"""All checks in the order in which a report has them, and how they are run."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipeline.doctor import machine, network, rate, sources, storage
from pipeline.doctor.finding import Finding, Level, Look, Subject, stop
from pipeline.errors import CensusError
from pipeline.guard import sockets


@dataclass(frozen=True, slots=True)
class NamedCheck:
    """A check by its name in reports. A quick one is also made before every sweep: it takes milliseconds, and asks nobody else."""

    name: str
    look: Look
    quick: bool = True


CHECKS = (
    NamedCheck("program", sources.programs, quick=False),
    NamedCheck("machine", machine.kernel, quick=False),
    NamedCheck("memory", machine.memory),
    NamedCheck("open files", machine.file_limit),
    NamedCheck("processes", machine.tasks),
    NamedCheck("clock", machine.clock),
    NamedCheck("temporary files", machine.temporary_folder),
    NamedCheck("privileges", network.privileges),
    NamedCheck("engine", network.engine),
    NamedCheck("RST filter", network.rst_filter),
    NamedCheck("ports", network.ports),
    NamedCheck("route", network.route, quick=False),
    NamedCheck("NAT", network.translation, quick=False),
    NamedCheck("control targets", network.control_targets),
    NamedCheck("identity", network.identity),
    NamedCheck("companion ports", network.companions),
    NamedCheck("announcement", network.announcement, quick=False),
    NamedCheck("opt-out register", storage.opt_outs, quick=False),
    NamedCheck("own stop", storage.own_stop),
    NamedCheck("lake", storage.lake, quick=False),
    NamedCheck("room", storage.room),
    NamedCheck("duration", rate.duration, quick=False),
    NamedCheck("countries", sources.countries, quick=False),
    NamedCheck("networks", sources.networks, quick=False),
)
#: Made only where it is asked for: it takes half a minute and all processors.
RATE = NamedCheck("rate", rate.sustained, quick=False)


def examine(subject: Subject, *, quick: bool = False, measure_rate: bool = False) -> Iterator[Finding]:
    """Make every check, or only the quick ones, and yield its findings as they come; a check that fails is a finding too.

    With `measure_rate`, the last one measures for half a minute which rate this machine holds.
    """
    for check in (*CHECKS, *((RATE,) if measure_rate else ())):
        if not quick or check.quick:
            yield from (replace(finding, check=check.name) for finding in _findings(check, subject))


def _findings(check: NamedCheck, subject: Subject) -> Iterator[Finding]:
    try:
        yield from check.look(subject)
    except CensusError as error:
        yield stop(str(error), "")
    except OSError as error:
        yield stop(f"cannot be looked at: {error.strerror or error}", "")


def before_a_sweep(subject: Subject) -> Iterator[str]:
    """Make the quick checks; yield each warning with what to do. Raises CensusError at the first that would stop the sweep.

    A closed testbed needs no exact clock and no control target: there, only what stops a sweep counts.
    """
    testbed = sockets.in_closed_testbed()
    for finding in examine(subject, quick=True):
        if finding.level is Level.STOP:
            raise CensusError(f"{finding.sentence}. `census doctor` shows every check")
        if finding.level is Level.WARNING and not testbed:
            yield finding.sentence
