"""A served ledger and a browser, one of each for all tests here."""

import re
import shutil
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from assay_board.pages.links import board_path
from assay_board.pages.snapshot import Snapshot
from board_pages_app import StillSource, make_app
from browsing import Open
from synthetic_entries import board


@pytest.fixture(scope="session")
def source() -> StillSource:
    return StillSource(board())


@pytest.fixture(scope="session")
def snapshot(source: StillSource) -> Snapshot:
    return source.snapshot()


@pytest.fixture(scope="session")
def served(source: StillSource) -> Iterator[str]:
    app = make_app((), source=source)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")  # its event loop runs in this thread: no other module may meet it
def chromium() -> Iterator[Browser]:
    path = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if path is None:
        pytest.skip("no browser: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, served: str) -> Iterator[Open]:
    """Open pages; at the end nothing may have gone wrong in any of them."""
    wrong: list[str] = []
    contexts: dict[str, BrowserContext] = {}

    def complain(path: str, message: ConsoleMessage) -> None:
        # To refuse or put off is to answer; Chromium reports it all the same.
        answered = re.search("status of (422|503)", message.text)
        if message.type in ("error", "warning") and not answered:
            wrong.append(f"{path}: {message.text}")

    def open_page(path: str, **options: Any) -> Page:
        options = {"viewport": {"width": 1280, "height": 900}} | options
        context = contexts.get(repr(options)) or chromium.new_context(**options)
        contexts[repr(options)] = context
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda m: complain(path, m))
        page.on("pageerror", lambda e: wrong.append(f"{path}: {e}"))
        page.on("dialog", lambda d: wrong.append(f"{path}: dialog {d.message}"))
        page.on(
            "request",
            lambda r: (
                None
                if r.url.startswith((served, "file:", "data:"))
                else wrong.append(f"{path}: asked for {r.url}")
            ),
        )
        page.goto(path if path.startswith("file:") else served + path)
        return page

    yield open_page
    for context in contexts.values():
        context.close()
    assert wrong == []


@pytest.fixture(scope="module")
def table_path(snapshot: Snapshot) -> str:
    return "/" + board_path(snapshot.boards("text", "nano")[0])
