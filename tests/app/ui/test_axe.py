"""No serious violation of accessibility rules, by axe-core: five states of the page, light and dark, wide and phone."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files

import pytest
from playwright.sync_api import expect

from tests.app.ui.conftest import CHROMIUM
from tests.app.ui.test_browser import FIRST_ANSWER, add, ask, library, question_box, reader
from tests.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]

SERVER = """
import sys
from rag.models.encoder import HashEmbedder
from rag.library import Library
from rag.app.ui import serve
with Library.open(sys.argv[1], embedder=HashEmbedder()) as library:
    library.index(sys.argv[2])
    serve(library, port=0, with_token=False)
"""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async (tags) => {
  const found = await axe.run(document, {runOnly: tags, resultTypes: ['violations']});
  return found.violations.filter((each) => ['serious', 'critical'].includes(each.impact))
    .flatMap((each) => each.nodes.map((node) => `${each.id}: ${node.target.join(' ')}: ${node.failureSummary}`));
}"""
STILL = """() => document.getAnimations().every((each) =>
  each.playState !== 'running' || each.effect.getComputedTiming().endTime === Infinity)"""


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A page over the sample documents."""
    index = tmp_path_factory.mktemp("axe") / "index"
    command = [sys.executable, "-c", SERVER, str(index), str(ROOT / "data")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[1]
        process.terminate()


def violations(page) -> list[str]:
    """What axe finds on the page as it is now, once nothing moves any more."""
    page.wait_for_function(STILL)  # colours fade in
    found: list[str] = page.evaluate(RUN, TAGS)
    return found


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_no_serious_violation(browser, url, tmp_path, theme, width):
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=theme)
    page.goto(url)
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    expect(question_box(page)).to_be_focused(timeout=FIRST_ANSWER)
    found = {"fresh": violations(page)}

    turn = ask(page, "How many civilians live in Idlib?")
    found["answered"] = violations(page)

    turn.locator(".card .title").first.click()
    expect(reader(page).locator(".text")).to_be_visible(timeout=FIRST_ANSWER)
    found["reading"] = violations(page)
    page.keyboard.press("Escape")

    ask(page, "Who won the 1998 football world cup?")
    found["refused"] = violations(page)

    file = tmp_path / f"note-{theme}-{width}.txt"
    file.write_text("The lighthouse of Quarnford is painted in three colours.\n")
    broken = tmp_path / f"broken-{theme}-{width}.txt"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 4)
    library(page)
    add(page, file, broken)
    page.get_by_text("What changed lately").click()
    found["library with a report"] = violations(page)
    page.close()
    assert {state: problems for state, problems in found.items() if problems} == {}
