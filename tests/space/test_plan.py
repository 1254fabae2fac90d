"""The plan: what it is made of, and that nobody changes it unnoticed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from pipeline.config import CapsSection, Config, SweepSection, TargetsSection
from pipeline.enrich import databases
from pipeline.errors import GuardError, InputError
from pipeline.space import listing
from pipeline.space import plan as plans
from pipeline.space.atlas import Atlas
from pipeline.space.listing import parse
from pipeline.space.plan import Plan
from pipeline.space.ranges import Ranges
from tests.lake import old

#: The bundled country table, and no networks.
ATLAS = databases.load(None, None)
INCLUDE = ("20.0.0.0/24", "9.255.255.250-10.0.0.5")
EXCLUDE = ("20.0.0.64/26",)


def freeze(
    *,
    include: tuple[str, ...] = INCLUDE,
    include_files: tuple[str, ...] = (),
    exclude: tuple[str, ...] = EXCLUDE,
    sample: float | int = 1.0,
    rate: int = 10,
    caps: CapsSection = CapsSection(),
    places: Atlas = ATLAS,
) -> Plan:
    config = Config(
        sweep=SweepSection(name="trial", ports=(104, 11112), seed=7, rate=rate, shards=3, sample=sample),
        targets=TargetsSection(include=include, include_files=include_files, exclude=exclude),
        caps=caps,
    )
    return plans.freeze(
        config,
        Path(),
        created="2026-02-11T10:00:00Z",
        code_version="1",
        requests={"104": "00ff"},
        atlas=places,
    )


def variants(value: Any) -> Iterator[Any]:
    """The value with each thing in it changed, one at a time."""
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            for other in variants(getattr(value, name)):
                yield msgspec.structs.replace(value, **{name: other})
    elif isinstance(value, tuple):
        yield value[:-1] if value else ("x",)
        for place, item in enumerate(value):
            for other in variants(item):
                yield (*value[:place], other, *value[place + 1 :])
    elif isinstance(value, dict):
        yield {}
        yield {**value, "more": "x"}
    elif value is None:
        yield 1.0
    else:
        yield value + (1 if isinstance(value, int | float) else "x")


def test_digest_covers_everything() -> None:
    """A plan with anything in it changed has another digest, and reading it back is refused."""
    plan = freeze()
    covered = [name for name in plan.__struct_fields__ if name != "digest"]
    digests = set()
    for name in covered:
        for other in variants(getattr(plan, name)):
            changed = msgspec.structs.replace(plan, **{name: other})
            digests.add(plans.digest(changed))
            assert plans.digest(changed) != plan.digest, name
            with pytest.raises(
                (GuardError, InputError), match=r"changed after it was frozen|is not a plan|of a later version"
            ):
                plans.decode(plans.encode(changed), "plan.json")
    assert len(digests) > len(covered)


def test_differences_name_their_cause() -> None:
    """The first difference named is the setting that was changed, not what follows from it."""
    plan = freeze()
    assert list(plans.differences(plan, plan)) == []
    sampled = freeze(sample=0.5)
    assert next(plans.differences(plan, sampled)) == "settings.sample"
    excluded = freeze(exclude=("20.0.0.0/25",))
    assert list(plans.differences(plan, excluded))[:3] == [
        "digests.target_space",
        "digests.exclusions",
        "digests.configuration",
    ]


def test_a_cap_lowers_the_rate() -> None:
    """A rate that would break a cap is lowered, the plan says by which, and the expected load is below the cap."""
    wide = ("20.0.0.0/12",)
    capped = freeze(include=wide, caps=CapsSection(per_slash24_hour=60), rate=1000)
    free = freeze(include=wide, rate=1000)
    assert (free.settings.rate, free.pace.lowered_by) == (1000, "") and free.pace.per_slash24_hour > 60
    assert 1 <= capped.settings.rate < 1000 and capped.pace.asked == 1000
    assert capped.pace.lowered_by == "caps.per_slash24_hour = 60"
    assert capped.pace.per_slash24_hour < 60


def test_caps_of_a_24_and_of_a_network_hold(tmp_path: Path) -> None:
    """With both caps the stricter one sets the rate, and in every hour of the walk neither /24 nor network gets more."""
    writer = MMDBWriter(ip_version=4, database_type="made-up-asn")
    writer.insert_network(IPSet(["193.62.0.0/20"]), {"asn": 786, "name": "Jisc"})
    writer.to_db_file(str(tmp_path / "asn.mmdb"))
    both = databases.load(None, tmp_path / "asn.mmdb")
    caps = CapsSection(per_slash24_hour=400, per_network_hour=2000)
    plan = freeze(include=("asn:786", "20.0.0.0/16"), exclude=(), rate=1000, caps=caps, places=both)
    assert plan.pace.lowered_by == "caps.per_network_hour = 2000" and plan.settings.rate < plan.pace.asked
    walk, hour = plan.walk(), plan.settings.rate * 3600
    lengths = [(last - first) * len(walk.ports) for first, last in map(walk.bounds, range(walk.shards))]
    order = np.concatenate([walk.targets(shard, 0, length)[0] for shard, length in enumerate(lengths)])
    janet = Ranges.of([parse("193.62.0.0/20", "here")])
    for begin in range(0, len(order), hour):
        sent = order[begin : begin + hour]
        assert janet.contains(sent).sum() <= 2000
        assert np.unique(sent >> 8, return_counts=True)[1].max() <= 400


def test_an_impossible_cap_is_refused() -> None:
    """A cap that one probe a second would break is refused with its key."""
    with pytest.raises(InputError, match=r"key caps\.per_slash24_hour: 5 probes"):
        freeze(caps=CapsSection(per_slash24_hour=5))


def test_countries_add_up() -> None:
    """The countries of a plan add up to its target space."""
    plan = freeze(include=("193.60.0.0/14", "20.0.0.0/16"), exclude=())
    assert dict(plan.countries)["GB"] > 0
    assert sum(addresses for _, addresses in plan.countries) == plan.addresses


def test_round_trip() -> None:
    """A plan that was written is read back equal, and freezing twice gives the same digest."""
    plan = freeze()
    assert plans.decode(plans.encode(plan), "plan.json") == plan == freeze()


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"format": "x"}'])
def test_no_plan(data: bytes) -> None:
    """What is no plan at all is refused as wrong input, with its name."""
    with pytest.raises(InputError, match=r"plan\.json"):
        plans.decode(data, "plan.json")


@pytest.mark.parametrize("extra", ["10.0.0.0/30", "127.0.0.1", "224.0.0.0/4", "192.168.7.7"])
def test_special_purpose_is_barred(extra: str) -> None:
    """Special-purpose addresses in a plan are found even if its digests are right and it forbids nothing; it can be read."""
    plan = freeze()
    ranges = Ranges.of([*plan.ranges, parse(extra, "here")])
    digests = msgspec.structs.replace(plan.digests, target_space=ranges.digest, exclusions=Ranges.of(()).digest)
    forged = msgspec.structs.replace(
        plan, ranges=tuple(ranges.pairs()), addresses=ranges.count, forbidden=(), digests=digests
    )
    forged = msgspec.structs.replace(forged, digest=plans.digest(forged))
    barred = plans.barred(plans.decode(plans.encode(forged), "plan.json"))
    assert barred.pairs() == Ranges.of([parse(extra, "here")]).pairs()
    assert not plans.barred(plan).count


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("digest", {"digest": "0" * 64}),
        ("addresses", {"addresses": 199}),
        ("sampled_addresses", {"sampled_addresses": 199}),
        ("sampled_addresses", {"sampled_addresses": 0}),
        ("digests.target_space", {"ranges": ((20 << 24, (20 << 24) + 197),), "forbidden": ()}),
        ("digests.exclusions", {"forbidden": ()}),
    ],
)
def test_a_forged_plan_is_refused_by_its_field(field: str, changed: dict[str, Any]) -> None:
    """What does not fit the rest of a plan is named, whether or not the plan's own digest was made over it."""
    forged = msgspec.structs.replace(freeze(), **changed)
    if field != "digest":
        forged = msgspec.structs.replace(forged, digest=plans.digest(forged))
    with pytest.raises(GuardError, match=rf"plan\.json: .*\(field {field}\)"):
        plans.decode(plans.encode(forged), "plan.json")


