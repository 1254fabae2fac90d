"""The engines: each row is complete, every reader of a name reads this table, and no other code has an engine's name."""

import ast
import inspect
from pathlib import Path

import msgspec
import pytest

from pipeline.config.sections import ProbeSection
from pipeline.engines import Engine
from pipeline.outcome import CloseStage
from pipeline.rings.open import OpenRings, opener

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("engine", Engine)
def test_each_engine_is_read_by_its_name(engine: Engine) -> None:
    """A configuration and a plan name an engine by its value, and get its row back."""
    section = msgspec.convert({"engine": str(engine)}, ProbeSection)
    assert section.engine is engine
    assert msgspec.to_builtins(section)["engine"] == engine.value
    assert msgspec.json.decode(msgspec.json.encode(section), type=ProbeSection) == section


@pytest.mark.parametrize("engine", Engine)
def test_each_row_is_whole(engine: Engine) -> None:
    """An engine is explained in one sentence, and its kind is the name of an engine of that kind."""
    assert engine.explanation[0].isupper() and engine.explanation.endswith(".")
    assert Engine(engine.kind).kind == engine.kind
    assert engine.retransmits >= 0


@pytest.mark.parametrize("engine", [engine for engine in Engine if engine.raw])
def test_each_raw_engine_opens_rings(engine: Engine) -> None:
    """The module that a row names has the function that opens its rings, with the parameters of the Protocol."""
    expected = list(inspect.signature(OpenRings.__call__).parameters)[1:]
    assert list(inspect.signature(opener(engine)).parameters) == expected


def test_no_name_is_written_elsewhere() -> None:
    """Code that depends on the engine reads its row: no string of the code is the name of an engine."""
    strings = [
        (path.relative_to(ROOT).as_posix(), node.value)
        for folder in ("pipeline", "flows")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and node.value in set(Engine)
    ]
    assert [pair for pair in strings if pair[0] != "pipeline/engines.py"] == [
        ("pipeline/outcome.py", CloseStage.CONNECT)
    ]
