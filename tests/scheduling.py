"""How the tests are shared out to the workers of pytest-xdist: most file by file, and not too many sweeps at once.

A sweep mostly waits, so more tests run at once than there are processors. But it fails where it starves. So some workers run
long tests for as long as there are any, and the others compute meanwhile.
"""

from collections.abc import Callable

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

#: Workers that compute while all others run long tests.
COMPUTING = 1
#: Files whose tests share a server, which takes longer to start than most of them take to run: one worker runs them all. Those of
#: outages, which stop it again and again, are as long as all of these together.
TOGETHER = frozenset(f"tests/flows/test_{name}.py" for name in ("automations", "cancellation", "deployments", "fleet"))
SERVED = "tests/flows/"
#: Files of long tests that share nothing: each of them is run by whichever worker is free.
APART = frozenset(
    {"tests/benchmarks/test_benchmarks.py", "tests/end_to_end/test_alarm.py", "tests/end_to_end/test_links.py"}
)


class Scheduling(LoadScopeScheduling):
    """Give each worker whole files, or tests of `APART`, in order; leave `COMPUTING` workers without long ones if they can be."""

    is_long: Callable[[str], bool]
    """Whether a file, or what runs together, has long tests."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file in APART:
            return nodeid
        return SERVED if file in TOGETHER else file

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Give a worker the first unit that it may have."""
        busy = {other for other in self.nodes if other is not node and self._runs_long(other)}
        if len(busy) >= max(1, len(self.nodes) - COMPUTING):
            short = next((scope for scope in self.workqueue if not self.is_long(scope)), None)
            if short is not None:
                self.workqueue.move_to_end(short, last=False)
        super()._assign_work_unit(node)

    def _runs_long(self, node: WorkerController) -> bool:
        units = self.assigned_work[node]
        return any(self.is_long(scope) and not all(unit.values()) for scope, unit in units.items())
