"""What an operator does beside the server: tokens, epochs, official runs, the index."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from assay.console import one_line
from assay.errors import SettingsError
from assay_board.audit import OPERATOR, note
from assay_board.context import Board
from assay_board.database import AuditLine, Mark, Team, Token
from assay_board.describe import iso
from assay_board.epochs import open_epochs
from assay_board.index import follow_alone, rebuild
from assay_board.intake import order_official
from assay_board.problems import ProblemError
from assay_board.queue import find_submission
from assay_board.settings import DAY, BoardSettings
from assay_board.teams import find_or_make_team, team_name
from assay_board.tokens import mint, revoke


@contextmanager
def opened(database_url: str, *, as_found: bool = False) -> Iterator[Board]:
    """Open the server's state, which may be serving meanwhile.

    Args:
        database_url: Empty for SQLite under `ASSAY_HOME`.
        as_found: Leave the index behind the ledger, if it is.

    Raises:
        SettingsError: If a request is refused.
    """
    board = Board(BoardSettings(database_url=database_url), as_found=as_found)
    try:
        yield board
    except ProblemError as error:
        raise SettingsError(error.detail) from None
    finally:
        board.close()


def create_token(
    board: Board, scope: str, team: str | None, label: str, days: float
) -> dict[str, Any]:
    """Make a token.

    Raises:
        SettingsError: If a team is missing or makes no sense.
    """
    if (scope == "submit") != (team is not None):
        raise SettingsError(
            "a token of scope submit needs --team NAME, whose lists it hands in; other scopes take none"
        )
    if not 0 < days <= 36_500:
        raise SettingsError(f"--days {days:g}: expected a number of days from now; try --days 365")
    now = board.now()
    expires = now + days * DAY
    with board.database.write() as session:
        owner = None if team is None else find_or_make_team(session, now, team_name(team))
        token = mint(session, now, OPERATOR, scope=scope, expires=expires, team=owner, label=label)
    return {"token": token, "scope": scope, "expires": iso(expires)}


def list_tokens(board: Board) -> dict[str, Any]:
    """List tokens, newest first."""
    now = board.now()
    with board.database.read() as session:
        rows = session.scalars(sa.select(Token).order_by(Token.id.desc())).all()
        return {"tokens": [_about(row, now) for row in rows]}


def _about(row: Token, now: float) -> dict[str, Any]:
    ended = "revoked" if row.revoked is not None else "expired" if row.expires <= now else ""
    return {
        "number": row.id,
        "scope": row.scope,
        "team": row.team.name if row.team else None,
        "label": row.label,
        "created": iso(row.created),
        "expires": iso(row.expires),
        "state": ended or "good",
    }


def revoke_token(board: Board, number: int) -> dict[str, Any]:
    """End a token."""
    with board.database.write() as session:
        revoke(session, board.now(), OPERATOR, number)
    return {"revoked": number}


def token_text(document: dict[str, Any]) -> str:
    """Return an answer about tokens for people."""
    if "token" in document:
        return f"{document['token']}\n(scope {document['scope']}, until {document['expires']}; not shown again)"
    if "revoked" in document:
        return f"token {document['revoked']} is revoked"
    lines = [f"{'number':>6}  {'scope':<7}{'state':<9}{'expires':<27}{'team or label'}"]
    for row in document["tokens"]:
        whose = " ".join(word for word in (row["team"], row["label"]) if word)
        lines.append(
            f"{row['number']:>6}  {row['scope']:<7}{row['state']:<9}{row['expires']:<27}{whose}"
        )
    return "\n".join(lines)


def show_epochs(board: Board) -> dict[str, Any]:
    """List the epochs of seeds."""
    with board.database.read() as session:
        waiting = open_epochs(session)
        marks = session.scalars(sa.select(Mark).where(Mark.kind == "epoch").order_by(Mark.index))
        digests = dict.fromkeys(mark.target for mark in marks)
    return {
        "epochs": [
            {"epoch": digest, "state": "open" if digest in waiting else "revealed"}
            for digest in digests
        ]
    }


def reveal_epoch(board: Board, digest: str | None) -> dict[str, Any]:
    """Publish the key of an epoch.

    Raises:
        SettingsError: If it cannot be revealed now.
    """
    with board.database.write() as session:
        waiting = open_epochs(session)
        chosen = digest or (waiting[-1] if waiting else "")
        board.epochs.reveal(session, chosen, board.now())
        note(session, board.now(), OPERATOR, "epoch.reveal", chosen)
    return show_epochs(board)


def epoch_text(document: dict[str, Any]) -> str:
    """Return the epochs for people."""
    lines = [f"{row['state']:<9} {row['epoch']}" for row in document["epochs"]]
    return "\n".join(lines) or "no seed was drawn yet"


def order_runs(board: Board, submission_id: str, seeds: int) -> dict[str, Any]:
    """Queue official runs of a submission.

    Raises:
        SettingsError: If there is no such submission, or no run was asked.
    """
    if not 1 <= seeds <= 100:
        raise SettingsError(f"--seeds {seeds}: expected 1 to 100; try --seeds 3")
    with board.database.write() as session:
        follow_alone(session)
        found = find_submission(session, submission_id, lock=True)
        indices = order_official(session, board, OPERATOR, found, seeds)
    return {"submission": submission_id, "seed_indices": list(indices)}


def list_audit(board: Board, last: int) -> dict[str, Any]:
    """List who did what and when, the latest last.

    Raises:
        SettingsError: If no line is asked for.
    """
    if last < 1:
        raise SettingsError(f"--last {last}: show at least one line; try --last 50")
    query = sa.select(AuditLine, Token.label, Team.name)
    query = query.outerjoin(Token, Token.id == AuditLine.token_id)
    query = query.outerjoin(Team, Team.id == Token.team_id)
    with board.database.read() as session:
        rows = session.execute(query.order_by(AuditLine.id.desc()).limit(last)).all()
    lines = [
        {
            "time": iso(line.time),
            "address": line.address,
            "token": line.token_id,
            "who": team or label or "",
            "action": line.action,
            "subject": line.subject,
            "detail": line.detail,
        }
        for line, label, team in reversed(rows)
    ]
    return {"lines": lines}


def audit_text(document: dict[str, Any]) -> str:
    """Return audit lines for people."""
    told = []
    for line in document["lines"]:
        nobody = "operator" if line["address"] == OPERATOR.address else "visitor"
        who = line["who"] or (nobody if line["token"] is None else f"token {line['token']}")
        detail = json.dumps(line["detail"], ensure_ascii=False) if line["detail"] else ""
        words = f"{who} at {line['address']}: {line['action']} {line['subject']} {detail}"
        told.append(f"{line['time']}  {one_line(words)}")
    return "\n".join(told) or "nothing was done yet"


def rebuild_index(board: Board) -> dict[str, Any]:
    """Make the index again, and say what was wrong with it."""
    with board.database.write() as session:
        found = rebuild(session, board.ledger, board.now())
        note(session, board.now(), OPERATOR, "index.rebuild", "", **asdict(found))
    return asdict(found) | {"identical": found.identical}
