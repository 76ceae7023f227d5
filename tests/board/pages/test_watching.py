"""Submissions in a browser: handed in, and watched until they have ended."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from board_pages_app import SUBMISSIONS, StillSource
from browsing import Open
from synthetic_entries import HOSTILE


def test_a_running_submission_is_watched(visit: Open) -> None:
    page = visit("/submissions/s000003")
    expect(page.locator("#status")).to_have_text(re.compile("Watching"))
    expect(page.locator("tr[data-seed='1'] .done")).to_have_text(
        "400,000 of 1,228,800 tokens, 9,800 a second"
    )
    page.get_by_text("Log", exact=True).click()
    expect(page.locator("#log")).to_have_text("seed 1: step 400 loss 1.2 <b>\n")


def test_what_changes_is_shown_without_loading_the_page_again(
    visit: Open, monkeypatch: pytest.MonkeyPatch, source: StillSource
) -> None:
    found = json.loads(json.dumps(next(s for s in SUBMISSIONS if s["id"] == "s000004")))
    found["state"] = "screening"
    monkeypatch.setattr(source, "submission", lambda _: found)
    page = visit("/submissions/s000004")
    expect(page.locator("#screening")).to_contain_text("The list is being read")
    page.evaluate("window.same = true")
    found["report"]["audit"] = {"done": False, "reason": "took longer than 600 s <b>"}
    found["state"] = "queued"
    expect(page.locator("#screening")).to_contain_text("Not screened: took longer than 600 s <b>")
    expect(page.locator("#facts .state")).to_have_text("queued")
    for run in found["runs"]:
        run["state"] = "done"
    found["state"] = "done"
    expect(page.locator("#runs .state.done")).to_have_count(3)
    expect(page.locator("#status")).to_have_text("From a terminal:")
    assert page.evaluate("window.same")


def test_a_refused_list_is_explained_in_place(visit: Open, tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("00\n")
    page = visit("/submit")
    page.locator("#list").set_input_files(file)
    page.get_by_role("button", name="Check only").click()
    expect(page.locator("#report")).to_have_text(re.compile("register a team"))
    page.get_by_text("No token yet").click()
    page.get_by_label("Name of your team").fill("us")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_label("Token")).to_have_value("secret-token")
    expect(page.get_by_label("Name", exact=True)).to_have_value("mine")
    with page.expect_response("**/v1/validations") as answer:
        page.get_by_role("button", name="Check only").click()
    assert answer.value.request.headers["authorization"] == "Bearer secret-token"
    expect(page.locator(".finding")).to_have_text(f"S2 {HOSTILE} (row 17)")
    assert page.evaluate("[sessionStorage.length, localStorage.length]") == [1, 0]
    page.get_by_label("keep it in this browser").check()
    assert page.evaluate("[sessionStorage.length, localStorage.length]") == [0, 1]


def test_a_server_that_builds_a_pool_first_is_asked_again(visit: Open, tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("00\n")
    page = visit("/submit")
    asked = []

    def building(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) > 2:
            route.fallback()
            return
        detail = json.dumps({"status": 503, "detail": "the pool of text/nano is being built, once"})
        route.fulfill(status=503, headers={"Retry-After": "1"}, body=detail)

    page.route("**/v1/validations", building)
    page.locator("#list").set_input_files(file)
    page.get_by_label("Token").fill("secret-token")
    page.get_by_role("button", name="Check only").click()
    expect(page.locator("#report")).to_have_text(
        re.compile("is being built, once. This page goes on")
    )
    expect(page.locator(".finding")).to_have_text(re.compile("^S2"))
    assert len(asked) == 3
    assert "being built" not in page.locator("#report").inner_text()
