"""The plan: its format, and the detection of every change."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from pipeline.errors import GuardError, InputError
from pipeline.plan import plan as plans
from pipeline.space.address_list import parse
from pipeline.space.ranges import Ranges
from tests.lake import old
from tests.plan.frozen import freeze


def variants(value: Any) -> Iterator[Any]:
    """The value with each of its parts changed, one at a time."""
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
    """A plan with any change has another digest, and is refused when it is read."""
    plan = freeze()
    covered = [name for name in plan.__struct_fields__ if name not in plans.UNDIGESTED]
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


def test_round_trip() -> None:
    """A plan that was written is read back equal, and freezing twice gives the same digest."""
    plan = freeze()
    assert plans.decode(plans.encode(plan), "plan.json") == plan == freeze()


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"format": "x"}', b'{"tls": 5}', b'{"alarm": null}'])
def test_no_plan(data: bytes) -> None:
    """A file that is not a plan is refused as wrong input, with its name."""
    with pytest.raises(InputError, match=r"plan\.json"):
        plans.decode(data, "plan.json")


@pytest.mark.parametrize("extra", ["10.0.0.0/30", "127.0.0.1", "224.0.0.0/4", "192.168.7.7"])
def test_special_purpose_is_barred(extra: str) -> None:
    """Special-purpose addresses in a plan are reported even if its digests are right and nothing is forbidden; it can be read."""
    plan = freeze()
    ranges = Ranges.of([*plan.ranges, parse(extra, "here")])
    digests = msgspec.structs.replace(plan.digests, target_space=ranges.digest, exclusions=Ranges.of(()).digest)
    forged = msgspec.structs.replace(
        plan, ranges=tuple(ranges.pairs()), addresses=ranges.count, forbidden=(), digests=digests
    )
    forged = msgspec.structs.replace(forged, digest=plans.digest(forged))
    barred = plans.blocklisted(plans.decode(plans.encode(forged), "plan.json"))
    assert barred.pairs() == Ranges.of([parse(extra, "here")]).pairs()
    assert not plans.blocklisted(plan).count


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
    """A field that does not fit the rest of a plan is named, even if the plan's own digest was made over it."""
    forged = msgspec.structs.replace(freeze(), **changed)
    if field != "digest":
        forged = msgspec.structs.replace(forged, digest=plans.digest(forged))
    with pytest.raises(GuardError, match=rf"plan\.json: .*\(field {field}\)"):
        plans.decode(plans.encode(forged), "plan.json")


def test_the_last_form_is_today() -> None:
    """A plan has the fields of its last form. A new field needs a new format, a value for earlier plans, and an entry in the forms."""
    number, fields = old.plan_forms()[-1]
    sections = {name.partition(".")[0] for name in fields if "." in name}
    document = msgspec.to_builtins(freeze())
    names = {f"{name}.{key}" for name in sections for key in document[name]} | (document.keys() - sections)
    assert (plans.FORMAT, names) == (number, fields)


@pytest.mark.parametrize("form", range(len(old.plan_forms())))
def test_earlier_forms(form: int) -> None:
    """A plan of an earlier form keeps its digest and fields; a field that it lacks means that the feature was not used.

    Plans with another order of targets are refused in one sentence.
    """
    number, fields = old.plan_forms()[form]
    today = freeze()
    data = old.plan(msgspec.to_builtins(today), number, fields)
    if "associate.processes" not in fields:
        with pytest.raises(InputError, match=f"plan.json: is a plan of format {number}, before 24 November 2026; this"):
            plans.decode(data, "plan.json")
        return
    plan = plans.decode(data, "plan.json")
    assert plan.digest == msgspec.json.decode(data)["digest"] and (plan.digest == today.digest) == (
        number == plans.FORMAT
    )
    assert plan.ranges == today.ranges and plan.settings == today.settings
    if number < 4:
        assert (plan.harm, plan.signed_ranges, plan.probe.processes) == (None, None, 1)
    if "loss.sample" not in fields:
        assert plan.loss.sample == plan.control.sample == 0 and plan.probes == plan.targets
    if "alarm.fall" not in fields:
        assert plan.alarm.false_alarms == 0
    with pytest.raises(GuardError, match="changed after it was frozen"):
        plans.decode(data.replace(b'"seed":7', b'"seed":8'), "plan.json")


def test_later_formats_are_refused() -> None:
    """A plan of a later format may have fields that this version does not know: the plan is refused."""
    later = msgspec.structs.replace(freeze(), format=14)
    with pytest.raises(
        InputError, match="is a plan of format 14, of a later version; this version reads formats 2 to 13"
    ):
        plans.decode(plans.encode(later), "plan.json")
