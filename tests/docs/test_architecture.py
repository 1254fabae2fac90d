"""docs/architecture.md names existing folders, processes and messages, in their right places."""

import re
from pathlib import Path

from pipeline.transport import messages
from pipeline.worker import stages

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
FLOWCHART, SEQUENCE = re.findall(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)
MESSAGES = {kind.__name__ for kind in messages.Message.__subclasses__()}
#: Boxes of the pictures in addition to the processes that a coordinator starts.
OTHERS = {"flow", "runner", "coordinator", "far", "lake", "hosts"}


def _folders() -> set[str]:
    """The folders of the two packages, as the page writes them."""
    found = (path.parent for package in ("pipeline", "flows") for path in (ROOT / package).rglob("__init__.py"))
    return {f"{folder.relative_to(ROOT)}/" for folder in found} - {"pipeline/"}


def test_every_folder_has_a_line() -> None:
    """The table of the tree has each folder of `pipeline` and `flows` once, and no other."""
    tree = PAGE.split("## The tree")[1].split("The files at the root")[0]
    listed = re.findall(r"^\| `([\w/]+)` \|", tree, re.MULTILINE)
    assert sorted(listed) == sorted(_folders())


def test_the_tree_is_in_the_order_of_the_contract() -> None:
    """A folder's line is above the lines of all folders that it may import."""
    contract = (ROOT / "pyproject.toml").read_text("utf-8").split('name = "one way down"')[1].split("]\n")[1]
    floors = [re.findall(r"\w+", line) for line in contract.splitlines() if line.startswith('  "')]
    level = {f"pipeline/{name}/": number for number, names in enumerate(floors) for name in names}
    listed = [folder for folder in re.findall(r"^\| `([\w/]+)` \|", PAGE, re.MULTILINE) if folder in level]
    assert [level[folder] for folder in listed if folder in level] == sorted(level[folder] for folder in listed)


def test_the_processes_are_those_of_a_worker() -> None:
    """The flowchart has a box for each kind of process that a coordinator starts; the sequence has no other process."""
    kinds = set(stages.STAGES)
    boxes = set(re.findall(r"(?:^|[->]) (\w+)(?=[\[(\s]|$)", FLOWCHART, re.MULTILINE)) - {"LR"}
    assert kinds <= boxes <= kinds | OTHERS
    assert set(re.findall(r"participant (\w+)", SEQUENCE)) <= kinds | OTHERS


def test_the_messages_are_those_of_the_channels() -> None:
    """Labels of arrows that look like a message are messages, and every message is on some arrow."""
    labels = re.findall(r'-- "(.*?)" --', FLOWCHART)
    drawn = {word for label in labels for word in re.findall(r"\b[A-Z][a-z]+\b", label)}
    assert drawn == MESSAGES
    between = re.findall(
        r"(?:coordinator|engine|associator|writer)->>(?:coordinator|engine|associator|writer): (\w+)", SEQUENCE
    )
    assert set(between) <= MESSAGES
