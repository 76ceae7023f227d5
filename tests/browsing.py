"""What tests of pages do in a browser."""

from collections.abc import Callable

from playwright.sync_api import Page

from synthetic_entries import HOSTILE, submission_digest

DIGESTS = {
    name: submission_digest(name, "nano")[7:]
    for name in ("oracle", "random", "fasttext_edu", HOSTILE)
}
Open = Callable[..., Page]


def ready(page: Page) -> Page:
    page.locator("html[data-ready=board]").wait_for(state="attached")
    return page


def names(page: Page) -> list[str]:
    return page.locator("#rows a.entry").all_inner_texts()
