"""The pages name existing files, modules, commands and their options, `make` targets, keys of the configuration, and links."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import typer

from pipeline.commands.app import app
from pipeline.config.sections import Config
from tests.every import every

ROOT = Path(__file__).parents[2]
PAGES = [
    *(path for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md") if (path := ROOT / name).exists()),
    *sorted((ROOT / "docs").rglob("*.md")),
]
FOLDERS = "pipeline|flows|tests|benchmarks|fuzz|tools|schemas|data|analysis|docs"
CENSUS = typer.main.get_command(app)
#: Options that a page names without a command are looked up in these folders' sources, besides those of `census`.
OTHER_PROGRAMS = ("benchmarks", "tests", "tools", "fuzz")

#: Sections of a testbed's specification.
OTHER_SECTIONS = {"internet"}

pages = every("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def _code(text: str) -> Iterator[str]:
    """The lines of code blocks, and the code spans of the prose between them, without line breaks."""
    for number, part in enumerate(re.split(r"^```.*$", text, flags=re.MULTILINE)):
        if number % 2:
            yield from part.splitlines()
        else:
            yield from (" ".join(span.split()) for span in re.findall(r"`([^`]+)`", part))


def _spans(page: Path) -> list[str]:
    return list(_code(page.read_text("utf-8")))


@pages
def test_files_exist(page: Path) -> None:
    """Each path exists in the checkout; a path with a placeholder in capitals matches some file."""
    found = [path for span in _spans(page) for path in re.findall(rf"(?<![\w/.])(?:{FOLDERS})/[\w./*-]*", span)]
    assert [path for path in found if not list(ROOT.glob(re.sub(r"[A-Z]{3,}", "*", path.rstrip("./")) or "."))] == []


@pages
def test_modules_named_by_file_exist(page: Path) -> None:
    """A file named by its end, such as `lake/leases.py`, is that of at least one module."""
    ends = [span for span in _spans(page) if re.fullmatch(r"[\w/]+\.py", span)]
    assert [end for end in ends if not list(ROOT.glob(end)) and not list(ROOT.glob(f"*/**/{end}"))] == []


@pages
def test_dotted_names_exist(page: Path) -> None:
    """`pipeline.a.b` is a module, or a name in one; an argument of `python -m` is a module, too."""
    dotted = {
        name
        for span in _spans(page)
        for name in re.findall(r"(?<![\w/.-])(?:pipeline|flows|benchmarks|tests|tools|fuzz)(?:\.[a-z_]\w*)+", span)
    }
    assert [name for name in sorted(dotted) if not _exists(name)] == []


def _exists(name: str) -> bool:
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:end])
        if path.is_dir() and end == len(parts):
            return True
        module = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
        if module.exists():
            rest = parts[end:]
            return not rest or rest[0] in _defined(module) or hasattr(_imported(parts[:end]), rest[0])
    return False


def _defined(path: Path) -> set[str]:
    return {node.name for node in ast.parse(path.read_text("utf-8")).body if hasattr(node, "name")}


def _imported(parts: list[str]) -> object:
    return importlib.import_module(".".join(parts))


@pages
def test_commands_exist(page: Path) -> None:
    """Each `census` command exists, with the options that the page gives."""
    wrong = [line for span in _spans(page) for line in _calls(span) if not _runs(line)]
    assert wrong == []


def _calls(span: str) -> Iterator[list[str]]:
    """The words of each call of `census` in a line of code."""
    for call in re.split(r"(?<![\w/.-])census(?= )", span.partition("#")[0])[1:]:
        yield re.split(r" -- |[|;]| {3,}", call + " ")[0].split()


def _runs(words: list[str]) -> bool:
    command: Any = CENSUS
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        command, words = command.commands.get(words[0].rstrip('"]')), words[1:]
    if command is None:
        return False
    known = {"--help", *(option for parameter in command.params for option in parameter.opts)}
    return {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)} <= known


@pages
def test_options_named_alone_exist(page: Path) -> None:
    """An option that is named without its command is an option of some command, or of a program of the checkout."""
    named = {match[0] for span in _spans(page) if (match := re.match(r"--[a-z][a-z-]+", span))}
    unknown = named - {
        option for command in _commands(CENSUS) for parameter in command.params for option in parameter.opts
    }
    sources = "".join(path.read_text("utf-8") for folder in OTHER_PROGRAMS for path in (ROOT / folder).rglob("*.py"))
    assert [option for option in sorted(unknown) if f'"{option}"' not in sources] == []


def _commands(command: Any) -> Iterator[Any]:
    yield command
    for each in getattr(command, "commands", {}).values():
        yield from _commands(each)


@pages
def test_make_targets_exist(page: Path) -> None:
    """`make TARGET` is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {name for span in _spans(page) for name in re.findall(r"^make ([a-z]+)", span)}
    assert named <= targets


@pages
def test_keys_of_the_configuration_exist(page: Path) -> None:
    """`[section] key` is a key of the configuration."""
    sections = {
        field.name: next(
            kind.__struct_fields__
            for kind in (field.type, *getattr(field.type, "__args__", ()))
            if hasattr(kind, "__struct_fields__")
        )
        for field in msgspec.structs.fields(Config)
    }
    named = [pair for span in _spans(page) for pair in re.findall(r"^\[([a-z]+)\](?: (\w+))?$", span)]
    wrong = [
        (section, key)
        for section, key in named
        if section not in sections.keys() | OTHER_SECTIONS or (key and key not in sections.get(section, ()))
    ]
    assert wrong == []


@pages
def test_links_lead_somewhere(page: Path) -> None:
    """A link to a file of the checkout leads to an existing file."""
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_functions_of_statistics_exist() -> None:
    """The table of docs/statistics.md names a function of `pipeline.statistics` in each row."""
    rows = re.findall(r"^\|.*\| `(\w+)\.(\w+)` \|$", (ROOT / "docs" / "statistics.md").read_text("utf-8"), re.MULTILINE)
    assert rows
    assert [row for row in rows if row[1] not in _defined(ROOT / "pipeline" / "statistics" / f"{row[0]}.py")] == []
