"""Reference data: put a newer country database into use, next to those that older sweeps were frozen with."""

from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from pipeline.enrich import renew
from pipeline.enrich.renew import Build


@task(cache_policy=NO_CACHE, task_run_name="take-{name}")
def take(mmdb: Path, folder: Path, name: str) -> Build:
    """Flatten a downloaded database, if it is newer than the one in use."""
    return renew.install(mmdb, folder, name)


@flow(name="refresh", validate_parameters=False)
def refresh(folder: str, databases: dict[str, str]) -> list[str]:
    """Put databases into use, name → mmdb, e.g. {"country": "/var/lib/geo/country.mmdb"}; returns those now in use.

    Configurations name `folder`/NAME.parquet. Nothing is downloaded here: the program that fetches the mmdb has your licence key.
    """
    builds = [take(Path(mmdb), Path(folder), name) for name, mmdb in databases.items()]
    rows = [
        {"name": b.name, "build": b.build_date, "ranges": b.ranges, "new": "yes" if b.new else "no", "sha256": b.sha256}
        for b in builds
    ]
    create_table_artifact(rows, key="reference-data", description="databases in use")
    return [f"{build.name} {build.build_date}" for build in builds]
