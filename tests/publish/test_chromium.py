"""The page in a real browser: Debian's Chromium, driven by playwright, without a network."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from pipeline.publish import report, session
from pipeline.publish.edition import Edition
from tests.analysis import lake
from tests.publish import demo, history

CHROMIUM = shutil.which("chromium")
PHONE, DESK = 390, 1280


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two reports: of a series of sweeps, and of peers that mean harm."""
    folder = tmp_path_factory.mktemp("pages")
    history.write(folder / "lake")
    latest = [sweep for sweep in history.history() if sweep.name == "weekly"][-1]
    with session.connect(folder / "lake") as con:
        report.write(con, latest.id, folder / "series", {"html"})
    report.write(demo.connect(), lake.SWEEP, folder / "hostile", {"html"}, Edition(least=1))
    return {name: folder / name / "report.html" for name in ("series", "hostile")}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "there is no chromium on PATH; make setup installs Debian's (apt-get install chromium)"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


class Opened:
    """A page that was opened from its file, with all it said and asked for."""

    def __init__(self, browser: Browser, path: Path, width: int = DESK, scheme: str = "light") -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True
        )  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())


@pytest.mark.parametrize("name", ["series", "hostile"])
@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_opens_quietly(browser: Browser, pages: dict[str, Path], name: str, width: int, scheme: str) -> None:
    """No error, no message, no request but the file itself, and nothing wider than the screen."""
    opened = Opened(browser, pages[name], width, scheme)
    assert opened.said == [] and opened.asked == [pages[name].as_uri()]
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    opened.context.close()


def test_map_and_plots_are_drawn(browser: Browser, pages: dict[str, Path]) -> None:
    """Outlines, lines, bars and points are on the screen, with a size; each figure has a text for who cannot see it."""
    page = Opened(browser, pages["series"]).page
    assert page.locator("#map svg path").count() > 150
    assert page.locator("#trend svg").count() == 6 and page.locator("#trend circle").count() >= 15
    assert page.locator("#trend rect").count() >= 4
    for svg in page.locator("#trend svg").all():
        box = svg.bounding_box()
        assert box and box["width"] > 200 and box["height"] > 80
        assert len(svg.get_attribute("aria-label") or "") > 20


def column(page: Page, place: int) -> list[str]:
    return page.locator(f"#countries tbody tr td:nth-child({place})").all_inner_texts()


def test_tables_sort_by_mouse_and_keyboard(browser: Browser, pages: dict[str, Path]) -> None:
    """A heading sorts its table both ways, by click and by Enter, and says so to a screen reader."""
    page = Opened(browser, pages["series"]).page
    names = column(page, 1)
    page.locator("#countries th button").first.click()
    assert (
        column(page, 1) == sorted(names, key=str.casefold)
        and page.locator("#countries th").first.get_attribute("aria-sort") == "ascending"
    )
    page.locator("#countries th button").first.press("Enter")
    assert column(page, 1) == sorted(names, key=str.casefold, reverse=True)
    page.locator("#countries th button").nth(1).press("Enter")
    counts = [int(text.replace(",", "")) for text in column(page, 2)]
    assert counts == sorted(counts, reverse=True)
    assert page.locator("#countries th[aria-sort]").count() == 1


def test_the_keyboard_reaches_everything(browser: Browser, pages: dict[str, Path]) -> None:
    """The first key leads past the contents; tables that scroll can be focused, and each has its name."""
    page = Opened(browser, pages["series"], PHONE).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the findings"
    regions = page.locator(".scroll")
    assert regions.count() == page.locator(".scroll[tabindex='0'][role=region][aria-label]").count() > 8
    assert page.locator("table caption").count() == regions.count()


def test_downloads_are_the_tables(browser: Browser, pages: dict[str, Path]) -> None:
    """A click saves a table as CSV under its name, with the numbers of the page."""
    page = Opened(browser, pages["series"]).page
    with page.expect_download() as caught:
        page.locator("a[download='countries.csv']").click()
    text = caught.value.path().read_text("utf-8")
    assert caught.value.suggested_filename == "countries.csv" and text.startswith("country,services,addresses,")
    assert f"\nUS,{column(page, 2)[0]}," in text


def test_hostile_strings_are_text(browser: Browser, pages: dict[str, Path]) -> None:
    """Markup of a peer is read on the screen as it was sent, and made no element."""
    page = Opened(browser, pages["hostile"]).page
    assert page.locator("#products").get_by_text("<script>alert(1)</script>").count() == 1
    assert page.locator("script").count() == 1 and page.locator("img").count() == 0


def test_dark_is_dark_and_print_is_white(browser: Browser, pages: dict[str, Path]) -> None:
    """Paper and ink change places in the dark, and come back for the printer."""
    page = Opened(browser, pages["series"], scheme="dark").page
    paper = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(20, 24, 29)"
    page.emulate_media(media="print")
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    assert page.pdf(format="A4")[:4] == b"%PDF"
