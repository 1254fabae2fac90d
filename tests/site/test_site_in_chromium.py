"""The pages of a site in a real browser: Debian's Chromium, without a network; axe checks accessibility."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.chromium import AXE, BUSY_MS, JUDGE, running

PHONE, DESK = 390, 1280
PAGES = (
    "index.html", "countries/index.html", "countries/GB/index.html", "trends/index.html", "products/index.html",
    "method/index.html", "sweeps/index.html", "latest/index.html", "404.html", "trends/trend.html", "latest/map.html",
)  # fmt: skip
#: Elements that reach beyond the screen or have cut-off content, except elements that scroll by design.
CUT = """[...document.body.querySelectorAll("*")].filter(one => !one.closest(".scroll, .sr, .skip, svg, pre")
  && (one.getBoundingClientRect().right > innerWidth + 1 || one.scrollWidth > one.clientWidth + 1 && one.clientWidth))
  .map(one => one.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running() as browser:
        yield browser


def opened(browser: Browser, path: Path, width: int = DESK, scheme: str = "light", *, script: bool = True) -> Page:
    """A page opened from its file; `said` and `asked` have its messages and requests."""
    context = browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme=scheme,  # type: ignore[arg-type]
        java_script_enabled=script,
        offline=True,
    )
    context.set_default_timeout(BUSY_MS)
    page = context.new_page()
    page.said, page.asked = [], []  # type: ignore[attr-defined]
    page.on("console", lambda message: page.said.append(message.text))  # type: ignore[attr-defined]
    page.on("request", lambda request: page.asked.append(request.url))  # type: ignore[attr-defined]
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(PHONE, "light"), (DESK, "dark")])
def test_everybody_can_read_it(browser: Browser, site: Path, name: str, width: int, scheme: str) -> None:
    """Nothing is wider than the screen or cut off, nothing but page and style is loaded, and axe finds no violation."""
    page = opened(browser, site / name, width, scheme)
    assert page.said == [] and {Path(url).name for url in page.asked} <= {Path(name).name, "style.css"}  # type: ignore[attr-defined]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT) == []
    page.evaluate(AXE.read_text("utf-8"))
    judged = page.evaluate(JUDGE)
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in judged["violations"]] == []
    assert "color-contrast" in {rule["id"] for rule in judged["passes"]}
    page.context.close()


def test_choices_work_without_a_script(browser: Browser, site: Path) -> None:
    """Offline and with scripts switched off, the other map is shown by the keyboard; paper shows both, and no button."""
    page = opened(browser, site / "index.html", PHONE, script=False)
    one, other = (page.locator(f"#chart-{name} svg[role=img]") for name in ("map", "map-per-million"))
    assert one.is_visible() and not other.is_visible()
    page.get_by_role("radio", name="Services").focus()
    page.keyboard.press("ArrowRight")
    assert other.is_visible() and not one.is_visible()
    page.emulate_media(media="print")
    assert one.is_visible() and other.is_visible() and not page.get_by_role("radio", name="Services").is_visible()
    page.context.close()


def test_charts_fit_the_screen(browser: Browser, site: Path) -> None:
    """A phone gets charts that are drawn for it, with letters of at least 11 pixels; a wide screen gets wide ones."""
    for width, shown, hidden in ((PHONE, "narrow", "wide"), (DESK, "wide", "narrow")):
        page = opened(browser, site / "countries/GB/index.html", width)
        assert page.locator(f"#chart-trend .{shown} svg").is_visible()
        assert not page.locator(f"#chart-trend .{hidden} svg").is_visible()
        letters = "one => one.getBoundingClientRect().height"
        assert min(one.evaluate(letters) for one in page.locator(f"#chart-trend .{shown} text").all()) >= 11
        page.context.close()


def test_the_keyboard_reaches_everything(browser: Browser, site: Path) -> None:
    """The first Tab key reaches a link past the navigation; tables that scroll can be focused, and each has its name."""
    page = opened(browser, site / "latest/index.html", PHONE)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the contents"
    assert page.evaluate("getComputedStyle(document.activeElement).outline").count("solid") == 1
    regions = page.locator(".scroll")
    assert regions.count() == page.locator(".scroll[tabindex='0'][role=region][aria-label]").count() > 8
    page.context.close()


def test_dark_is_dark_and_print_is_white(browser: Browser, site: Path) -> None:
    """The dark scheme has a dark background, and print has white paper, without downloads that paper cannot give."""
    page = opened(browser, site / "index.html", scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(20, 24, 29)"
    page.emulate_media(media="print")
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    downloads = page.locator(".get")
    assert downloads.count() and not any(each.is_visible() for each in downloads.all())
    page.context.close()
