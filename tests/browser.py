"""A real browser without a window, for pages that people open."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from conftest import figures_of_demo
from rote.claims import CLAIMS
from rote.study.figures import title

NEEDS = {"chromium": "chromium", "chromedriver": "chromium-driver"}  # program: package of Debian


@contextmanager
def chromium(page: Path) -> Iterator:
    """Open a file, without a network."""
    for program, package in NEEDS.items():
        if shutil.which(program) is None:
            pytest.skip(f"no {program}: install Debian's {package} to test pages in a browser")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in (
        "--headless=new",
        "--no-sandbox",  # as root there is none
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--window-size=1500,1000",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        driver.implicitly_wait(10)  # seconds, for what a script is still drawing
        driver.get(page.as_uri())
        yield driver
    finally:
        driver.quit()


# Pairs of the relative luminance of text and of what it stands on, as WCAG 2.2 defines them, whose
# ratio is too small to read.
FAINT = """
const light = c => { c /= 255; return c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; };
const read = c => c.match(/[\\d.]+/g).map(Number);
const luminance = ([r, g, b]) => .2126 * light(r) + .7152 * light(g) + .0722 * light(b);
const behind = e => {
  for (; e; e = e.parentElement) {
    const c = read(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c;
  }
  return [255, 255, 255];
};
const faint = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const text = walker.currentNode.textContent.trim(), e = walker.currentNode.parentElement;
  if (!text || !e.getClientRects().length) continue;
  const pair = [luminance(read(getComputedStyle(e).color)), luminance(behind(e))];
  const ratio = (Math.max(...pair) + .05) / (Math.min(...pair) + .05);
  if (ratio < 4.5) faint.push([text, ratio]);
}
return faint;
"""


def check_page(page, folder: Path, width: int) -> None:
    """Look at a page with all figures at a width of the window, in pixels: all of it is readable.

    Raises:
        AssertionError: with what is wrong.
    """
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    for media, scheme in (("screen", "light"), ("screen", "dark"), ("print", "dark")):
        scheme = {"name": "prefers-color-scheme", "value": scheme}
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": [scheme]})
        assert page.execute_script(FAINT) == []
        wide = "return document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not page.execute_script(wide)
    html = page.find_element("xpath", "/html")
    assert html.get_attribute("lang") == "en"
    assert page.title
    levels = page.execute_script(
        "return [...document.querySelectorAll('h1,h2,h3,h4')].map(e => Number(e.tagName[1]))"
    )
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later <= before + 1 for before, later in pairwise(levels))
    for picture in page.find_elements("xpath", "//img"):
        assert picture.get_attribute("alt")
        assert page.execute_script("return arguments[0].naturalWidth", picture) > 0
    ids = page.execute_script("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len({*ids})
    links = page.execute_script(
        "return [...document.querySelectorAll('a')].map(e => e.getAttribute('href'))"
    )
    for link in links:
        assert link[1:] in ids if link.startswith("#") else (folder / link).is_file(), link
    loaded = page.execute_script("return performance.getEntriesByType('resource')")
    assert all(entry["name"].startswith(("file:", "data:")) for entry in loaded)
    assert not [line for line in page.get_log("browser") if line["level"] == "SEVERE"]


def check_report(page) -> None:
    """Find all figures, each with its caption, and the claims; there must be no error.

    Raises:
        AssertionError, selenium's NoSuchElementException: the report lacks something.
    """
    shown = set()
    for figure in figures_of_demo():
        _menu(page, title(figure))
        show, about = page.find_elements("xpath", "//tbody/tr//a[@type='button']")
        _click(page, show)
        picture = page.find_element("xpath", "//img[starts-with(@src, 'data:image/png')]")
        assert page.execute_script("return arguments[0].naturalWidth", picture) > 1000
        shown.add(picture.get_attribute("src"))
        _click(page, about)
        caption = f"//*[starts-with(text(), 'Numbers: results/demo/metrics/{figure}.nc')]"
        assert "computed by commit" in page.find_element("xpath", caption).text
    assert len(shown) == len(figures_of_demo())
    _menu(page, "Configuration")
    _click(page, page.find_elements("xpath", "//tbody/tr//a[@type='button']")[-1])
    assert "learning_rate:" in page.find_element("xpath", "//pre").text
    _menu(page, "Statistics")
    assert page.find_element("xpath", "//canvas").size["width"] > 100
    assert not [line for line in page.get_log("browser") if line["level"] == "SEVERE"]
    loaded = page.execute_script("return performance.getEntriesByType('resource')")
    assert not [entry["name"] for entry in loaded if not entry["name"].startswith("data:")]
    page.get(page.execute_script("return results['results/demo/claims.html'].data_uri"))
    assert len(page.find_elements("xpath", "//table")) == len(CLAIMS) + 1  # and one of our own
    verdicts = page.find_elements("xpath", "//h2/following-sibling::p[1]")
    assert len(verdicts) == len(CLAIMS) + 1  # and one of our own
    # A claim's verdict may be followed by what it depends on.
    words = {verdict.text.split(",")[0] for verdict in verdicts}
    assert words <= {"supported", "contradicted", "inconclusive", "not tested"}


def _menu(page, entry: str) -> None:
    """Choose an entry of the menu on the left of the first page."""
    from selenium.webdriver.support.wait import WebDriverWait

    page.refresh()
    loading = page.find_element("id", "loading-screen")
    WebDriverWait(page, 20).until(lambda _: not loading.is_displayed())
    _click(page, page.find_element("xpath", f"//nav//*[normalize-space(text())='{entry}']"))


def _click(page, element) -> None:
    """Click at once: the menu slides in, and for a while nothing of it can be hit."""
    page.execute_script(
        "arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true}))", element
    )
