"""Reference data: put a newer country database into use, next to those that older sweeps were frozen with."""

from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from pipeline.enrich import renew
from pipeline.enrich.database_kind import DatabaseKind
from pipeline.enrich.renew import Build


@task(cache_policy=NO_CACHE, task_run_name="take-{name}")
def take(file: Path, folder: Path, name: str) -> Build:
    """Flatten a downloaded database, if it is newer than the one in use."""
    return renew.install(file, folder, name, DatabaseKind(name) if name in list(DatabaseKind) else DatabaseKind.COUNTRY)


@flow(name="refresh", validate_parameters=False)
def refresh(folder: str, databases: dict[str, str]) -> list[str]:
    """Put databases into use, name → file, e.g. {"country": "/var/lib/geo/country.mmdb"}; returns those now in use.

    Configurations name `folder`/NAME.parquet. The names `asn` and `announced` are those kinds, all others countries.
    Nothing is downloaded here: `census refresh` does that, or the program that has your licence key.
    """
    builds = [take(Path(file), Path(folder), name) for name, file in databases.items()]
    rows = [
        {"name": b.name, "build": b.build_date, "ranges": b.ranges, "new": "yes" if b.new else "no", "sha256": b.sha256}
        for b in builds
    ]
    create_table_artifact(rows, key="reference-data", description="databases in use")
    return [f"{build.name} {build.build_date}" for build in builds]
