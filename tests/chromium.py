"""Debian's Chromium, driven by playwright, and what tests of pages ask it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

CHROMIUM = shutil.which("chromium")
AXE = Path(__file__).parents[1] / ".venv" / "node_modules" / "axe-core" / "axe.min.js"
#: What axe finds: every element that violates a rule, and one of each rule that holds; to hand over all of those takes longest.
JUDGE = """axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  resultTypes: ['violations']})"""
#: How long a page may take on a busy machine, in milliseconds.
BUSY_MS = 120_000


@contextmanager
def running() -> Iterator[Browser]:
    """A browser that runs until the block ends."""
    assert CHROMIUM, "there is no chromium on PATH; make setup installs Debian's (apt-get install chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
