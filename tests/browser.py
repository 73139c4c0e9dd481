"""A real browser without a window, for pages that people open."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rote.claims import CLAIMS
from rote.study import plan

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


def check_report(page) -> None:
    """Find all figures, each with its caption, and the claims; there must be no error.

    Raises:
        AssertionError, selenium's NoSuchElementException: the report lacks something.
    """
    shown = set()
    for figure in plan.EXPERIMENT_OF_FIGURE:
        _menu(page, plan.title(figure))
        show, about = page.find_elements("xpath", "//tbody/tr//a[@type='button']")
        _click(page, show)
        picture = page.find_element("xpath", "//img[starts-with(@src, 'data:image/png')]")
        assert page.execute_script("return arguments[0].naturalWidth", picture) > 1000
        shown.add(picture.get_attribute("src"))
        _click(page, about)
        caption = f"//*[starts-with(text(), 'Numbers: results/demo/metrics/{figure}.nc')]"
        assert "computed by commit" in page.find_element("xpath", caption).text
    assert len(shown) == len(plan.EXPERIMENT_OF_FIGURE)
    _menu(page, "Configuration")
    _click(page, page.find_elements("xpath", "//tbody/tr//a[@type='button']")[-1])
    assert "learning_rate:" in page.find_element("xpath", "//pre").text
    _menu(page, "Statistics")
    assert page.find_element("xpath", "//canvas").size["width"] > 100
    assert not [line for line in page.get_log("browser") if line["level"] == "SEVERE"]
    loaded = page.execute_script("return performance.getEntriesByType('resource')")
    assert not [entry["name"] for entry in loaded if not entry["name"].startswith("data:")]
    page.get(page.execute_script("return results['results/demo/claims.html'].data_uri"))
    assert len(page.find_elements("xpath", "//table")) == len(CLAIMS)
    verdicts = page.find_elements("xpath", "//h2/following-sibling::p[1]")
    assert len(verdicts) == len(CLAIMS)
    assert {verdict.text for verdict in verdicts} <= {"supported", "not supported", "inconclusive"}


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
