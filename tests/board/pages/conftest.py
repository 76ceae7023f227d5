"""A served ledger and a browser, one of each for all tests here."""

import shutil
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright

from assay_board.pages.snapshot import Snapshot
from board_pages_app import StillSource, make_app
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
