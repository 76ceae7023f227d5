"""What leaves the server: an export, read from files and served, and what others put into their pages."""

import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, Page, expect

from assay.ledger import Ledger
from assay_board.pages.links import LOCAL
from assay_board.site import build_site
from board_pages_app import StillSource, make_app
from browsing import DIGESTS, Open, names, ready
from synthetic_entries import HOSTILE, board


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    ledger = Ledger.open(folder / "ledger", folder / "key")
    for entry in board():
        ledger.append(entry.kind, entry.body, entry.level)
    assert build_site(folder / "ledger", folder / "site") == folder / "site" / "index.html"
    return folder / "site"


def test_an_export_says_what_the_server_says(visit: Open, exported: Path, table_path: str) -> None:
    def said(page: Page) -> str:
        text = page.locator("main").inner_text()
        # Times are those of the ledger that was written here, and what needs a server is left out.
        return re.sub(r"\s+", " ", re.sub(r"20\d\d-\d\d-\d\d \d\d:\d\d UTC", "", text))

    for path in ("/scaling/text", table_path.replace("boards", "progress"), "/rules"):
        served_page, file_page = visit(path), visit(f"file://{exported}{path}.html")
        if path != "/rules":
            for page in (served_page, file_page):
                page.locator(".drawing svg").first.wait_for()
        if "progress" not in path:
            assert said(file_page) == said(served_page)
    served_board = ready(visit("/boards/text/nano"))
    page = ready(visit(f"file://{exported}/boards/text/nano.html"))
    rows = "#rows tr"
    assert page.locator(rows).all_inner_texts() == served_board.locator(rows).all_inner_texts()
    page.locator("[data-sort=name]").click()
    served_board.locator("[data-sort=name]").click()
    assert names(page) == names(served_board)
    page.get_by_label("Filter", exact=True).fill("oracle")
    assert names(page) == ["oracle"]
    page.locator("#rows a.entry").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("oracle")
    page.get_by_role("link", name="Boards").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("How good is a training set?")


def test_every_link_of_an_export_leads_somewhere(exported: Path) -> None:
    for file in exported.rglob("*.html"):
        for target in re.findall(r'(?:href|src|data-rows)="([^"]+)"', file.read_text()):
            path = unquote(target.split("#")[0])
            if path and not path.startswith(("http", "data:")) and "DIGEST" not in path:
                assert (file.parent / path).resolve().is_file(), (file, target)


def test_an_export_tells_the_address_that_it_is_read_at(exported: Path, chromium: Browser) -> None:
    digest = DIGESTS["oracle"]
    page = chromium.new_page()
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    handler = partial(quiet, directory=exported.parent)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = f"http://127.0.0.1:{server.server_port}/site/"
        for address, told in ((here, here), (f"file://{exported}/", LOCAL)):
            page.goto(f"{address}entries/{digest}.html")
            page.locator("details.run summary").first.click()
            command = page.locator("details.run code[data-local]").first.inner_text()
            record = command.removeprefix(f"assay verify {told}")
            assert (exported / record).is_file()
            assert page.locator(".unserved").first.is_visible() == (told == LOCAL)
            page.goto(f"{address}boards/text/nano.html")
            frame = f'<iframe src="{told}embed/text/nano.html"'
            assert frame in (page.locator(".share").text_content() or "")
        server.shutdown()
    page.close()


def test_how_to_embed_is_copied_with_the_address_of_the_server(visit: Open) -> None:
    page = ready(visit("/boards/text/nano"))
    page.get_by_text("Embed this board").click()
    told = page.locator(".share code").inner_text()
    assert told.startswith('<iframe src="http://127.0.0.1:8080/embed/text/nano" title="text nano')
    page = visit(f"/entries/{DIGESTS['oracle']}")
    page.get_by_text("Embed the badge").click()
    markdown, markup = page.locator(".share code").all_inner_texts()
    site, digest = "http://127.0.0.1:8080", DIGESTS["oracle"]
    badge, entry = f"{site}/badges/{digest}.svg", f"{site}/entries/{digest}"
    assert MarkdownIt().render(markdown) == (
        f'<p><a href="{entry}"><img src="{badge}" alt="Rank on Assay" /></a></p>\n'
    )
    assert markup == f'<a href="{entry}"><img src="{badge}" alt="Rank on Assay"></a>'


def test_the_feed_is_atom_and_badges_are_svg(source: StillSource) -> None:
    client = TestClient(make_app((), source=source))
    feed = ElementTree.fromstring(client.get("/records.atom").text)
    atom = "{http://www.w3.org/2005/Atom}"
    titles = [e.findtext(f"{atom}title") or "" for e in feed.findall(f"{atom}entry")]
    assert any(title.startswith(HOSTILE) for title in titles)
    assert any(title.endswith("(retracted)") for title in titles)
    badge = ElementTree.fromstring(client.get(f"/badges/{DIGESTS['random']}.svg").text)
    assert re.fullmatch(r"assay text nano: rank \d+( to \d+)?", badge.attrib["aria-label"])
    record = next(iter(source.snapshot().boards("text", "nano")[0].entrants.values())).runs[0]
    assert client.get(f"/records/{record.digest[7:]}.json").json() == record.record()
