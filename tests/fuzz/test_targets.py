"""Every decoder has a fuzz target, and every target passes on its seeds and on their mutations."""

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pipeline.wire
from fuzz.target import Target
from fuzz.targets import TARGETS

NAMES = sorted(TARGETS)
#: Cuts of a seed of a target that takes long.
CUTS = 30
#: Types of a decoder's first parameter: bytes of a peer, or a part cut out of them.
OF_A_PEER = {"bytes", "bytes | bytearray", "Frame", "Item"}


def decoders() -> Iterator[Callable[..., object]]:
    """The public functions of `pipeline/wire` that take bytes of a peer."""
    for module_info in pkgutil.iter_modules(pipeline.wire.__path__):
        module = importlib.import_module(f"pipeline.wire.{module_info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            parameters = list(inspect.signature(function).parameters.values())
            is_public = function.__module__ == module.__name__ and not name.startswith("_")
            if is_public and parameters and inspect.formatannotation(parameters[0].annotation) in OF_A_PEER | ANNOTATED:
                yield function


ANNOTATED = {"pipeline.wire.pdu.Frame", "pipeline.wire.item.Item"}


def reached(target: Target) -> set[CodeType]:
    """The code that a target runs on its seeds."""
    seen: set[CodeType] = set()

    def record(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            seen.add(frame.f_code)

    sys.setprofile(record)
    try:
        for seed in target.seeds():
            target.run(seed)
    finally:
        sys.setprofile(None)
    return seen


def test_every_decoder_has_a_target() -> None:
    """Every function that takes bytes of a peer has a fuzz target."""
    existing = {f"{decoder.__module__}.{decoder.__qualname__}" for decoder in decoders()}
    covered = {
        f"{decoder.__module__}.{decoder.__qualname__}" for target in TARGETS.values() for decoder in target.decoders
    }
    assert len(existing) >= 25
    assert existing - covered == set()


@pytest.mark.parametrize("name", NAMES)
def test_targets_reach_their_decoders(name: str) -> None:
    """Each target runs all its decoders on its seeds alone."""
    seen = reached(TARGETS[name])
    assert [d.__qualname__ for d in TARGETS[name].decoders if d.__code__ not in seen] == []


@pytest.mark.parametrize("name", NAMES)
def test_seeds_cut_anywhere(name: str) -> None:
    """Each seed passes, cut at any byte, or at some bytes if that takes long, and with trailing bytes."""
    target = TARGETS[name]
    for seed in target.seeds():
        target.run(seed + b"\0\xff\x50")
        for end in range(0, len(seed), 1 if target.is_quick else 1 + len(seed) // CUTS):
            target.run(seed[:end])


@pytest.mark.parametrize("name", NAMES)
@given(st.data())
def test_mutated_seeds(name: str, draw: st.DataObject) -> None:
    """Each seed passes with a few bytes changed, inserted or removed."""
    target = TARGETS[name]
    mutant = bytearray(draw.draw(st.sampled_from(target.seeds())))
    for at, cut, more in draw.draw(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 4), st.binary(max_size=4)))):
        mutant[at : at + cut] = more
    target.run(bytes(mutant))


@pytest.mark.parametrize("name", NAMES)
@given(st.binary(max_size=600))
def test_any_bytes(name: str, data: bytes) -> None:
    """Any bytes pass."""
    TARGETS[name].run(data)


@pytest.mark.parametrize("name", NAMES)
def test_long_inputs(name: str) -> None:
    """Inputs as long as a hostile peer's pass."""
    for filler in (b"\0", b"\xff", b"\x50\0\0\0", b"\x21\0\0\4\1\0\0\0", b"1.", b"\x04\0\0\0\0\x06\0\0\0\2\1\1"):
        TARGETS[name].run(filler * (20_000 // len(filler)))
