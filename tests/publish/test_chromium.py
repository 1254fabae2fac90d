"""The pages in a real browser: Debian's Chromium, driven by playwright without a network; axe checks accessibility."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from pipeline.publish import audit, report
from pipeline.publish.publisher import Publisher
from pipeline.publish.scope import Scope
from tests.analysis import lake
from tests.chromium import AXE, BUSY_MS, JUDGE, running
from tests.publish import audited, demo, history

PHONE, DESK = 390, 1440
Scheme = Literal["light", "dark"]
PAGES = ("series", "country", "since", "hostile", "audit")
#: Elements that reach beyond the screen or have cut-off content, except elements that scroll by design.
CUT = """[...document.body.querySelectorAll("*")].filter(one => !one.closest(".scroll, .sr, .skip, svg, script")
  && (one.getBoundingClientRect().right > innerWidth + 1 || one.scrollWidth > one.clientWidth + 1 && one.clientWidth))
  .map(one => one.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Reports of a series of sweeps, of one country, since a date, and of hostile peers; and an audit of hostile peers."""
    folder = tmp_path_factory.mktemp("pages")
    weekly = [sweep for sweep in history.history() if sweep.name == "weekly"]
    editions = {"series": Scope(), "country": Scope(country="GB"), "since": Scope(since=weekly[-3].id)}
    for name, edition in editions.items():
        (folder / name).mkdir()
        order = report.OrderedReport(history.gathered(weekly[-1].id, edition), Publisher())
        (folder / name / "report.html").write_text(report.html(order), "utf-8")
    report.write(demo.connect(), lake.SWEEP, folder / "hostile", {"html"}, Scope(min_cell=1))
    (folder / "audit").mkdir()
    (folder / "audit" / "report.html").write_text(audit.html(audited.gathered(folder / "audit")), "utf-8")
    return {name: folder / name / "report.html" for name in PAGES}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running() as browser:
        yield browser


class Opened:
    """A page opened from its file, with all its messages and requests."""

    def __init__(self, browser: Browser, path: Path, width: int = DESK, scheme: str = "light") -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 844}, color_scheme=scheme, accept_downloads=True
        )  # type: ignore[arg-type]
        self.context.set_default_timeout(BUSY_MS)
        self.page: Page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "scheme", "other"), [(PHONE, "light", "dark"), (DESK, "dark", "light")])
def test_everybody_can_read_it(
    browser: Browser, pages: dict[str, Path], name: str, width: int, scheme: Scheme, other: Scheme
) -> None:
    """A page opens quietly and fits the screen in both schemes, and axe finds no violation of WCAG 2.2 AA or good practice.

    Quietly: no error, no message, no request except for the file itself. It fits: nothing is wider than the screen or cut off.
    """
    opened = Opened(browser, pages[name], width, scheme)
    assert_fits(opened.page, width)
    opened.page.evaluate(AXE.read_text("utf-8"))
    judged = opened.page.evaluate(JUDGE)
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in judged["violations"]] == []
    assert {"color-contrast", "region"} <= {rule["id"] for rule in judged["passes"]}
    opened.page.emulate_media(color_scheme=other)
    assert_fits(opened.page, width)
    assert opened.said == [] and opened.asked == [pages[name].as_uri()]
    opened.context.close()


def assert_fits(page: Page, width: int) -> None:
    """Nothing is wider than the screen or cut off."""
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT) == []


def test_map_and_plots_are_drawn(browser: Browser, pages: dict[str, Path]) -> None:
    """Outlines, lines, bars and points are on the screen, with a size; each figure has a text alternative."""
    page = Opened(browser, pages["series"]).page
    hatched = page.locator(
        "#chart-map svg g path[fill^=url]"
    ).first.bounding_box()  # the countries that were not probed
    assert hatched and hatched["width"] > 300 and page.locator("#map svg path").count() > 9
    assert page.locator("#trend figure").count() == 6 and page.locator("#trend circle").count() >= 15
    assert page.locator("#chart-turnover rect").count() >= 4
    for svg in page.locator("#trend svg[role=img]:visible").all():
        box = svg.bounding_box()
        assert box and box["width"] > 200 and box["height"] > 80
        assert len(svg.get_attribute("aria-label") or "") > 20


def shown(page: Page) -> list[bool]:
    """Whether the map of counts and the map of rates are visible."""
    return [page.locator(f"#chart-{name} svg[role=img]").is_visible() for name in ("map", "map-per-million")]


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_map_is_of_counts_or_of_rates(browser: Browser, pages: dict[str, Path], width: int) -> None:
    """A named group of two radio buttons selects the map, by arrow key and by click; print shows both maps and no button."""
    page = Opened(browser, pages["series"], width).page
    assert shown(page) == [True, False]
    group = page.get_by_role("group", name="Show on the map")
    group.get_by_role("radio", name="Services").focus()
    page.keyboard.press("ArrowRight")
    assert shown(page) == [False, True] and group.get_by_role("radio", name="Per million addresses").is_checked()
    assert page.get_by_role("img", name="per million probed").is_visible()
    group.get_by_text("Services").click()
    assert shown(page) == [True, False]
    page.emulate_media(media="print")
    assert shown(page) == [True, True] and not group.is_visible()


def column(page: Page, place: int) -> list[str]:
    return page.locator(f"#countries tbody tr > :nth-child({place})").all_inner_texts()


def test_tables_sort_by_mouse_and_keyboard(browser: Browser, pages: dict[str, Path]) -> None:
    """A heading sorts its table in both directions, by click and by Enter, and announces the order to screen readers."""
    page = Opened(browser, pages["series"]).page
    names = column(page, 1)
    page.locator("#countries th button").first.click()
    assert (
        column(page, 1) == sorted(names, key=str.casefold)
        and page.locator("#countries th").first.get_attribute("aria-sort") == "ascending"
    )
    page.locator("#countries th button").first.press("Enter")
    assert column(page, 1) == sorted(names, key=str.casefold, reverse=True)
    page.locator("#countries th button").nth(2).press("Enter")
    counts = [int(text.replace(",", "")) for text in column(page, 3)]
    assert counts == sorted(counts, reverse=True)
    assert page.locator("#countries th[aria-sort]").count() == 1


def test_the_keyboard_reaches_everything(browser: Browser, pages: dict[str, Path]) -> None:
    """The first Tab key reaches a link past the contents; tables that scroll can be focused, and each has its name."""
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
    assert caught.value.suggested_filename == "countries.csv" and text.startswith(
        "sweep,date,country,country_name,services,addresses,"
    )
    assert f",US,United States,{column(page, 3)[0]}," in text


def test_hostile_strings_are_text(browser: Browser, pages: dict[str, Path]) -> None:
    """A peer's markup is shown on the screen as it was sent, and creates no element."""
    page = Opened(browser, pages["hostile"]).page
    assert page.locator("#products").get_by_text("<script>alert(1)</script>").count() == 1
    assert page.locator("script").count() == 1 and page.locator("img").count() == 0


def test_dark_is_dark_and_print_is_white(browser: Browser, pages: dict[str, Path]) -> None:
    """The dark scheme has a dark background; print has white paper, and makes a file that can be sent by mail."""
    page = Opened(browser, pages["series"], scheme="dark").page
    paper = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(20, 24, 29)"
    page.emulate_media(media="print")
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    printed = page.pdf(format="A4")
    assert printed[:4] == b"%PDF" and len(printed) < 10_000_000
    panel = "getComputedStyle(document.querySelector('aside')).backgroundColor"
    assert page.evaluate(panel) == "rgb(244, 246, 248)"


def test_focus_can_be_seen(browser: Browser, pages: dict[str, Path]) -> None:
    """Each element that the Tab key reaches (a link, a table that scrolls, a heading's button) has an outline."""
    page = Opened(browser, pages["series"], PHONE).page
    for selector in ("nav a", ".scroll", "#countries th button", "p.get a"):
        page.locator(selector).first.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        drawn = "getComputedStyle(document.activeElement).outline"
        assert "solid" in page.evaluate(drawn), selector


def test_the_legend_can_be_read_on_a_phone(browser: Browser, pages: dict[str, Path]) -> None:
    """The legend has letters of at least 12 pixels, and its colours are those of the map, in the dark scheme too."""
    for scheme in ("light", "dark"):
        page = Opened(browser, pages["series"], PHONE, scheme).page
        assert (
            page.locator("#chart-map .legend li").count()
            == page.locator("#chart-map-per-million .legend li").count()
            == 6
        )
        size = "parseFloat(getComputedStyle(document.querySelector('#map .legend li')).fontSize)"
        assert page.evaluate(size) >= 12
        fill = "[...document.querySelectorAll('#map [fill=\"#a9cce6\"]')].map(one => getComputedStyle(one).fill)"
        assert len(set(page.evaluate(fill))) == 1


def test_the_first_column_stays(browser: Browser, pages: dict[str, Path]) -> None:
    """On a phone the countries stay visible while their table is scrolled to the right."""
    page = Opened(browser, pages["series"], PHONE).page
    page.locator("#countries .scroll").evaluate("one => one.scrollLeft = 400")
    box = page.locator("#countries tbody th").first.bounding_box()
    assert box and 0 <= box["x"] < 40


def test_hints_are_read_without_a_mouse(browser: Browser, pages: dict[str, Path]) -> None:
    """The explanation of an outcome is visible text beside it, not a tooltip."""
    page = Opened(browser, pages["series"], PHONE).page
    assert page.locator("#outcomes .hint").first.is_visible() and page.locator("td[title], th[title]").count() == 0


def test_an_audit_is_marked_on_every_page(browser: Browser, pages: dict[str, Path]) -> None:
    """CONFIDENTIAL stays at the top of the screen while the page scrolls, and is in the margin of each printed page."""
    page = Opened(browser, pages["audit"], PHONE).page
    page.mouse.wheel(0, 5000)
    page.wait_for_function("scrollY > 1000")
    box = page.locator(".marking").bounding_box()
    assert box and box["y"] < 10
    rules = "[...document.styleSheets[0].cssRules].map(rule => rule.cssText).filter(text => text.startsWith('@page'))"
    assert "CONFIDENTIAL" in page.evaluate(rules)[0]
