"""Whether a register continues the one that earlier ranges obeyed: each receipt has the SHA-256 of the register of its time."""

from pipeline.errors import GuardError
from pipeline.lake import layout, read, receipts
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.optout import chained, register


def require(sweep: Sweep) -> None:
    """Refuse a register that lacks what a receipt of the sweep, or of the sealed one before it, says was obeyed.

    Raises GuardError, and InputError for a register that cannot be read or lacks what this machine has seen.
    """
    obeyed = register.of(sweep.plan.register, sweep.paths.lake)
    data, _ = register.load_continued(obeyed)
    known = chained.digests(data)
    for paths in filter(None, (sweep.paths, _sealed_before(sweep))):
        if unknown := _obeyed(paths) - known:
            raise GuardError(
                f"{obeyed.where}: receipts of sweep {paths.id} obeyed a register (SHA-256 {min(unknown):.12}…) that this one does "
                "not continue: it was shortened, replaced or restored from an old copy. Whoever opted out may be missing, so "
                "nothing is sent; restore the later one"
            )


def _obeyed(paths: SweepPaths) -> set[str]:
    """The digests of the register that a sweep's receipts carry."""
    if paths.sealed("receipts").exists():
        digests = set(read.rows(paths, "receipts", ["register_digest"])["register_digest"].to_pylist())
    else:
        digests = {receipt.register_digest for receipt in receipts.read_receipts(paths)}
    return {digest for digest in digests if digest}


def _sealed_before(sweep: Sweep) -> SweepPaths | None:
    """The latest sealed sweep of the lake that obeyed the same register."""
    for paths in reversed(layout.sweeps(sweep.paths.lake)):
        if paths.id != sweep.paths.id and paths.sealed("receipts").exists():
            return paths if layout.read_plan(paths.plan).register == sweep.plan.register else None
    return None
