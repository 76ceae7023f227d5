"""Leases, heartbeats, attempts and dead letters, on both databases."""

from concurrent.futures import ThreadPoolExecutor

from tiny import SCALE, TRACK
from tiny_lists import a_list


def shown(server, submission):
    return server.get(f"/v1/submissions/{submission['id']}")


def queue_one(server, team=None, **fields):
    answer = server.hand_in(team or server.team(), **fields)
    assert answer.status_code == 202, answer.text
    return answer.json()["submission"]


def test_a_silent_worker_loses_its_run_and_another_brings_the_same_result(server):
    submission, worker, other = queue_one(server), server.token("work"), server.token("work")
    lost = server.lease(worker, "w1")
    server.clock.now += 100
    assert server.call(worker, lost, "heartbeat").status_code == 200
    server.clock.now += 119
    assert server.lease(other, "w2") is None
    server.clock.now += 2
    again = server.lease(other, "w2")
    assert again["job"]["run"] == lost["job"]["run"]
    assert again["job"]["seed"] == lost["job"]["seed"]
    for what in ("heartbeat", "failure", "return"):
        body = {} if what == "heartbeat" else {"reason": "x"}
        answer = server.call(worker, lost, what, **body)
        assert answer.status_code == 410
        assert answer.json()["rule"] == "L1"
    assert server.bring(worker, lost).status_code == 410
    assert server.bring(other, again).status_code == 201
    (run,) = shown(server, submission)["runs"]
    assert (run["state"], run["attempts"], run["worker"]) == ("done", 2, "w2")


def test_a_run_that_is_lost_too_often_is_a_dead_letter_with_its_reason(server):
    submission, worker = queue_one(server), server.token("work")
    for attempt in range(1, 4):
        assert server.lease(worker, f"w{attempt}") is not None
        server.clock.now += 121
    assert server.lease(worker) is None
    found = shown(server, submission)
    assert found["state"] == "failed"
    assert "w3 was not heard of" in found["runs"][0]["reason"]
    assert "attempt 3 of 3" in found["runs"][0]["reason"]


def test_a_failure_says_whether_to_try_again(server):
    submission, worker = queue_one(server, seeds="2"), server.token("work")
    first = server.lease(worker)
    answer = server.call(worker, first, "failure", reason="out of\nmemory\x1b[2J", retryable=True)
    assert answer.status_code == 204
    # Another run is tried before the one that failed.
    second = server.lease(worker)
    assert (first["job"]["seed_index"], second["job"]["seed_index"]) == (0, 1)
    server.call(worker, second, "failure", reason="no such device", retryable=False)
    runs = shown(server, submission)["runs"]
    assert [run["state"] for run in runs] == ["queued", "failed"]
    assert runs[0]["reason"] == "out of memory?[2J"
    assert server.lease(worker)["job"]["seed_index"] == 0


def test_what_is_handed_back_uses_no_attempt_up(server):
    submission, worker = queue_one(server), server.token("work")
    for _ in range(3):
        lease = server.lease(worker)
        answer = server.call(worker, lease, "return", reason="the worker\x1b was stopped")
        assert answer.status_code == 204
        (run,) = shown(server, submission)["runs"]
        assert (run["state"], run["attempts"]) == ("queued", 0)
        assert run["reason"] == "the worker? was stopped"
        # It is not held any more, and cannot be handed back twice.
        assert server.call(worker, lease, "return", reason="x").status_code == 410
    # A silent death is an attempt as ever: two of them leave the third.
    for _ in range(2):
        assert server.lease(worker) is not None
        server.clock.now += 121
    last = server.lease(worker)
    assert server.call(worker, last, "return", reason="x").status_code == 204
    assert server.bring(worker, server.lease(worker)).status_code == 201
    (run,) = shown(server, submission)["runs"]
    assert (run["state"], run["attempts"]) == ("done", 3)


