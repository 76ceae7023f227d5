"""Waiting, trying again, and refusals in one line, against a server that is a function."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import RemoteError
from assay.remote.client import (
    FIRST_WAIT,
    LONGEST_PATIENCE,
    LONGEST_WAIT,
    Client,
    refusal,
    server_url,
    warn_in_the_clear,
)

URL = "https://board.example.org"


def client(
    answer: Callable[[httpx.Request], httpx.Response], **kwargs
) -> tuple[Client, list[float]]:
    waits: list[float] = []
    made = Client(URL, "t", transport=httpx.MockTransport(answer), sleep=waits.append, **kwargs)
    return made, waits


def answering(*answers: httpx.Response | Exception) -> Callable[[httpx.Request], httpx.Response]:
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        given = left.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    return answer


OK = httpx.Response(200, json={"ok": True})


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_passes_is_tried_again(status: int) -> None:
    asked, waits = client(answering(httpx.Response(status), httpx.Response(status), OK))
    assert asked.get("/v1/health") == {"ok": True}
    assert len(waits) == 2
    assert FIRST_WAIT / 2 <= waits[0] <= FIRST_WAIT <= waits[1] <= 2 * FIRST_WAIT


def test_a_broken_connection_is_tried_again() -> None:
    asked, waits = client(answering(httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), OK))
    assert asked.get("/v1/health") == {"ok": True}
    assert len(waits) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 413, 422, 302])
def test_what_stays_is_not(status: int) -> None:
    asked, waits = client(answering(httpx.Response(status)))
    with pytest.raises(RemoteError) as caught:
        asked.get("/v1/health")
    assert caught.value.status == status
    assert waits == []


def test_retry_after_is_honoured_in_both_forms() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    answers = [httpx.Response(429, headers={"Retry-After": value}) for value in ("17", soon)]
    asked, waits = client(answering(*answers, OK))
    asked.get("/v1/health")
    assert waits[0] == 17
    assert 50 < waits[1] <= 60


@pytest.mark.parametrize("value", ["soon", "-5", "nan", "inf", "Wed, 99 Foo", ""])
def test_a_senseless_retry_after_counts_as_none(value: str) -> None:
    asked, waits = client(answering(httpx.Response(503, headers={"Retry-After": value}), OK))
    asked.get("/v1/health")
    assert waits[0] <= FIRST_WAIT


def test_an_hour_is_not_waited_out() -> None:
    asked, waits = client(answering(httpx.Response(429, headers={"Retry-After": "3600"})))
    with pytest.raises(RemoteError, match="wait, then run the same command again"):
        asked.get("/v1/health")
    assert waits == []


def test_who_is_put_off_again_and_again_is_told_why_and_waits_ten_minutes(capsys) -> None:
    busy = httpx.Response(503, json={"detail": "a pool is made"}, headers={"Retry-After": "25"})
    asked, waits = client(answering(*[busy] * 20, OK))
    asked.get("/v1/health")
    assert waits == [25] * 20
    assert capsys.readouterr().err.count("a pool is made; trying again in 25 s\n") == 20
    asked, waits = client(answering(*[busy] * 50))
    with pytest.raises(RemoteError, match="a pool is made"):
        asked.get("/v1/health")
    assert sum(waits) == LONGEST_PATIENCE


def test_waits_grow_to_a_bound_and_then_it_gives_up() -> None:
    asked, waits = client(answering(*[httpx.ConnectError("refused")] * 12), attempts=12)
    with pytest.raises(
        RemoteError, match="cannot be reached: refused; check the address"
    ) as caught:
        asked.get("/v1/health")
    assert caught.value.status is None
    assert len(waits) == 11
    assert waits[-1] <= LONGEST_WAIT
    assert all(wait >= min(LONGEST_WAIT, FIRST_WAIT * 2**i) / 2 for i, wait in enumerate(waits))


def test_a_problem_becomes_one_line_with_its_findings() -> None:
    finding = {"rule": "S2", "severity": "error", "message": "3 ids are unknown", "row": 4}
    problem = {
        "title": "Unprocessable",
        "detail": "S2 fails\nhere\x1b[31m",
        "rule": "S2",
        "findings": [finding, 5],
    }
    error = refusal(URL, httpx.Response(422, json=problem))
    assert str(error) == f"{URL} refuses: S2: S2 fails here?[31m"
    assert error.findings == (finding,)


@given(st.integers(300, 599), st.one_of(st.binary(), st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["detail", "title", "findings", "rule"]), inner),
    max_leaves=8,
)))  # fmt: skip
def test_whatever_a_server_answers_is_one_printable_line(status: int, body) -> None:
    content = {"content": body} if isinstance(body, bytes) else {"json": body}
    error = refusal(URL, httpx.Response(status, **content))
    assert str(error).isprintable()
    assert error.status == status


def test_a_page_of_a_proxy_is_summed_up_by_its_status() -> None:
    answer = httpx.Response(403, html="<html>Access denied</html>")
    assert "403 Forbidden; ask whoever runs the server" in str(refusal(URL, answer))


def test_a_server_that_moved_is_named() -> None:
    answer = httpx.Response(308, headers={"Location": "https://new.example.org/"})
    assert "it moved to https://new.example.org/" in str(refusal(URL, answer))


def test_the_token_goes_along_and_not_elsewhere() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["Authorization"] == "Bearer t"
        return httpx.Response(302, headers={"Location": "https://evil.example.org/"})

    asked, _ = client(answer)
    with pytest.raises(RemoteError):
        asked.get("/v1/health")


@pytest.mark.parametrize(
    "url", ["", "board.example.org", "ftp://x", "http://", "file:///etc/passwd", "http://[::1"]
)
def test_what_is_no_url_is_said(url: str) -> None:
    with pytest.raises(RemoteError, match="is no URL of a server"):
        server_url(url)


def test_urls_lose_what_follows_the_path() -> None:
    assert server_url("https://b.org/assay/?x=1#y") == "https://b.org/assay"


def test_a_token_with_odd_characters_is_refused() -> None:
    with pytest.raises(RemoteError, match="no token has"):
        Client(URL, "schlüssel")


def test_pages_are_followed_to_the_end() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params.get("cursor", 0))
        following = str(start + 2) if start < 4 else None
        return httpx.Response(200, json={"items": [start, start + 1], "next": following})

    asked, _ = client(answer)
    assert list(asked.items("/v1/things", track="text")) == [0, 1, 2, 3, 4, 5]


def test_a_download_is_whole_or_absent(tmp_path: Path) -> None:
    def broken():
        yield b"half"
        raise httpx.ReadError("gone")

    target = tmp_path / "list"
    asked, _ = client(lambda request: httpx.Response(200, content=broken()), attempts=2)
    with pytest.raises(RemoteError):
        asked.download("/list", target)
    assert list(tmp_path.iterdir()) == []
    asked, waits = client(
        answering(
            httpx.Response(503), httpx.ReadError("gone"), httpx.Response(200, content=b"whole")
        )
    )
    asked.download("/list", target)
    assert target.read_bytes() == b"whole"
    assert len(waits) == 2


@pytest.mark.parametrize(
    ("url", "readable"),
    [("http://board.example.org", True), ("http://192.168.1.7:8080", True), ("https://board.example.org", False),
     ("http://127.0.0.1:8080", False), ("http://[::1]:80", False), ("http://localhost", False)],
)  # fmt: skip
def test_a_token_that_others_can_read_on_the_way_is_warned_of(url, readable, capsys) -> None:
    warn_in_the_clear(url)
    told = capsys.readouterr().err
    assert told.startswith(f"warning: {url} is plain http") == readable
    assert told.count("\n") == readable
