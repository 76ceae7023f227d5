"""A board of ten thousand submissions: what the server takes, and when a browser can sort it.

    PYTHONPATH=tests python benchmarks/board_pages.py [SUBMISSIONS] [SEEDS]

Prints, in seconds: building the snapshot from ledger entries, ranking, each page on the server (the median of
twenty), adding one run, and in headless Chromium the time from navigation until the table answers a click.
"""

import shutil
import statistics
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import uvicorn
from fastapi.testclient import TestClient

from assay_board.pages.links import board_path
from board_pages_app import StillSource, make_app
from synthetic_entries import Chain, many, run

REPEATS = 20
PORT = 8479


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def server_times(source: StillSource) -> None:
    client = TestClient(make_app((), source=source))
    table = source.held.boards("text", "nano")[0]
    path = "/" + board_path(table)
    print(
        f"first board (ranks everything)    {seconds(lambda: client.get('/boards/text/nano')):8.3f}"
    )
    entrants = list(table.entrants)
    chosen = "&".join(f"entry={digest[7:19]}" for digest in entrants[:5])
    compare = f"{path.replace('boards', 'compare')}?{chosen}"
    print(f"first comparison (pools by task)  {seconds(lambda: client.get(compare)):8.3f}")
    for name, address in {
        "home": "/",
        "board": "/boards/text/nano",
        "board, sorted and filtered": "/boards/text/nano?sort=name&q=rand",
        "board, page 50": "/boards/text/nano?page=50",
        "rows for the script": f"{path}.rows.json",
        "CSV": f"{path}.csv",
        "entry": f"/entries/{entrants[17][7:]}",
        "comparison of five": compare,
    }.items():
        answers = [client.get(address) for _ in range(2)]
        assert all(answer.status_code == 200 for answer in answers), address
        median = statistics.median(seconds(lambda a=address: client.get(a)) for _ in range(REPEATS))
        print(f"{name:34}{median:8.3f}   {len(answers[0].content) / 1e3:9.1f} kB")


def growth(source: StillSource) -> None:
    """Add a run while a reader looks: the page may be of the former state, and has to come at once."""
    client = TestClient(make_app((), source=source))
    client.get("/boards/text/nano")
    chain = Chain()
    chain.size = source.held.size
    record = run("newcomer", "nano", 1, 0.9, rng=np.random.default_rng(1))
    entry = chain.add("run", record, "rerun")
    start = time.perf_counter()
    source.held = source.held.extended([entry])
    print(f"one run added to the snapshot     {time.perf_counter() - start:8.3f}")
    worst, seen = 0.0, time.perf_counter()
    while "newcomer" not in client.get("/boards/text/nano?q=newcomer").text.split("<tbody")[1]:
        worst = max(worst, seconds(lambda: client.get("/boards/text/nano")))
    print(f"slowest board until it is shown   {worst:8.3f}")
    print(f"time until it is shown            {time.perf_counter() - seen:8.3f}")


def browser_times(source: StillSource) -> None:
    from playwright.sync_api import sync_playwright

    config = uvicorn.Config(make_app((), source=source), port=PORT, log_level="error")
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.02)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        loads, sorts, filters = [], [], []
        for _ in range(5):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(f"http://127.0.0.1:{PORT}/boards/text/nano", wait_until="commit")
            page.locator("html[data-ready=board]").wait_for(state="attached")
            loads.append(page.evaluate("performance.getEntriesByName('board ready')[0].startTime"))
            sorts.append(page.evaluate(CLICKED))
            filters.append(page.evaluate(TYPED))
            page.close()
        browser.close()
    server.should_exit = True
    for name, found in (("interactive", loads), ("sort", sorts), ("filter", filters)):
        print(
            f"browser: {name:25}{statistics.median(found) / 1e3:8.3f}   worst {max(found) / 1e3:.3f}"
        )


CLICKED = """() => {
  const start = performance.now();
  document.querySelector("[data-sort=score]").click();
  return performance.now() - start;
}"""
TYPED = """() => {
  const start = performance.now();
  const field = document.querySelector("[name=q]");
  field.value = "random";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  return performance.now() - start;
}"""


def main() -> None:
    given = [int(word) for word in sys.argv[1:]]
    count, seeds = (*given, *(10_000, 3)[len(given) :])
    entries = list(many(count, seeds))
    start = time.perf_counter()
    source = StillSource(entries)
    print(f"{count} submissions x {seeds} seeds; snapshot {time.perf_counter() - start:8.3f}")
    del entries
    server_times(source)
    browser_times(source)
    growth(source)


if __name__ == "__main__":
    main()
