from pathlib import Path

import pytest

from tools import texts


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(texts, "ROOT", tmp_path)
    return tmp_path


def write(tree: Path, name: str, text: str) -> None:
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pipeline/space/x.py", "raise InputError(where, f'{text!r} is no address')"),
        ("pipeline/commands/x.py", 'def go():\n    """Tell who measures."""'),
        ("flows/x.py", "TITLE = 'by the measured'"),
        ("analysis/marts/x.sql", "-- Question: What came of it?"),
        ("schemas/x.toml", 'null = "none was asked"'),
        ("pipeline/publish/x.html.j2", "<p>Beside the rest</p>"),
    ],
)
def test_phrases_are_seen(tree: Path, name: str, text: str) -> None:
    """A banned phrase is named with its file and line, wherever people read it."""
    write(tree, name, text)
    [phrase] = texts.phrases()
    assert str(phrase).startswith(f"{name}:") and "; write " in str(phrase)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pipeline/space/x.py", 'def f():\n    """Tell a reader of the code."""\n    told = "told"'),
        ("pipeline/space/x.py", "TEXT = 'there is no such sweep'"),
        ("pipeline/space/x.py", "TEXT = 'is no longer needed; besides, no data is asked for'"),
        ("analysis/marts/x.sql", "SELECT told FROM x"),
    ],
)
def test_other_words_pass(tree: Path, name: str, text: str) -> None:
    """Docstrings that no command prints, single words, code of SQL and good English pass."""
    write(tree, name, text)
    assert not list(texts.phrases())
