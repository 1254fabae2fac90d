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


def test_a_paused_schedule_stays_paused(server: Server) -> None:
    """A schedule that somebody paused stays paused, and the others active, whatever is deployed again and from which file."""
    assert active(server) == [True, True, True]
    weekly = server.deployment("sweep/weekly")
    server.client.update_deployment_schedule(weekly.id, weekly.schedules[0].id, active=False)
    deploy(server, "--prefect-file", "flows/one-machine.yaml")
    assert active(server) == [False, True, True]
    assert "vantages" not in server.deployment("sweep/weekly").parameters
    deploy(server)
    assert active(server) == [False, True, True]
    assert server.deployment("sweep/weekly").parameters["vantages"] == ["vantage/one", "vantage/two"]
    server.client.update_deployment_schedule(weekly.id, weekly.schedules[0].id, active=True)


def test_only_the_files_schedules_stay(server: Server) -> None:
    """A schedule that somebody added on Prefect's pages is gone after the next deployment, and a changed time is the file's."""
    from prefect.client.schemas.schedules import CronSchedule

    nightly = server.deployment("report/nightly")
    server.client.create_deployment_schedules(nightly.id, [(CronSchedule(cron="0 12 * * *"), True)])
    server.client.update_deployment_schedule(
        nightly.id, nightly.schedules[0].id, schedule=CronSchedule(cron="0 5 * * *", timezone="UTC")
    )
    assert len(server.deployment("report/nightly").schedules) == 2
    deploy(server)
    (left,) = server.deployment("report/nightly").schedules
    assert (left.schedule.cron, left.active) == ("0 4 * * *", True)
