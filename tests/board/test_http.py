"""What every answer keeps to: OpenAPI, problem+json, headers, tags, pages."""

import gzip
import io
import re

import pyarrow.parquet as pq
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from assay_board.api.handlers import HEADERS
from forged_results import Forger
from tiny import SCALE, TRACK
from tiny_lists import a_list

CHECKS = [
    not_a_server_error,
    checks.response_schema_conformance,
    checks.content_type_conformance,
    checks.status_code_conformance,
]
BOARD = f"/v1/boards/{TRACK}/{SCALE}"


def test_answers_keep_to_the_schema_and_never_fail(server):
    """Schemathesis draws requests from the OpenAPI document, valid and not."""
    Forger(server)
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", server.client.app)
    tokens = [server.team("fuzz"), server.token("work"), {}]
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 25
    for operation in operations:
        _fuzz(operation, server, tokens)


def _fuzz(operation, server, tokens):
    @settings(
        max_examples=6,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        derandomize=True,
        database=None,
    )
    @given(case=operation.as_strategy(), who=st.sampled_from(tokens))
    def run(case, who):
        response = case.call(headers=who)
        case.validate_response(response, checks=CHECKS)
        if response.status_code >= 400:
            assert response.headers["content-type"][0] == "application/problem+json"

    run()


def test_what_is_there_keeps_to_the_schema(server):
    """Drawn addresses are of nothing: these are of a scored submission."""
    record = Forger(server).bring().json()["record"]
    (item,) = server.get("/v1/submissions")["items"]
    known = {"digest": record, "submission_id": item["id"], "track": TRACK, "scale": SCALE}
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", server.client.app)
    operations = [found.ok() for found in schema.get_all_operations()]
    seen = 0
    for operation in operations:
        names = re.findall(r"{(\w+)}", operation.path)
        if operation.method == "get" and set(names) <= set(known):
            query = {"from": 0, "to": 1} if operation.path.endswith("consistency") else {}
            where = {name: known[name] for name in names}
            case = operation.Case(path_parameters=where, query=query)
            response = case.call()
            assert response.status_code == 200, operation.path
            case.validate_response(response, checks=CHECKS)
            seen += 1
    assert seen > 15


def test_every_answer_has_the_headers_that_keep_browsers_safe(sqlite_server):
    for path in (
        "/v1/health",
        "/v1/nowhere",
        "/v1/submissions/x",
        "/",
        "/nowhere",
        "/v1/openapi.json",
    ):
        answer = sqlite_server.client.get(path)
        for name in HEADERS:
            assert name in answer.headers, (path, name)
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_nothing_is_loaded_from_elsewhere_or_documented_with_scripts(sqlite_server):
    for path in ("/docs", "/redoc"):
        assert sqlite_server.client.get(path).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/v1/records", "/v1/boards", BOARD, f"{BOARD}.csv", f"{BOARD}.parquet", "/v1/ledger/head"],
)
def test_what_the_ledger_says_is_sent_once(sqlite_server, path):
    get = sqlite_server.client.get
    first = get(path)
    again = get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    sqlite_server.hand_in(sqlite_server.team())
    new = get(path, headers={"If-None-Match": first.headers["etag"]})
    assert new.status_code == 200
    assert new.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize(
    "path", ["/", "/v1/health", BOARD, f"{BOARD}.csv", "/v1/nowhere", "/v1/teams"]
)
def test_a_head_is_a_get_without_its_body(sqlite_server, path):
    full, head = sqlite_server.client.get(path), sqlite_server.client.head(path)
    assert (head.status_code, head.content) == (full.status_code, b"")
    assert dict(head.headers) == dict(full.headers)
    assert full.content


