"""The catalogue of errors, `docs/errors.md`, from the places in the code that raise them.

python -m tools.errors_page > docs/errors.md
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipeline.errors import CensusError, GuardError, InputError, Interrupted

ROOT = Path(__file__).parents[1]
#: Each kind of error, and the meaning of its exit code.
KINDS = {
    CensusError: "the program, the machine or a service that it needs failed",
    InputError: "the command line, a configuration or a file is wrong",
    GuardError: "a guard rail stopped the program before anything was sent",
    Interrupted: "the program was interrupted and has saved its state",
}
NAMES = {kind.__name__: kind for kind in KINDS}
#: Subclasses, which are raised like their own kind.
ALIASES = {"Unfinished": "InputError", "KeyFault": "InputError"}
#: Values that readers know by a different name from the code's.
PLACEHOLDERS = {"error": "reason", "strerror": "reason", "stderr": "reason", "explanation": "reason"}

#: Functions around a value, and parts of its name, that do not describe the value.
WRAPPERS = frozenset(
    [
        "str",
        "len",
        "list",
        "sorted",
        "repr",
        "type",
        "set",
        "map",
        "filter",
        "next",
        "self",
        "__name__",
        "join",
        "strip",
        "rstrip",
        "lstrip",
        "removeprefix",
        "replace",
        "splitlines",
        "split",
        "partition",
        "decode",
        "lower",
        "get",
        "visible",
    ]
)

HEAD = """# Errors

The errors that `census` ends with, by exit code. A message begins with `census: `, then says where, what is wrong and
what to do. `<name>` stands in for a value. This page is made from the code by `python -m tools.errors_page` (`make docs`
writes it); a test compares them. What a scanned host does is never an error: it is an [outcome](outcomes.md).
"""


class Site(NamedTuple):
    """A place that raises an error: its module, its kind, and its message with placeholders for values."""

    path: str
    kind: type[CensusError]
    message: str


def page() -> str:
    """Return the whole page."""
    by_kind: dict[type[CensusError], dict[str, set[str]]] = {kind: defaultdict(set) for kind in KINDS}
    for site in sites():
        by_kind[site.kind][site.message].add(site.path)
    return "\n".join([HEAD, *(line for kind, messages in by_kind.items() for line in _section(kind, messages))])


def sites() -> Iterator[Site]:
    """Yield every error that the code raises with its own message."""
    for package in ("pipeline", "flows"):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield from _of_module(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8")))


def _of_module(path: str, tree: ast.Module) -> Iterator[Site]:
    texts = dict(_texts(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            kind = NAMES.get(ALIASES.get(node.func.id, node.func.id))
            message = ": ".join(_pattern(argument, texts) for argument in node.args)
            if kind and re.search(r"[a-z]{2}", re.sub("<[^>]*>", "", message)):
                yield Site(path, kind, " ".join(message.split()))


def _texts(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield the constants of a module, and its functions' return values, by name: messages are made of them."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            if isinstance(node.value, ast.Constant | ast.JoinedStr):
                yield node.targets[0].id, node.value
        elif isinstance(node, ast.FunctionDef):
            last = node.body[-1]
            if isinstance(last, ast.Return) and isinstance(last.value, ast.JoinedStr):
                yield node.name, last.value


def _pattern(node: ast.AST, texts: dict[str, ast.expr]) -> str:
    """Return a message with placeholders for its values."""
    match node:
        case ast.Constant(value=value):
            return str(value)
        case ast.JoinedStr(values=values):
            return "".join(_pattern(value, texts) for value in values)
        case ast.FormattedValue(value=value):
            return _pattern(value, texts)
        case ast.IfExp(body=body, orelse=orelse):
            return " / ".join(filter(None, (_pattern(body, texts), _pattern(orelse, texts))))
        case ast.Call(func=ast.Name(id=name)) | ast.Name(id=name) if name in texts:
            return _pattern(texts[name], texts)
        case _:
            return f"<{_placeholder(node)}>"


def _placeholder(node: ast.AST) -> str:
    """Return a name for a value: the last name in its expression, without quotes and calls around it."""
    names = [
        inner.attr if isinstance(inner, ast.Attribute) else inner.id
        for inner in ast.walk(node)
        if isinstance(inner, ast.Attribute | ast.Name)
    ]
    plain = [name for name in names if name not in WRAPPERS]
    name = plain[0] if plain else "value"
    return PLACEHOLDERS.get(name, name).strip("_").lower().replace("_", " ")


def _section(kind: type[CensusError], messages: dict[str, set[str]]) -> Iterator[str]:
    yield f"## Exit code {kind.exit_code}: {KINDS[kind]}"
    yield ""
    yield "| message | what to do | raised in |"
    yield "|---|---|---|"
    for message, paths in sorted(messages.items()):
        problem, _, remedy = message.partition("; ")
        places = ", ".join(f"`{path}`" for path in sorted(paths))
        yield f"| {_cell(problem)} | {_cell(remedy) if remedy else '–'} | {places} |"
    yield ""


def _cell(text: str) -> str:
    """Return text as a cell of a table: as code, since it has angle brackets and quotes."""
    fence = "``" if "`" in text else "`"
    pad = " " if fence == "``" else ""
    return f"{fence}{pad}{text}{pad}{fence}".replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
