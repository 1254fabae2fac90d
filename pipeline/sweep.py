"""The steps of a sweep as plain functions: what the command line and the flow call. None of them knows Prefect."""

import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import __version__, config, guard, register, worker
from pipeline.enrich import geo, network, tables
from pipeline.errors import CensusError, GuardError, InputError
from pipeline.lake import parts, receipts, store, verify
from pipeline.lake.store import Sweep
from pipeline.space import plan as planning
from pipeline.space.plan import Plan
from pipeline.space.ranges import Ranges
from pipeline.wire import outgoing


def freeze(path: Path, lake: Path | None = None) -> Plan:
    """Fix the plan of a configuration file for a lake (its own if none is given). Raises InputError."""
    settings = config.load(path)
    base = path.parent
    databases = tuple(str((base / name).resolve()) if name else "" for name in (settings.geo.country, settings.geo.asn))
    named = register.resolve(settings.optout.register, base)
    requests = outgoing.encode(
        calling_ae=settings.identity.ae_title, class_uid=outgoing.class_uid(settings.identity.url)
    )
    try:
        return planning.freeze(
            settings,
            base,
            created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            code_version=__version__,
            requests=requests.to_json(),
            databases=(databases[0], databases[1]),
            register=named,
            opted_out=register.opted_out(named, lake or Path(settings.lake.url)),
        )
    except InputError as error:
        raise InputError(f"{path}, {error.where}", error.reason) from None


def read(path: Path) -> Plan:
    """Read a plan that was frozen before. Raises InputError or GuardError."""
    try:
        return planning.decode(path.read_bytes(), str(path))
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from None


def check(plan: Plan) -> None:
    """Refuse a plan that this program or this place must not run. Raises GuardError; looks up no interface."""
    guard.require_authorised(plan.identity)
    if plan.code_version != __version__:
        raise GuardError(
            f"the plan was frozen by version {plan.code_version}, this is {__version__} (field code_version)"
        )
    identity = plan.identity
    own = outgoing.encode(calling_ae=identity.ae_title, class_uid=outgoing.class_uid(identity.url)).to_json()
    if own != plan.requests:
        raise GuardError("the plan's requests are not those that this version would send (field requests)")


def begin(plan: Plan, lake: Path) -> Sweep:
    """Put the plan into the lake, where its register is readable. Raises InputError if it is not, and GuardError if
    another plan stands there under this name.
    """
    register.begin(plan.register, lake)
    place = Sweep(lake, plan.sweep)
    if not store.write(place.plan, planning.encode(plan), new=True) and read(place.plan).digest != plan.digest:
        raise GuardError(f"{place.plan}: another plan of this name was begun here (field digest)")
    return place


def latest(lake: Path, name: str) -> Sweep | None:
    """The latest sweep of a series that is not sealed, if there is one."""
    if not (lake / "plans").is_dir():
        return None
    open_ = [s for s in store.sweeps(lake) if s.id.endswith(f"-{name}") and not s.sealed("sweeps").exists()]
    return open_[-1] if open_ else None


def missing_shards(plan: Plan, place: Sweep) -> list[int]:
    """The shards of which some range has no receipt."""
    done = receipts.finished(place)
    walk = plan.walk()
    return [n for n in range(walk.shards) if any(chosen.key not in done for chosen in walk.ranges(n))]


def work(plan: Plan, place: Sweep) -> int:
    """Run every range that is missing; how many that were."""
    check(plan)
    return worker.work(plan, place, missing_shards(plan, place))


def require_verified(plan: Plan, place: Sweep) -> None:
    """Raise CensusError naming the first thing that does not add up."""
    fault = next(verify.faults(place, plan), None)
    if fault:
        raise CensusError(f"does not add up: {fault.where} {fault.what}")


def seal(plan: Plan, place: Sweep) -> None:
    """Compact a verified sweep into its sorted tables."""
    verify.seal(place, plan, sealed_at=time.time_ns() // 1000, code_version=__version__)


def enrich(plan: Plan, place: Sweep) -> None:
    """Place the addresses that answered, and count those that were asked, by the plan's databases."""
    places = geo.load(Path(plan.country_database) if plan.country_database else None)
    networks = network.load(Path(plan.asn_database)) if plan.asn_database else None
    ranges = Ranges.of(plan.ranges)
    found = tables.locations(_answered(place), places, networks)
    parts.write(place.sealed("locations"), found, "locations", place.id)
    counted = tables.coverage(ranges.first.astype(np.uint32), ranges.last.astype(np.uint32), places)
    parts.write(place.sealed("coverage"), counted, "coverage", place.id)


def _answered(place: Sweep) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    """Addresses in `responses`, from the sealed table or from the parts."""
    sealed = place.sealed("responses")
    files = [sealed] if sealed.exists() else sorted((place.work / "responses").glob("*.parquet"))
    columns = [pq.read_table(file, columns=["ip"], partitioning=None) for file in files]
    joined = pa.concat_tables(columns)["ip"] if columns else pa.array([], pa.uint32())
    return np.asarray(joined, dtype=np.uint32)
