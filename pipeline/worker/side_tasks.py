"""What a sender does in addition to its ranges: second visits, harm checks, companion SYNs, and the lab's control targets."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.config import local
from pipeline.optout import register
from pipeline.probe.pacer import Pacer
from pipeline.space.permit import Permit
from pipeline.transport import messages
from pipeline.transport.channel import Sender
from pipeline.worker.companions import CompanionSyns
from pipeline.worker.confirmations import Confirmations, confirmer
from pipeline.worker.control_targets import ControlTargets, targets
from pipeline.worker.fanout import Fanout
from pipeline.worker.harm_checks import HarmChecks
from pipeline.worker.second_visits import SecondVisits
from pipeline.worker.sender import SenderContext, SenderParts


@dataclass(frozen=True, slots=True)
class SideTasks:
    """What a sender does in addition to its ranges."""

    second_visits: SecondVisits
    harm_checks: HarmChecks
    confirmations: Confirmations
    control_targets: ControlTargets
    companions: CompanionSyns

    def tick(self, permit: Permit, digest: str) -> None:
        """Do what is due, as far as the register permits it, whose digest is given."""
        self.second_visits.tick(permit, digest)
        self.harm_checks.tick(permit, digest)
        self.confirmations.tick()
        self.companions.tick(permit, digest)
        self.control_targets.tick(permit)

    def end(self, digest: str) -> None:
        """Stop; later attempts take what is not over."""
        self.second_visits.end(digest)
        self.harm_checks.end(digest)
        self.companions.end(digest)


def side_tasks(
    context: SenderContext, sender: SenderParts, fanout: Fanout, coordinator: Sender, peers: Mapping[int, Sender]
) -> SideTasks:
    """What a sender does in addition to its ranges; only the first one has control targets. `peers` are the other senders."""

    def doubt(since: int, reason: str) -> None:
        coordinator.send(messages.Doubt(shard=0, number=0, since=since, reason=reason))

    def confirm(request: messages.Confirm) -> None:
        peers[other or 0].send(request)

    worker, plan = context.worker, context.plan
    other = confirmer(local.facts(plan.probe).probe.sources, plan.probe.processes, context.number)
    obeyed = register.of(plan.register, worker.sweep.paths.lake)
    delay = plan.harm.delay if plan.harm else 0.0
    control = targets(plan.control) if context.number == 0 else []
    return SideTasks(
        SecondVisits(fanout, Pacer(plan.tls.rate, time.monotonic()), sender.vantage),
        HarmChecks(
            worker.sweep.paths,
            fanout,
            sender.checks.harm,
            delay,
            sender.vantage,
            context.number,
            confirm=None if other is None else confirm,
        ),
        Confirmations(sender.checks.confirmations, lambda number, message: peers[number].send(message)),
        ControlTargets(control, plan.control.interval, sender.checks.control, obeyed, doubt),
        CompanionSyns(fanout, context.visit_log, sender.checks.companions, plan.companions, sender.vantage),
    )
