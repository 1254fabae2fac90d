import ast

import pytest

from tools import names


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("held_back", ["held", "back"]),
        ("_HeldBack", ["held", "back"]),
        ("SCPTold2", ["scp", "told2"]),
        ("foundation", ["foundation"]),
        ("LOWEST", ["lowest"]),
    ],
)
def test_words_of_a_name(name: str, words: list[str]) -> None:
    """Names of both styles are split where their words begin; a word inside of another is none."""
    assert names.words(name) == words


@pytest.mark.parametrize(
    "code",
    [
        "told = 1",
        "def ask(): pass",
        "def f(found): pass",
        "def f(*, is_held): pass",
        "class Told: pass",
        "class C:\n    asked: int",
        "self.whose = 1",
        "for chosen in (): pass",
    ],
)
def test_odd_names_are_seen(code: str) -> None:
    """Whatever defines a name is looked at: variables, functions, parameters, classes, fields and attributes."""
    [odd] = names.odd_names("pipeline/x.py", ast.parse(code))
    assert str(odd).startswith("pipeline/x.py:") and "; use " in str(odd)


@pytest.mark.parametrize("code", ["held_back = 1", "print(told)", "foundation = 1", "import told", "x = y.found"])
def test_good_names_pass(code: str) -> None:
    """Public names pass, and so do uses of a name, which its definition answers for."""
    assert not list(names.odd_names("pipeline/x.py", ast.parse(code)))


def test_sizes() -> None:
    """A method's own object, and a docstring's lines, do not count."""
    tree = ast.parse(
        'class C:\n    def f(self, a, *, b):\n        """One.\n\n        Two.\n        """\n        return a\n'
    )
    assert [(size.counted, size.size) for size in names.sizes("pipeline/x.py", tree)] == [
        ("lines of f", 2),
        ("parameters of f", 2),
        ("lines of the file", 7),
    ]


def test_options_of_a_command_are_no_parameters() -> None:
    """A command takes what people may type; its private helpers do not."""
    tree = ast.parse("def f(a, b, c, d, e, f, g): pass\ndef _f(a, b, c, d, e, f, g): pass")
    large = [size.counted for size in names.too_large("pipeline/commands/x.py", tree)]
    assert large == ["parameters of _f"]