def test_excluded_is_never_emitted() -> None:
    """No target of any shard is excluded or special-purpose, and all the others are there."""
    plan = freeze()
    walk = plan.walk()
    emitted = np.concatenate(
        [
            walk.targets(shard, part.first_index, part.last_index + 1)[0]
            for shard in range(walk.shards)
            for part in walk.ranges(shard)
        ]
    )
    assert not Ranges.of([parse(block, "here") for block in EXCLUDE]).contains(emitted).any()
    assert not listing.special_purpose().ranges.contains(emitted).any()
    assert plan.addresses == 192 + 6
    assert len(emitted) == plan.targets == 2 * plan.addresses


@pytest.mark.parametrize("include", [("10.0.0.0/8",), ("20.0.0.64/26",), ("192.0.2.0/24", "20.0.0.64")])
def test_nothing_left(include: tuple[str, ...]) -> None:
    """A configuration whose targets are all excluded is refused."""
    with pytest.raises(InputError, match="nothing is left"):
        freeze(include=include)


@pytest.mark.parametrize(("sample", "addresses"), [(1.0, 198), (0.5, 99), (0.01, 2), (1, 1), (198, 198)])
def test_sample(sample: float | int, addresses: int) -> None:
    """A share is rounded to whole addresses and a number is taken as it is."""
    assert freeze(sample=sample).sampled_addresses == addresses