def test_workers_that_ask_at_once_get_different_runs(server):
    team, worker = server.team(), server.token("work")
    for first in range(6):
        queue_one(server, team, data=a_list(first), seeds="2")
    with ThreadPoolExecutor(8) as pool:
        leases = list(pool.map(lambda n: server.lease(worker, f"w{n}"), range(14)))
    runs = [lease["job"]["run"] for lease in leases if lease is not None]
    # On PostgreSQL a worker may find the last ones locked by others and be told to ask again.
    runs += [lease["job"]["run"] for _ in range(2) if (lease := server.lease(worker)) is not None]
    assert sorted(runs) == sorted(set(runs))
    assert len(runs) == 12


def test_a_worker_gets_what_it_can_run(server):
    queue_one(server)
    worker = server.token("work")
    for pairs, found in (
        ([{"track": "text", "scale": SCALE}], False),
        ([{"track": TRACK, "scale": "nano"}], False),
        ([{"track": "text", "scale": "nano"}, {"track": TRACK, "scale": SCALE}], True),
    ):
        asked = {"tracks": pairs, "device": "cpu", "software": {"torch": "2"}}
        assert (server.lease(worker, capabilities=asked) is not None) == found


def test_a_lease_is_of_one_token_and_one_secret(server):
    queue_one(server)
    worker, other = server.token("work"), server.token("work")
    lease = server.lease(worker)
    for who, secret in ((other, lease["secret"]), (worker, "x"), (worker, lease["secret"] + "x")):
        forged = lease | {"secret": secret}
        for what in ("heartbeat", "failure", "return"):
            body = {} if what == "heartbeat" else {"reason": "x"}
            answer = server.call(who, forged, what, **body)
            assert (answer.status_code, answer.json()["rule"]) == (404, "L1")
        headers = who | {"Assay-Lease": secret}
        assert server.client.get(f"/v1/leases/{lease['id']}/list", headers=headers).is_error
        assert server.bring(who, forged, record=b"{}", outputs=b"", trace=b"").status_code == 404
    headers = worker | {"Assay-Lease": lease["secret"]}
    answer = server.client.get(f"/v1/leases/{lease['id']}/list", headers=headers)
    assert answer.content[:4] == b"PAR1"


def test_progress_and_log_are_shown_and_harmless(server):
    submission, worker = queue_one(server), server.token("work")
    lease = server.lease(worker)
    progress = {"unit": "step", "done": 6, "total": 24, "rate": 3.0}
    lines = [f"line {n}" for n in range(5)] + ["<b>\x1b[31m\u202egnirts"]
    answer = server.call(worker, lease, "heartbeat", progress=progress, log=lines)
    assert answer.status_code == 200
    server.clock.now += 7
    found = shown(server, submission)
    assert found["runs"][0]["progress"] == progress
    assert found["runs"][0]["heartbeat_age_seconds"] == 7
    assert found["eta_seconds"] == 6.0
    first = server.get(f"/v1/submissions/{submission['id']}/log?limit=4")
    second = server.get(f"/v1/submissions/{submission['id']}/log?cursor={first['next']}")
    told = [item["line"] for item in first["items"] + second["items"]]
    assert told == [*lines[:5], "<b>?[31m?gnirts"]
    assert second["next"] is None
    bad = progress | {"done": -1}
    assert server.call(worker, lease, "heartbeat", progress=bad).status_code == 422


def test_positions_follow_the_queue(server):
    team, worker = server.team(), server.token("work")
    submissions = [queue_one(server, team, data=a_list(n), seeds="2") for n in range(3)]
    assert [shown(server, s)["position"] for s in submissions] == [1, 3, 5]
    server.lease(worker)
    server.lease(worker)
    assert [shown(server, s)["position"] for s in submissions] == [None, 1, 3]
    listed = server.get("/v1/submissions?state=queued")["items"]
    assert [item["id"] for item in listed] == [s["id"] for s in submissions[:0:-1]]


