"""Names and sizes over the whole tree: one name for one thing, the field's nouns, functions that fit a screen.

Code above a limit and names that occur twice are listed, names with a reason; an entry that no longer applies fails.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator

from tools import names

#: Functions and files above the limits, and their sizes.
LARGE = {
    ("pipeline/associate/conversation.py", "lines of the file"): 361,
}

#: Names of several classes, and why each name is right in its folder.
CLASSES: dict[str, str] = {}

#: Names of several files, and why each name is right in its folder.
FILES = {
    "connections.py": "of the scanner, in probe, and of the simulated Internet, which shares nothing with it",
    "data.py": "P-DATA, in wire, and the data of a report, in publish",
    "report.py": "the flow and the module of pipeline that it calls",
    "run.py": "a sweep and a testbed are run",
}


def test_no_odd_names() -> None:
    """No name has a word of the lint's table."""
    assert not [str(name) for path, tree in names.modules() for name in names.odd_names(path, tree)]


def test_nothing_is_too_large() -> None:
    """No function takes more than 6 parameters or has more than 40 lines without its docstring, no file more than 300."""
    large = {
        (size.path, size.counted): size.size for path, tree in names.modules() for size in names.too_large(path, tree)
    }
    assert large == LARGE


def test_no_class_name_twice() -> None:
    """Each class name means one thing in the whole program."""
    assert (
        twice(
            (node.name, f"{path}:{node.lineno}")
            for path, tree in names.modules()
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
        ).keys()
        == CLASSES.keys()
    )


def test_no_file_name_twice() -> None:
    """No two files share a name, except the names in the table."""
    files = ((path.rpartition("/")[2], path) for path, _ in names.modules())
    assert twice((name, path) for name, path in files if name != "__init__.py").keys() == FILES.keys()


def twice(named: Iterator[tuple[str, str]]) -> dict[str, list[str]]:
    """The names that occur at several places, with the places."""
    places = defaultdict(list)
    for name, place in named:
        places[name].append(place)
    return {name: where for name, where in places.items() if len(where) > 1}
