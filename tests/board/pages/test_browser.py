"""The pages in a real browser, with scripts and without, from a server and from a folder of files."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page, expect

from assay_board.pages.render import assets
from assay_board.pages.routes import pages_router
from assay_board.pages.snapshot import Snapshot
from assay_board.pages.views.board import build_board
from assay_board.pages.views.listing import Query, show
from board_pages_app import StillSource, make_app
from browsing import DIGESTS, Open, names, ready
from synthetic_entries import HOSTILE


def every_path(table: str) -> list[str]:
    chosen = "&".join(f"entry={DIGESTS[n][:12]}" for n in ("oracle", "random", "fasttext_edu"))
    return [
        "/", "/boards/text/nano", table, f"{table.replace('boards', 'compare')}?{chosen}",
        table.replace("boards", "progress"), "/scaling/clip", f"/entries/{DIGESTS['oracle']}",
        f"/entries/{DIGESTS[HOSTILE]}", "/submissions", "/submissions/s000003", "/submissions/s000002", "/submit", "/rules",
        "/embed/text/nano",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"color_scheme": "dark", "viewport": {"width": 360, "height": 740}},
    ],
)
def test_no_page_complains_or_overflows(
    visit: Open, table_path: str, options: dict[str, Any]
) -> None:
    for path in every_path(table_path):
        page = visit(path, **options)
        if not path.startswith("/embed"):
            assert page.locator("h1").count() == 1, path
        # Wide tables scroll within themselves.
        assert page.locator("html").evaluate("e => e.scrollWidth <= e.clientWidth"), path
        assert page.locator("img").evaluate_all("all => all.every(i => i.alt)"), path
        page.close()


def test_no_page_has_a_script_or_a_style_in_itself(source: StillSource, table_path: str) -> None:
    client = TestClient(make_app((), source=source))
    for path in every_path(table_path):
        answer = client.get(path)
        assert answer.status_code == 200, path
        inline = r"<style|\sstyle=|\son\w+=|<script(?! src=)(?! type=.application/json)"
        assert re.findall(inline, answer.text) == [], path
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
        assert ("frame-ancestors *" in policy) == path.startswith("/embed")


def test_a_reader_who_has_the_page_is_not_sent_it_again(source: StillSource) -> None:
    client = TestClient(make_app((), source=source))
    for path in ("/rules", "/boards/text/nano", "/static/pages.css"):
        first = client.get(path)
        again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_columns_sort_as_the_server_sorts_them(visit: Open, snapshot: Snapshot) -> None:
    held = build_board(snapshot, snapshot.boards("text", "nano")[0])
    page = ready(visit("/boards/text/nano"))
    for sort in (
        "name",
        "score",
        "second",
        "best",
        "seeds",
        "size",
        "repeats",
        "cost",
        "level",
        "rank",
    ):
        page.locator(f"[data-sort={sort}]").click()
        expect(page.locator(f"th[data-column={sort}]")).to_have_attribute("aria-sort", "ascending")
        assert names(page) == [row.name for row in show(held, Query(sort=sort)).rows], sort
    page.locator("[data-sort=score]").click()
    page.locator("[data-sort=score]").click()
    assert "sort=score&down=1" in page.url
    down = [row.name for row in show(held, Query(sort="score", down=True)).rows]
    assert names(page) == down
    page.reload()
    assert names(ready(page)) == down


def test_a_script_draws_the_rows_that_the_server_draws(visit: Open) -> None:
    def cells(page: Page) -> list[list[str]]:
        rows = page.locator("#rows tr:not(.divider)")
        return rows.evaluate_all(
            "all => all.map(r => [r.className, ...[...r.children].map(c => c.innerText.trim()),"
            " r.querySelector('.reach').getAttribute('x1'), r.querySelector('.entry').getAttribute('href')])"
        )

    plain = cells(visit("/boards/text/nano", java_script_enabled=False))
    drawn = cells(ready(visit("/boards/text/nano")))
    tidy = [[re.sub(r"[▲\s]+", " ", str(cell)).strip() for cell in row] for row in drawn]
    for row, expected in zip(tidy, plain, strict=True):
        expected = [re.sub(r"\s+", " ", str(cell)).strip() for cell in expected]
        assert row[:-2] == expected[:-2]
        assert float(row[-2]) == pytest.approx(float(expected[-2]))
        assert row[-1] == expected[-1]


def test_filter_and_level(visit: Open) -> None:
    page = ready(visit("/boards/text/nano"))
    page.get_by_label("Filter", exact=True).fill("quality")
    assert names(page) == ["quality_rules"]
    expect(page.locator("#count")).to_have_text("1 submission")
    assert "q=quality" in page.url
    page.get_by_label("Filter", exact=True).fill("no such name")
    expect(page.locator("#rows")).to_have_text(re.compile("Nothing here fits"))
    page.get_by_label("Filter", exact=True).fill("")
    page.get_by_label("Level").select_option("official")
    assert names(page) == ["fresh_seeds"]
    assert "level=official" in page.url


def test_pins_stay_on_top_and_in_the_address(visit: Open) -> None:
    page = ready(visit("/boards/text/nano"))
    page.get_by_role("button", name="Pin random", exact=True).click()
    assert names(page)[0] == "random"
    page.get_by_label("Filter", exact=True).fill("oracle")
    assert names(page) == ["random", "oracle"]
    assert f"pin={DIGESTS['random'][:12]}" in page.url
    page.reload()
    assert names(ready(page)) == ["random", "oracle"]
    page.get_by_role("button", name="Pin random", exact=True).click()
    assert names(page) == ["oracle"]


def test_two_to_five_are_compared(visit: Open) -> None:
    page = ready(visit("/boards/text/nano"))
    compare = page.get_by_role("button", name="Compare the ticked")
    expect(compare).to_be_disabled()
    for name in ("random", "oracle"):
        page.get_by_label(f"Compare {name}", exact=True).check()
    # What was ticked stays ticked where a filter hides it.
    page.get_by_label("Filter", exact=True).fill("fasttext")
    page.get_by_label("Compare fasttext_edu", exact=True).check()
    expect(page.locator("#ticked")).to_have_text("3 ticked")
    compare.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compared with random")
    assert page.locator("section h2").all_inner_texts()[:2] == [
        "oracle minus random",
        "fasttext_edu minus random",
    ]
    first = page.locator("tr.whole").first
    expect(first).to_have_class(re.compile("better"))
    page.go_back()
    ready(page)
    page.get_by_label("Filter", exact=True).fill("")
    for name in ("no_filter", "quality_rules"):
        page.get_by_label(f"Compare {name}", exact=True).check()
    expect(page.get_by_label("Compare worst_first")).to_be_disabled()
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_label("Compare worst_first")).to_be_enabled()


def test_everything_can_be_done_from_the_keyboard(visit: Open) -> None:
    page = ready(visit("/boards/text/nano"))
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to content")
    page.keyboard.press("Enter")
    page.locator("[data-sort=name]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("th[data-column=name]")).to_have_attribute("aria-sort", "ascending")
    outline = page.locator(":focus").evaluate(
        "e => getComputedStyle(e).outlineStyle + getComputedStyle(e).outlineWidth"
    )
    assert outline == "solid2px"
    for name in ("oracle", "random"):
        page.get_by_label(f"Compare {name}", exact=True).focus()
        page.keyboard.press("Space")
        expect(page.get_by_label(f"Compare {name}", exact=True)).to_be_focused()
    page.get_by_role("button", name="Compare the ticked").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Compared with oracle")


def test_the_theme_follows_the_system_until_it_is_switched(visit: Open) -> None:
    def paper(page: Page) -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    page = visit("/", color_scheme="dark")
    assert paper(page) == "rgb(20, 23, 27)"
    page.get_by_role("button", name="Change between light and dark").click()
    assert paper(page) == "rgb(255, 255, 255)"
    page.goto(page.url + "rules")
    assert paper(page) == "rgb(255, 255, 255)"


def test_without_scripts_a_board_is_read_sorted_filtered_and_compared(visit: Open) -> None:
    page = visit("/boards/text/nano", java_script_enabled=False)
    page.locator("[data-sort=name]").click()
    assert "sort=name" in page.url
    assert names(page)[0] == "<script>alert(1)</script>\"'&"
    page.get_by_label("Filter", exact=True).fill("random")
    page.get_by_role("button", name="Apply").click()
    assert names(page) == ["random"]
    page.goto(page.url.split("?")[0])
    for name in ("oracle", "random"):
        page.get_by_label(f"Compare {name}", exact=True).check()
    page.get_by_role("button", name="Compare the ticked").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compared with oracle")
    page = visit("/scaling/text", java_script_enabled=False)
    expect(page.locator("#rank-flow table")).to_be_visible()


def test_figures_are_drawn_in_the_readers_colours(visit: Open) -> None:
    page = visit("/scaling/text", color_scheme="dark")
    page.locator("#rank-flow svg").wait_for()
    expect(page.locator("#rank-flow table")).to_be_hidden()
    assert page.locator(".drawing svg").count() == 5
    page.locator("#scaling svg path[aria-roledescription='point']").first.hover()
    expect(page.locator("#vg-tooltip-element")).to_be_visible()
    assert (
        page.locator("#vg-tooltip-element").evaluate("e => getComputedStyle(e).backgroundColor")
        == "rgb(20, 23, 27)"
    )


def test_a_strangers_text_stays_text(visit: Open) -> None:
    page = visit(f"/entries/{DIGESTS[HOSTILE]}")
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    assert page.locator("a[href^='javascript']").count() == 0
    page = ready(visit("/boards/text/nano?q=%3Cscript%3E"))
    assert names(page) == [HOSTILE]


def test_every_column_says_what_it_means(visit: Open) -> None:
    page = ready(visit("/boards/text/nano"))
    titles = page.locator("#board thead th:not(.tick)").evaluate_all("all => all.map(h => h.title)")
    assert len(titles) == 11
    page.get_by_text("What the columns mean").click()
    assert page.locator(".columns-of dd").all_inner_texts() == titles
    assert all(titles)


def test_what_is_not_there_is_a_page(visit: Open, served: str, chromium: Browser) -> None:
    page = chromium.new_page()
    for path in (
        "/nowhere",
        "/boards/text/giga",
        "/entries/00",
        "/submissions/none",
        "/submissions?cursor=x",
    ):
        answer = page.goto(served + path)
        assert answer is not None
        assert answer.status == 404, path
        expect(page.get_by_role("heading", level=1)).to_have_text("Not here")
    answer = page.goto(f"{served}/boards/clip/micro")
    assert answer is not None
    assert answer.status == 200
    expect(page.get_by_role("heading", level=1)).to_have_text("clip/micro: no runs yet")
    page.close()


def test_losses_are_drawn_where_they_are_at_hand(
    source: StillSource, tmp_path: Path, snapshot: Snapshot
) -> None:
    digest = f"sha256:{DIGESTS['oracle']}"
    run = snapshot.boards("text", "nano")[0].entrants[digest].runs[0]
    np.save(tmp_path / "trace.npy", np.linspace(4, 1, 1200, dtype=np.float32))
    app = FastAPI()
    find = lambda record: tmp_path / "trace.npy" if record == run.digest else None  # noqa: E731
    app.include_router(pages_router(source, trace_path=find))
    text = TestClient(app).get(f"/entries/{digest[7:]}").text
    assert text.count("<polyline") == 1
    assert "Training loss over 1200 steps: 3.991 to 1.008" in text


def test_what_is_vendored_is_what_the_library_carries() -> None:
    vl_convert = pytest.importorskip("vl_convert")
    assert assets()["vendor/vega.js"].decode() == vl_convert.javascript_bundle()
    licence = assets()["vendor/LICENSE"].decode()
    assert f"Vega {vl_convert.get_vega_version()}" in licence
    assert f"Vega-Embed {vl_convert.get_vega_embed_version()}" in licence