def test_what_is_withdrawn_is_run_by_nobody(server):
    team, worker = server.team(), server.token("work")
    submission = queue_one(server, team, seeds="2")
    lease = server.lease(worker)
    path = f"/v1/submissions/{submission['id']}/withdraw"
    answer = server.client.post(path, headers=server.team("others"))
    assert (answer.status_code, answer.json()["rule"]) == (403, "A2")
    answer = server.client.post(path, headers=team)
    assert answer.json()["state"] == "withdrawn"
    assert server.call(worker, lease, "heartbeat").status_code == 410
    assert server.lease(worker) is None
    assert server.client.post(path, headers=team).status_code == 409
    # Handed in again, it is queued again, under the same seeds.
    again = server.hand_in(team, seeds="2")
    assert again.status_code == 202
    assert server.lease(worker)["job"]["seed"] == lease["job"]["seed"]


def test_what_was_leased_when_the_server_stopped_goes_on_after_it(start, database_url):
    first = start(database_url)
    submission, worker = queue_one(first), first.token("work")
    lease = first.lease(worker)
    second = start(database_url)
    assert second.call(worker, lease, "heartbeat").status_code == 200
    assert second.bring(worker, lease).status_code == 201
    assert shown(second, submission)["state"] == "done"


def test_a_list_that_several_teams_hand_in_at_once_is_one_submission(server):
    teams = [server.team(f"team {n}") for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        for round_ in range(3):
            data = a_list(round_)
            calls = [pool.submit(server.hand_in, team, data=data) for team in teams]
            answers = [call.result() for call in calls]
            assert sorted(answer.status_code for answer in answers) == [200] * 5 + [202]
            assert len({answer.json()["submission"]["id"] for answer in answers}) == 1


def test_a_name_that_several_people_register_at_once_is_given_once(server):
    def register(_):
        return server.client.post("/v1/teams", json={"name": "first"}).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(register, range(6))) == [201] + [409] * 5


def test_whoever_comes_after_the_queue_was_looked_at_stands_behind_it(server):
    team, worker = server.team(), server.token("work")
    first = queue_one(server, team, data=a_list(0), seeds="2")
    server.call(worker, server.lease(worker), "failure", reason="x", retryable=True)
    # One run was not tried before; the other waits behind whatever comes.
    assert shown(server, first)["position"] == 1
    later = [queue_one(server, team, data=a_list(n), seeds="2") for n in (1, 2)]
    assert [submission["position"] for submission in later] == [2, 4]
    assert [shown(server, s)["position"] for s in (first, *later)] == [1, 2, 4]


def test_more_seeds_may_be_asked_for_later_and_count_against_the_quota(start, database_url):
    server = start(database_url, runs_per_week=3)
    team, worker = server.team(), server.token("work")
    first = queue_one(server, team, seeds="1")
    assert server.bring(worker, server.lease(worker)).status_code == 201
    more = server.hand_in(team, seeds="3")
    assert more.status_code == 202
    assert more.json()["submission"]["id"] == first["id"]
    runs = shown(server, first)["runs"]
    assert [run["state"] for run in runs] == ["done", "queued", "queued"]
    assert [run["seed_index"] for run in runs] == [0, 1, 2]
    # Asked for once more, or by others, it is what it is.
    assert server.hand_in(team, seeds="3").status_code == 200
    assert server.hand_in(server.team("others"), seeds="3").status_code == 200
    assert server.hand_in(team, seeds="4").json()["rule"] == "R1"
    seeds = {server.lease(worker)["job"]["seed"] for _ in range(2)}
    assert len(seeds) == 2


def test_nobody_keeps_a_list_from_the_others(server):
    team, others, worker = server.team(), server.team("others"), server.token("work")
    first = queue_one(server, team, seeds="2", manifest='{"name": "mine"}')
    path = f"/v1/submissions/{first['id']}/withdraw"
    assert server.client.post(path, headers=team).status_code == 200
    taken = server.hand_in(others, seeds="1", manifest='{"name": "ours"}')
    assert taken.status_code == 202
    found = taken.json()["submission"]
    assert (found["team"], found["name"], found["state"]) == ("others", "ours", "queued")
    # It is theirs now.
    assert server.client.post(path, headers=team).status_code == 403
    assert server.hand_in(team).status_code == 200
    assert server.bring(worker, server.lease(worker)).status_code == 201
