"""The tables of a sweep's method and target space."""

from typing import Any

import msgspec
import pytest

from pipeline import schema
from pipeline.config.sections import HarmSection
from pipeline.enrich import method
from pipeline.plan.plan import Plan
from pipeline.space.ranges import Ranges
from tests.plan import frozen

PLAN = msgspec.structs.replace(frozen.freeze(), harm=HarmSection())
#: Keys of the sections that decide what is found, which do not: names, parts, what is judged later, and the lab's own hosts.
#: `settings.rate` follows from `pace.asked` and the caps, `settings.sample` makes series impossible, and the engine's kind counts.
INDIFFERENT = {
    "settings": {"name", "shards", "rate", "sample"},
    "pace": {"lowered_by", "per_slash24_hour", "per_network_hour"},
    "probe": {"interface", "source", "senders", "gateway_mac", "engine"},
    "control": {"targets", "interval"},
    "harm": {"margin"},
}


def changed(section: str, key: str) -> Plan:
    """The plan with another value of a key."""
    document = msgspec.to_builtins(PLAN)
    value = document[section][key]
    others: dict[type, Any] = {
        str: "tls",
        bool: False,
        tuple: [4242],
        int: 4242,
        float: value / 2 if type(value) is float else 0,
    }
    other = others[type(value)]
    return msgspec.convert(document | {section: document[section] | {key: other}}, Plan)


@pytest.mark.parametrize("section", method.DECISIVE)
def test_each_key_that_decides_what_is_found_is_in_the_method(section: str) -> None:
    """Another cool-down, cap, seed, rate, port or second SYN is another method, and no other key of these sections is."""
    own = method.digest(PLAN, "ring")
    keys = msgspec.to_builtins(PLAN)[section].keys()
    assert keys == {*method.DECISIVE[section], *INDIFFERENT.get(section, ())}
    digests = {key: method.digest(changed(section, key), "ring") for key in keys - INDIFFERENT.get(section, set())}
    assert own not in digests.values() and len(set(digests.values())) == len(digests)


def test_what_is_sent_and_by_which_engine_is_in_the_method() -> None:
    """Another request byte or kind of engine is another method; the order of the ports is not, nor what a plan calls itself."""
    own = method.digest(PLAN, "ring")
    sent = msgspec.structs.replace(PLAN, requests={"104": "00fe"})
    backwards = msgspec.structs.replace(PLAN.settings, ports=PLAN.settings.ports[::-1], name="other", shards=1)
    assert own not in {method.digest(sent, "ring"), method.digest(PLAN, "connect")}
    assert own == method.digest(msgspec.structs.replace(PLAN, settings=backwards), "ring")


def test_tables() -> None:
    """The method is one row with its digests, the space one row per range."""
    ranges = Ranges.of([(1, 5), (9, 2**32 - 1)])
    space = msgspec.structs.replace(PLAN, ranges=tuple(ranges.pairs()))
    (row,) = method.methods(PLAN, "ring").to_pylist()
    assert row["plan_digest"] == PLAN.digest and row["space_digest"] == Ranges.of(PLAN.ranges).digest
    assert len(row["requests_digest"]) == 64
    pairs = [{"first": 1, "last": 5}, {"first": 9, "last": 2**32 - 1}]
    assert method.withheld(ranges).to_pylist() == pairs
    assert method.space(space).to_pylist() == [pair | {"inclusion": None} for pair in pairs]
    assert method.space(space).schema.equals(schema.table("space").arrow)


def test_the_space_of_a_focus_has_the_probability_of_each_stratum() -> None:
    """Each range is of one stratum, with its probability to be probed; both add up to what the plan probes."""
    plan = frozen.focused()
    rows = method.space(plan).to_pylist()
    assert plan.focus and [row["first"] for row in rows] == sorted(row["first"] for row in rows)
    known = [(row["first"], row["last"]) for row in rows if row["inclusion"] == 1]
    assert known == list(plan.focus.known)
    assert {row["inclusion"] for row in rows} == {1, plan.focus.inclusion}
    assert sum(row["last"] - row["first"] + 1 for row in rows) == plan.addresses


def test_a_focus_is_another_method() -> None:
    """Sweeps with other earlier sweeps or another sample are compared with none of these, and a plan without one is as it was."""
    plan = frozen.focused()
    assert plan.focus
    others = [msgspec.structs.replace(plan.focus, sweeps=("b",)), msgspec.structs.replace(plan.focus, sample=0.5), None]
    digests = {method.digest(msgspec.structs.replace(plan, focus=focus), "ring") for focus in (plan.focus, *others)}
    assert len(digests) == 4
