"""A lint of names and sizes: `python -m tools.names` prints file:line, the fault, and the replacement.

Names are the field's nouns: a participle or a pronoun (`told`, `found`, `whose`) says of a value only that some action took
place. A function fits a screen, and its arguments fit one line.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGES = ("pipeline", "flows")

MOST_PARAMETERS = 6
MOST_LINES = 40
MOST_FILE_LINES = 300

#: A word that may not be part of a name, and its replacement.
INSTEAD = {
    **dict.fromkeys(("told", "tell", "tells"), "the value's noun (result, status, text); show, report or classify"),
    **dict.fromkeys(("asked", "ask", "asks", "asking"), "probed, requested, query, request, lookup or liveness"),
    "found": "the value's noun (rows, match, hits)",
    "chosen": "the value's noun (selection, sample)",
    **dict.fromkeys(("held", "hold", "holds"), "paused, deferred or leased"),
    **dict.fromkeys(("say", "says", "said"), "send, print, message or claimed"),
    "heard": "received, or the reply",
    **dict.fromkeys(("whose", "whom"), "owner, or the noun that is meant"),
    **dict.fromkeys(("stand", "stands", "stood"), "paths, process, or is"),
    "beside": "extra, next_to or also",
    "anew": "again",
}

#: Names that may stay in any file, as people's SQL, configuration files, plans and lakes use them.
PUBLIC = frozenset({"held_back"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


class OddName(NamedTuple):
    """A name with a banned word: its file below the root, its line, and the replacement."""

    path: str
    line: int
    name: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: name {self.name!r}; use {self.instead}"


class Size(NamedTuple):
    """A size and its limit: its file below the root, its line, and what was counted."""

    path: str
    line: int
    counted: str
    size: int
    most: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.counted}: {self.size}; at most {self.most}"


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Yield the name below the root and the syntax tree of each module."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


def identifiers(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield each name that a module defines, with its line: classes, functions, parameters, variables, attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, node.lineno
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.arg(arg=name):
                yield name, node.lineno


def words(name: str) -> list[str]:
    """Split a name of snake_case or CamelCase into its words, in lower case."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)]


def odd_names(path: str, tree: ast.Module) -> Iterator[OddName]:
    """Yield the names of a module that contain a word of INSTEAD."""
    for name, line in identifiers(tree):
        word = next((word for word in words(name) if word in INSTEAD), None)
        if word and name not in PUBLIC:
            yield OddName(path, line, name, INSTEAD[word])


def too_large(path: str, tree: ast.Module) -> Iterator[Size]:
    """Yield the sizes above the limits in a module: functions by lines and parameters, and the file by lines."""
    return (size for size in sizes(path, tree) if size.size > size.most)


def sizes(path: str, tree: ast.Module) -> Iterator[Size]:
    """Yield the size of each function of a module, and of its file."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield Size(path, node.lineno, f"lines of {node.name}", lines(path, node), MOST_LINES)
            if not is_command(path, node):
                yield Size(path, node.lineno, f"parameters of {node.name}", len(parameters(node)), MOST_PARAMETERS)
    yield Size(path, 1, "lines of the file", tree.body[-1].end_lineno or 0, MOST_FILE_LINES)


def parameters(node: Function) -> list[str]:
    """Return the parameters of a function, except the object that a method belongs to."""
    given = node.args
    names = [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def lines(path: str, node: Function) -> int:
    """Count the lines of a function without its docstring; of a command only the lines of its body."""
    first, last = node.body[0], node.end_lineno or node.lineno
    docstring = ast.get_docstring(node, clean=False) is not None
    start = first.lineno if is_command(path, node) else node.lineno
    return last - start + 1 - ((first.end_lineno or first.lineno) - first.lineno + 1 if docstring else 0)


def is_command(path: str, node: Function) -> bool:
    """Return whether a function is a command: its parameters are the options that people type."""
    return path.startswith("pipeline/commands/") and not node.name.startswith("_")


def main() -> int:
    """Print every finding; return 1 if there is one, as the exit code."""
    findings = [finding for path, tree in modules() for finding in (*odd_names(path, tree), *too_large(path, tree))]
    print(*findings, sep="\n")
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main())
