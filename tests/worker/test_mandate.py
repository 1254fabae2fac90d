"""A plan is run only as the lab signed it, and only if its content is what a plan may have."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from pipeline.config.sections import CompanionsSection, ControlSection, HarmSection, LossSection, Profile
from pipeline.errors import CensusError, GuardError
from pipeline.guard import sockets
from pipeline.lab import key
from pipeline.lake import layout, store
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.plan import plan as planning
from pipeline.plan.plan import Plan
from pipeline.record.rounds import Round
from pipeline.space.ranges import Ranges
from pipeline.sweep import freeze, run
from pipeline.worker import mandate
from pipeline.worker.mandate import Mandate
from tests.commands.running import write_config

replace = msgspec.structs.replace
PRIVATE = (10 << 24, (10 << 24) + 255)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """A plan of 256 addresses, of which 16 are excluded; with a cap."""
    config = Path(write_config(tmp_path))
    text = config.read_text().replace(
        "[identity]", 'exclude = ["198.51.99.0/28"]\n[caps]\nper_slash24_hour = 300\n[identity]'
    )
    config.write_text(text)
    return freeze.freeze(config)


def widened(plan: Plan, *more: tuple[int, int]) -> dict[str, Any]:
    """The fields of a plan with more targets, none of which is excluded."""
    ranges = Ranges.of([*plan.ranges, *more])
    forbidden = Ranges.of(plan.forbidden).subtract(Ranges.of(more))
    digests = replace(plan.digests, target_space=ranges.digest, exclusions=forbidden.digest)
    return {
        "ranges": tuple(ranges.pairs()), "forbidden": tuple(forbidden.pairs()), "digests": digests,
        "addresses": ranges.count, "sampled_addresses": ranges.count,
    }  # fmt: skip


def control(*targets: str) -> Callable[[Plan], dict[str, Any]]:
    return lambda plan: {"control": ControlSection(port=50000, targets=targets)}


#: What an attacker would change in a plan that lies in a lake.
CHANGES: dict[str, Callable[[Plan], dict[str, Any]]] = {
    "an exclusion taken out": lambda plan: widened(plan, (0xC6336300, 0xC633630F)),
    "a special-purpose block": lambda plan: widened(plan, PRIVATE),
    "a hundredfold rate": lambda plan: {"settings": replace(plan.settings, rate=10_000), "pace": replace(plan.pace, requested=10_000)},
    "a cap": lambda plan: {"caps": replace(plan.caps, per_slash24_hour=0)},
    "a register that opts nobody out": lambda plan: {"register": "/dev/null"},
    "control targets of others": control("198.51.100.1:104"),
    "private control targets": control("10.0.0.1:104"),
    "a harm check": lambda plan: {"harm": HarmSection(sample=0.5)},
    "another profile": lambda plan: {"settings": replace(plan.settings, profile=Profile.ECHO)},
    "other requests": lambda plan: {"requests": plan.requests | {"request": "00"}},
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_plan_that_was_changed_and_digested_again(
    plan: Plan, change: Callable[[Plan], dict[str, Any]], tmp_path: Path
) -> None:
    """Whatever was changed after freezing, and although its digest is right and the file can be read, the plan is not run."""
    mandate.require(plan)
    forged = replace(plan, **change(plan))
    forged = replace(forged, digest=planning.digest(forged))
    store.write(tmp_path / "plan.json", planning.encode(forged))
    read = layout.read_plan(tmp_path / "plan.json")
    with pytest.raises(GuardError, match="changed after it was signed"):
        mandate.require(read)
    with pytest.raises(GuardError):
        freeze.require_fit(read)


def test_a_signature_over_another_digest(plan: Plan) -> None:
    """Content that does not have the digest that was signed is refused."""
    with pytest.raises(GuardError, match=r"field digest"):
        mandate.require(replace(plan, register="/dev/null"))


def test_a_plan_without_a_signature(plan: Plan, tmp_path: Path) -> None:
    """A plan without a signature can be read, as those of earlier versions are, and is not run."""
    store.write(tmp_path / "plan.json", planning.encode(replace(plan, signature=None)))
    read = layout.read_plan(tmp_path / "plan.json")
    with pytest.raises(GuardError, match="is not signed.* so it is not run; plan again"):
        mandate.require(read)


def test_a_plan_of_another_lab(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that somebody else signed, whole and consistent, is not run here."""
    monkeypatch.setenv(key.KEYS, str(tmp_path / "theirs"))
    theirs = freeze.sign_plan(plan)
    monkeypatch.undo()
    with pytest.raises(GuardError, match="which this machine does not trust"):
        mandate.require(theirs)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda plan: widened(plan, PRIVATE), "ranges"),
        (lambda plan: {"settings": replace(plan.settings, rate=10_000)}, "settings.rate"),
        (lambda plan: {"caps": replace(plan.caps, per_slash24_hour=10)}, "caps.per_slash24_hour"),
        (control("10.0.0.1:104"), "control.targets"),
        (control("198.51.99.1:104", "224.0.0.1:104"), "control.targets"),
    ],
)
def test_what_no_plan_may_have(plan: Plan, change: Callable[[Plan], dict[str, Any]], field: str) -> None:
    """What was checked when a plan was frozen is checked again where it is run, even if the lab signed it."""
    with pytest.raises(GuardError, match=rf"\(field {field}\)"):
        mandate.require(freeze.sign_plan(replace(plan, **change(plan))))


