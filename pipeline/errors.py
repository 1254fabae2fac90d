"""What can go wrong on our side, and the exit code that says so. What a peer does is never an error: it is an outcome."""

import errno


class CensusError(Exception):
    """The program failed (exit code 1)."""

    exit_code = 1


class InputError(CensusError):
    """The input is wrong (exit code 2): `where` names file and key or line, `reason` what is wrong and what would be right."""

    exit_code = 2

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.where = where
        self.reason = reason


class GuardError(CensusError):
    """A guard rail stopped the program before anything was sent (exit code 3)."""

    exit_code = 3


class VanishedError(CensusError):
    """The frames of a sender have not left, and another engine may do better (exit code 1)."""


class Interrupted(CensusError):
    """The program was asked to stop and has saved its state (exit code 130)."""

    exit_code = 130


def failure(reason: str, exit_code: int) -> CensusError:
    """The error of another process, by its exit code."""
    match exit_code:
        case InputError.exit_code:
            return InputError("worker", reason)
        case GuardError.exit_code:
            return GuardError(reason)
        case _:
            return CensusError(reason)


#: What to do about some failures of the system's, before another try.
REMEDIES = {
    errno.ENOSPC: "free some space, then ",
    errno.EDQUOT: "free some space, then ",
    errno.EMFILE: "raise the limit of open files (`ulimit -n`), then ",
}


def of_system(who: str, error: OSError) -> str:
    """What a failure of the system's means to people: who met it, where, why, and what to do."""
    where = f"{error.filename}: " if error.filename else ""
    remedy = REMEDIES.get(error.errno or 0, "")
    return f"{who}: {where}{error.strerror or error}; {remedy}run again with --resume"
