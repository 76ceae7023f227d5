"""Tokens that are forged, old, revoked, or of the wrong kind."""

import pytest
import sqlalchemy as sa

from assay_board.audit import OPERATOR
from assay_board.database import AuditLine, Token
from assay_board.settings import Rate
from assay_board.tokens import PREFIX, revoke
from tiny_lists import a_list

WORK = ("/v1/leases", {"worker": "w"})


def refused(answer, status, rule):
    assert (answer.status_code, answer.json()["rule"]) == (status, rule), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_token_is_kept_as_a_digest_alone(server):
    token = server.team()["Authorization"].removeprefix("Bearer ")
    assert len(token) == len(PREFIX) + 43
    with server.board.database.read() as session:
        for row in session.scalars(sa.select(Token)):
            assert token[len(PREFIX) :] not in str(vars(row))
        for line in session.scalars(sa.select(AuditLine)):
            assert token[len(PREFIX) :] not in str(vars(line))


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer x", f"Bearer {PREFIX}{'A' * 43}", f"bearer {PREFIX}", "Basic YTpi",
     "Bearer " + "A" * 5000, f"Bearer {PREFIX}{'%00' * 14}A", "Bearer ' OR 1=1 --"],
)  # fmt: skip
def test_forged_tokens_are_refused_in_the_same_words(sqlite_server, header):
    headers = {"Authorization": header} if header else {}
    answer = sqlite_server.client.post(WORK[0], json=WORK[1], headers=headers)
    refused(answer, 401, "A1")
    assert answer.headers["www-authenticate"] == "Bearer"
    refused(sqlite_server.hand_in(headers), 401, "A1")


def test_a_token_ends(server):
    worker = server.token("work", lasts=100)
    assert server.lease(worker) is None
    server.clock.now += 100
    refused(server.client.post(WORK[0], json=WORK[1], headers=worker), 401, "A1")
    worker = server.token("work")
    with server.board.database.write() as session:
        newest = session.scalar(sa.select(sa.func.max(Token.id)))
        revoke(session, server.clock(), OPERATOR, newest)
    refused(server.client.post(WORK[0], json=WORK[1], headers=worker), 401, "A1")


def test_a_token_does_what_its_scope_says(server):
    team, worker, admin = server.team(), server.token("work"), server.token("admin")
    for who in (team, admin):
        refused(server.client.post(WORK[0], json=WORK[1], headers=who), 403, "A2")
    for who in (worker, admin):
        refused(server.hand_in(who), 403, "A2")
    submission = server.hand_in(team).json()["submission"]
    refused(
        server.client.post(f"/v1/submissions/{submission['id']}/withdraw", headers=worker),
        403,
        "A2",
    )
    answer = server.client.post(f"/v1/submissions/{submission['id']}/withdraw", headers=admin)
    assert answer.status_code == 200


def test_guessing_is_slowed_down(start):
    server = start(refusals=Rate(burst=3, per_minute=1))
    forged = {"Authorization": f"Bearer {PREFIX}{'A' * 43}"}
    answers = [server.client.post(WORK[0], json=WORK[1], headers=forged) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401] * 3 + [429] * 2
    # Whoever has a token is not kept out by somebody who has none.
    assert server.lease(server.token("work")) is None


def test_registration_can_be_closed(start):
    server = start(open_registration=False)
    refused(server.client.post("/v1/teams", json={"name": "us"}), 403, "A2")


@pytest.mark.parametrize(
    "name", ["", " ", "a\nb", "a\x00b", "\u202egnirts", "x" * 81, "\ud800", 7, None]
)
def test_names_that_are_no_names_are_refused(sqlite_server, name):
    import json

    body = json.dumps({"name": name}).encode("utf-8", "surrogatepass")
    headers = {"content-type": "application/json"}
    refused(sqlite_server.client.post("/v1/teams", content=body, headers=headers), 422, "Q1")


def test_names_that_look_alike_are_one(server):
    server.team("Straße  Team")
    for name in ("STRASSE team", "Straße Team", "\uff33trasse Team"):
        assert server.client.post("/v1/teams", json={"name": name}).status_code == 409


def test_acts_are_written_down(server):
    team = server.team()
    server.hand_in(team, a_list(3))
    server.hand_in(server.token("work"))
    with server.board.database.read() as session:
        lines = session.scalars(sa.select(AuditLine).order_by(AuditLine.id)).all()
    assert [line.action for line in lines] == [
        "team.register", "token.create", "submission.accept", "token.create", "refused",
    ]  # fmt: skip
    assert {line.address for line in lines} == {"testclient", "server"}
