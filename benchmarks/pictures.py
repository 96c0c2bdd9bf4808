"""The README's pictures, taken from a running page: python app.py, then python benchmarks/pictures.py URL.

The address is the printed one, with its token. Needs Debian's chromium. Writes .github/*.png, in which the folder of
the documents is seen.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent.parent / ".github"
WAIT = 120_000  # ms; the first answer loads the reader


def ask(page: Page, question: str) -> None:
    """Ask in a new conversation, and wait for the answer."""
    page.get_by_role("button", name="New").first.click()
    page.get_by_role("textbox", name="Question").fill(question)
    page.keyboard.press("Enter")
    page.locator(".turn:is(.answer, .refusal)").wait_for()


def shoot(page: Page, name: str) -> None:
    """Take a picture once nothing moves any more."""
    page.wait_for_timeout(1500)
    page.screenshot(path=FOLDER / f"{name}.png")


def main() -> None:
    """Take all of them."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(WAIT)
        page.goto(sys.argv[1])
        page.locator(".examples button").nth(2).wait_for()
        shoot(page, "first")
        ask(page, "How many people were on the barrier?")
        shoot(page, "conflict")
        ask(page, "How many shells hit Idlib?")
        shoot(page, "near")
        ask(page, "When did HTS break away from al-Qaeda?")
        page.get_by_role("button", name="Source 1:").first.click()
        page.locator("#rag-reader mark.current").first.wait_for()
        shoot(page, "answer")
        page.locator("header.top").get_by_role("link", name="Library").click()
        shoot(page, "library")
        page.locator("header.top").get_by_role("link", name="Overview").click()
        page.get_by_label("Question for the overview").fill("Who was on the barrier?")
        page.keyboard.press("Enter")
        page.locator(".found li").first.wait_for()
        shoot(page, "overview")
        browser.close()


if __name__ == "__main__":
    main()