def test_files_without_an_address_are_refused(tmp_path: Path) -> None:
    """Target files that hold comments alone are told from a space that the exclusions emptied."""
    (tmp_path / "none.txt").write_text("# nobody yet\n")
    with pytest.raises(InputError, match="key targets: names no address"):
        freeze(include=(), include_files=(str(tmp_path / "none.txt"),))


@pytest.mark.parametrize("sample", [0, 199, 0.001, -1])
def test_sample_bounds(sample: float | int) -> None:
    """A sample of no address, or of more than there are, is refused."""
    with pytest.raises(InputError, match=r"sweep\.sample: asks for"):
        freeze(sample=sample)


def test_our_own_list_is_never_probed() -> None:
    """What stands in the never-touch list is taken out of every plan, and says how much that was."""
    plan = freeze(include=("198.41.0.0/24",), exclude=())
    assert plan.addresses == 255
    assert ("never-touch list", 1) in [(part.name, part.addresses) for part in plan.excluded]


def test_overlapping_targets_are_refused() -> None:
    """A configuration that names addresses twice is refused with both places."""
    with pytest.raises(InputError, match=r"targets\.include\[1\]: 20\.0\.0\.7 overlaps 20\.0\.0\.0/24"):
        freeze(include=("20.0.0.0/24", "20.0.0.7"))


def test_countries_as_targets() -> None:
    """A country set is all its addresses but those that are never probed."""
    plan = freeze(include=("country:GB",), exclude=())
    assert plan.countries == (("GB", plan.addresses),) and plan.addresses > 10**7


def test_the_last_form_is_today() -> None:
    """A plan has the fields of its last form: whoever adds one raises the format, says what held before it, and notes the form."""
    number, fields = old.plan_forms()[-1]
    sections = {name.partition(".")[0] for name in fields if "." in name}
    told = msgspec.to_builtins(freeze())
    found = {f"{name}.{key}" for name in sections for key in told[name]} | (told.keys() - sections)
    assert (plans.FORMAT, found) == (number, fields)


@pytest.mark.parametrize("form", range(len(old.plan_forms())))
def test_earlier_forms(form: int) -> None:
    """A plan of an earlier form has its own digest, what it told, and of what it did not know: that nothing of it was done.

    Those from before targets were ordered as today are refused in one sentence.
    """
    number, fields = old.plan_forms()[form]
    today = freeze()
    data = old.plan(msgspec.to_builtins(today), number, fields)
    if "associate.processes" not in fields:
        with pytest.raises(InputError, match=f"plan.json: is a plan of format {number}, before 24 November 2026; this"):
            plans.decode(data, "plan.json")
        return
    plan = plans.decode(data, "plan.json")
    assert plan.digest == msgspec.json.decode(data)["digest"] and (plan.digest == today.digest) == (number == 4)
    assert plan.ranges == today.ranges and plan.settings == today.settings
    if number < 4:
        assert (plan.harm, plan.own, plan.probe.processes) == (None, None, 1)
    if "loss.sample" not in fields:
        assert plan.loss.sample == plan.control.sample == 0 and plan.probes == plan.targets
    if "alarm.fall" not in fields:
        assert plan.alarm.false_alarms == 0
    with pytest.raises(GuardError, match="changed after it was frozen"):
        plans.decode(data.replace(b'"seed":7', b'"seed":8'), "plan.json")


def test_later_formats_are_refused() -> None:
    """A plan of a later format may say what this version does not know: it is not read."""
    later = msgspec.structs.replace(freeze(), format=5)
    with pytest.raises(
        InputError, match="is a plan of format 5, of a later version; this version reads formats 2 to 4"
    ):
        plans.decode(plans.encode(later), "plan.json")
