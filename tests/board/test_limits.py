"""Quotas, rate limits, and lists that are handed in twice."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay_board.limits import RateLimit
from assay_board.problems import ProblemError
from assay_board.settings import DAY, Rate
from tiny_lists import a_list


def test_only_runs_that_come_to_something_use_a_quota_up(start, database_url):
    server = start(database_url, runs_per_week=3, max_attempts=1)
    team, worker = server.team(), server.token("work")
    first = server.hand_in(team, seeds="2").json()["submission"]
    answer = server.hand_in(team, a_list(1), seeds="2")
    assert (answer.status_code, answer.json()["rule"]) == (429, "R1")
    assert not (server.board.settings.folder / "submissions").joinpath("x").exists()
    assert len(list((server.board.settings.folder / "submissions").iterdir())) == 1
    # Another team has its own.
    assert server.hand_in(server.team("others"), a_list(1), seeds="2").status_code == 202
    # Lost, hopeless and withdrawn runs give their place back.
    server.lease(worker)
    server.clock.now += 121
    server.call(worker, server.lease(worker), "failure", reason="broken", retryable=False)
    assert server.get(f"/v1/submissions/{first['id']}")["state"] == "failed"
    assert server.hand_in(team, a_list(2), seeds="3").status_code == 202
    assert server.hand_in(team, a_list(3)).status_code == 429
    # A week later all of it is free again.
    server.clock.now += 7 * DAY
    assert server.hand_in(team, a_list(3), seeds="3").status_code == 202


def test_a_quota_holds_when_a_team_asks_from_many_places_at_once(start, database_url):
    server = start(database_url, runs_per_week=4)
    team = server.team()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: server.hand_in(team, a_list(n)).status_code, range(8)))
    assert sorted(answers) == [202] * 4 + [429] * 4


def test_the_same_list_is_the_same_submission_whatever_its_file(server):
    team = server.team()
    first = server.hand_in(team)
    assert first.status_code == 202
    for name, who in (("s.npy", team), ("x.parquet", team), ("y.csv", server.team("others"))):
        suffix = "." + name.split(".")[1]
        again = server.hand_in(who, a_list(suffix=suffix), name)
        assert again.status_code == 200
        assert again.json() == first.json()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: server.hand_in(team, a_list(9)), range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [202]
    assert len({answer.json()["submission"]["id"] for answer in answers}) == 1
    assert len(server.get("/v1/submissions")["items"]) == 2


def test_uploads_and_registrations_are_rated(start):
    slow = Rate(burst=2, per_minute=6)
    server = start(uploads=slow, registrations=slow)
    team = server.team()
    server.team("more")
    answer = server.client.post("/v1/teams", json={"name": "too many"})
    assert (answer.status_code, answer.json()["rule"]) == (429, "R2")
    assert answer.headers["retry-after"] == "10"
    for _ in range(2):
        assert server.hand_in(team, path="/v1/validations").status_code == 200
    assert server.hand_in(team).json()["rule"] == "R2"
    server.clock.now += 10
    assert server.hand_in(team).status_code == 202


@given(st.lists(st.floats(0, 30), max_size=60), st.integers(1, 5))
def test_no_client_gets_more_than_its_bucket_and_what_was_given_back(waits, burst):
    time = [0.0]
    limit = RateLimit(Rate(burst=burst, per_minute=6), lambda: time[0])
    taken = 0
    for number, wait in enumerate(waits):
        time[0] += wait
        with suppress(ProblemError):
            limit.take("somebody")
            taken += 1
        limit.take(f"another {number}")
    assert taken <= burst + time[0] / 10 + 1e-6


def test_buckets_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("assay_board.limits.MAX_BUCKETS", 10)
    limit = RateLimit(Rate(burst=1, per_minute=1), lambda: 0.0)
    for n in range(1000):
        limit.take(str(n))
    assert len(limit._buckets) == 10