@pytest.mark.parametrize("path", ["/rules", "/v1/openapi.json", BOARD])
def test_what_is_long_is_compressed_for_whoever_takes_it(sqlite_server, path):
    def ask(**headers):
        with sqlite_server.client.stream("GET", path, headers=headers) as answer:
            return answer, b"".join(answer.iter_raw())

    for _ in range(2):  # made, then kept
        answer, plain = ask(**{"accept-encoding": "identity"})
        assert "content-encoding" not in answer.headers
        packed_answer, packed = ask(**{"accept-encoding": "gzip"})
        if len(plain) >= 500:
            assert packed_answer.headers["content-encoding"] == "gzip"
            assert len(packed) < len(plain)
            assert gzip.decompress(packed) == plain
            assert packed_answer.headers["vary"] == answer.headers["vary"] == "Accept-Encoding"
        tag = answer.headers.get("etag")
        assert packed_answer.headers.get("etag") == tag
        if tag:
            again, nothing = ask(**{"accept-encoding": "gzip", "if-none-match": tag})
            assert (again.status_code, nothing) == (304, b"")


def test_pages_of_lists_follow_each_other(server):
    team, other = server.team(), server.team("others")
    made = [server.hand_in(team if n % 2 else other, a_list(n)).json() for n in range(5)]
    ids = [one["submission"]["id"] for one in reversed(made)]
    found, path = [], "/v1/submissions?limit=2"
    while path:
        page = server.get(path)
        found += [item["id"] for item in page["items"]]
        path = page["next"] and f"/v1/submissions?limit=2&cursor={page['next']}"
    assert found == ids
    assert [i["team"] for i in server.get("/v1/submissions?team=others")["items"]] == ["others"] * 3
    assert server.get("/v1/submissions?track=text")["items"] == []
    for query in ("cursor=x", "cursor=-1", "limit=0", "limit=9999", "limit=x", "cursor=1e3"):
        answer = server.client.get(f"/v1/submissions?{query}")
        assert (answer.status_code, answer.json()["rule"]) == (422, "Q1")


def test_a_board_is_the_same_in_every_format(server):
    forger = Forger(server)
    forger.bring()
    (table,) = server.get(BOARD)["tables"]
    (row,) = table["rows"]
    assert row["estimates"]["bits_per_byte"]["mean"] == forger.record["metrics"]["bits_per_byte"]
    csv = server.client.get(f"{BOARD}.csv")
    assert csv.headers["content-type"].startswith("text/csv")
    assert repr(row["estimates"]["bits_per_byte"]["mean"]) in csv.text
    parquet = pq.read_table(io.BytesIO(server.client.get(f"{BOARD}.parquet").content)).to_pylist()
    assert parquet[0]["bits_per_byte"] == row["estimates"]["bits_per_byte"]["mean"]
    assert server.get("/v1/boards")["items"] == [
        {"track": TRACK, "scale": SCALE, "records": 1, "submissions": 1}
    ]
    for path in ("/v1/boards/x/y", "/v1/boards/x/y.csv", "/v1/records/sha256:00"):
        assert server.client.get(path).status_code == 404


def test_tracks_say_what_a_list_may_be(sqlite_server):
    items = {(i["track"], i["scale"]): i for i in sqlite_server.get("/v1/tracks")["items"]}
    tiny = items[TRACK, SCALE]
    assert tiny["pool"]["available"]
    assert (
        tiny["pool"]["root"]
        == sqlite_server.board.law.pool(sqlite_server.board.law.scale(TRACK, SCALE)).root
    )
    assert tiny["max_list_bytes"] < sqlite_server.board.settings.max_upload_bytes
    assert tiny["rules"]["max_repeats"] > 0


def test_a_nul_is_refused_alike_by_both_databases(server):
    for path in (
        "/v1/submissions?team=%00",
        "/submissions?team=a%00b",
        "/v1/submissions/%00",
        "/submissions/%00",
        "/v1/records?track=%00",
        "/v1/records/a%00",
    ):
        answer = server.client.get(path)
        assert (answer.status_code, answer.json()["rule"]) == (422, "Q1"), path
    worker = server.token("work")
    answer = server.client.post("/v1/leases/%00/heartbeat", headers=worker, json={})
    assert answer.status_code == 422
    can = {"tracks": [{"track": "a\0", "scale": "b"}]}
    answer = server.client.post(
        "/v1/leases", headers=worker, json={"worker": "w", "capabilities": can}
    )
    assert answer.status_code == 422, answer.text
    # What is only shown is shown without it.
    server.hand_in(server.team())
    server.lease(worker, "w\0")
    (item,) = server.get("/v1/submissions")["items"]
    assert item["runs"][0]["worker"] == "w?"