@pytest.fixture
def granted(plan: Plan, tmp_path: Path) -> Mandate:
    return Mandate.proved(Sweep(plan, SweepPaths(tmp_path, plan.sweep)))


def test_only_ranges_of_the_plan(granted: Mandate) -> None:
    """Each range of the plan may be run, and no other slice of it."""
    walk = granted.sweep.walk
    for shard in range(walk.shards):
        for range_ in walk.ranges(shard):
            granted.require_range(shard, range_.number, (range_.first_index, range_.last_index))
    last = list(walk.ranges(0))[-1]
    wrong = [
        (walk.shards, 0, (0, 1)),
        (-1, 0, (0, 1)),
        (0, last.number + 1, (last.last_index + 1, last.last_index + 1)),
    ]
    wrong += [(0, last.number, (last.first_index, last.last_index + 1)), (0, -1, (0, 1))]
    for shard, number, bounds in wrong:
        with pytest.raises(GuardError, match="the plan has no"):
            granted.require_range(shard, number, bounds)


def test_a_key_that_is_no_longer_trusted(granted: Mandate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the key is taken away in the middle of a sweep, no further range begins."""
    range_ = next(granted.sweep.walk.ranges(0))
    monkeypatch.setenv(key.KEYS, str(tmp_path / "revoked"))
    with pytest.raises(GuardError, match="does not trust"):
        granted.require_range(0, 0, (range_.first_index, range_.last_index))


def test_only_targets_of_the_plan(plan: Plan, tmp_path: Path) -> None:
    """An associator visits targets of the plan alone: its addresses, its ports, and in each round only what that round visits.
    Whoever answers a second SYN alone is visited with the probes, so all ports are then."""
    settings = replace(plan.settings, ports=(104, 2762), shards=1, profile=Profile.TLS)
    wide = Sweep(replace(plan, settings=settings, range_targets=1000), SweepPaths(tmp_path, plan.sweep))
    inside, outside = 0xC6336320, 0xC6336301
    addresses = np.array([inside, inside, inside, outside, 0x08080808], dtype=np.uint32)
    ports = np.array([104, 2762, 22, 2762, 2762], dtype=np.uint16)

    def allowed(sweep: Sweep, round_: Round, shard: int = 0, number: int = 0) -> list[bool]:
        return Mandate.of(sweep).allows(round_, shard, number, (addresses, ports)).tolist()

    assert allowed(wide, Round.PROBES) == [True, True, False, False, False]
    once = Sweep(replace(wide.plan, loss=LossSection(sample=0.0)), wide.paths)
    assert allowed(once, Round.PROBES) == [False, True, False, False, False]
    assert allowed(wide, Round.SECOND_VISITS, number=1) == [True, True, False, False, False]
    for round_, shard, number in (
        (Round.HARM_CHECKS, 0, 2),
        (Round.PROBES, 0, 1),
        (Round.PROBES, 1, 0),
        (Round.SECOND_VISITS, 0, 0),
    ):
        assert not any(allowed(wide, round_, shard, number))
    assert not any(allowed(Sweep(plan, wide.paths), Round.SECOND_VISITS, number=1))
    with pytest.raises(GuardError, match="nothing was sent to it"):
        Mandate.of(wide).require_visits(Round.PROBES, 0, 0, (addresses, ports))
    harmful = Sweep(replace(wide.plan, harm=HarmSection(sample=0.5)), wide.paths)
    assert allowed(harmful, Round.HARM_CHECKS, number=2) == [True, True, False, False, False]


def test_what_is_said_of_signatures(plan: Plan, tmp_path: Path) -> None:
    """`census verify` says that a plan has no signature, and does not accept one that is not over its digest."""
    assert list(run.unsigned(plan)) == []
    assert "is not signed" in next(run.unsigned(replace(plan, signature=None)))
    forged = replace(plan, signature=replace(plan.signature, value="00" * 64))
    with pytest.raises(CensusError, match="has a signature that is not over its digest"):
        run.require_verified(Sweep(forged, SweepPaths(tmp_path, plan.sweep)))


def test_companion_syns_are_a_minute_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of a testbed, companion SYNs to one address that follow sooner than a minute are refused, with what to set."""
    six = CompanionsSection(ports=(80, 443, 8042, 8043, 8080, 2575), delay=300.0)
    with pytest.raises(
        GuardError, match=r"every 50 s: outside of a testbed they are 60 s apart .* set it to 360 or more"
    ):
        mandate.require_apart(six)
    mandate.require_apart(replace(six, delay=360.0))
    mandate.require_apart(CompanionsSection())
    mandate.require_apart(CompanionsSection(ports=six.ports))
    monkeypatch.setattr(sockets, "in_closed_testbed", lambda: True)
    mandate.require_apart(replace(six, delay=0.5))
