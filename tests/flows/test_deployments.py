"""The deployments of `prefect.yaml` and `flows/one-machine.yaml`, registered with a real server more than once."""

import subprocess

from tests.flows.serving import BEGIN_SECONDS, PREFECT, Server
from tests.testbed.running import ROOT

NAMES = ("sweep/weekly", "report/nightly", "refresh/monthly")


def deploy(server: Server, *words: str) -> None:
    command = [*PREFECT, "--no-prompt", "deploy", "--all", *words]
    done = subprocess.run(
        command, cwd=ROOT, env=server.environment, capture_output=True, text=True, timeout=BEGIN_SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr


def active(server: Server) -> list[bool]:
    """Whether the schedule of each scheduled deployment is active; each has exactly one."""
    schedules = [server.deployment(name).schedules for name in NAMES]
    return [schedule.active for (schedule,) in schedules]


def test_what_was_changed_by_hand(server: Server) -> None:
    """A paused schedule stays paused, and the others active, whatever is deployed again and from which file.

    A schedule that somebody added on Prefect's pages is gone after the next deployment, and a changed time is the file's.
    """
    from prefect.client.schemas.schedules import CronSchedule

    assert active(server) == [True, True, True]
    weekly, nightly = server.deployment("sweep/weekly"), server.deployment("report/nightly")
    server.client.update_deployment_schedule(weekly.id, weekly.schedules[0].id, active=False)
    deploy(server, "--prefect-file", "flows/one-machine.yaml")
    assert active(server) == [False, True, True]
    assert "vantages" not in server.deployment("sweep/weekly").parameters
    added, changed = CronSchedule(cron="0 12 * * *"), CronSchedule(cron="0 5 * * *", timezone="UTC")
    server.client.create_deployment_schedules(nightly.id, [(added, True)])
    server.client.update_deployment_schedule(nightly.id, nightly.schedules[0].id, schedule=changed)
    assert crons(server) == {"0 12 * * *", "0 5 * * *"}
    deploy(server)
    assert active(server) == [False, True, True] and crons(server) == {"0 4 * * *"}
    assert server.deployment("sweep/weekly").parameters["vantages"] == ["vantage/one", "vantage/two"]
    server.client.update_deployment_schedule(weekly.id, weekly.schedules[0].id, active=True)


def crons(server: Server) -> set[str]:
    """The times of the nightly report."""
    return {schedule.schedule.cron for schedule in server.deployment("report/nightly").schedules}
