"""Bearer tokens: 32 random bytes, shown once, kept as a digest; scoped, expiring, revocable."""

import re
import secrets

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from assay.canonical import digest_bytes
from assay.errors import SettingsError
from assay_board.audit import Actor, note
from assay_board.database import Team, Token
from assay_board.problems import ProblemError

SCOPES = ("submit", "work", "admin")
PREFIX = "assay_"
_FORM = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")


def mint(
    session: Session,
    now: float,
    actor: Actor,
    *,
    scope: str,
    expires: float,
    team: Team | None = None,
    label: str = "",
) -> str:
    """Make a token and return it; nobody can read it again.

    Args:
        session: A transaction that writes.
        now: Seconds since 1970.
        actor: Who asked.
        scope: One of `SCOPES`.
        expires: Seconds since 1970.
        team: Whose lists it hands in.
        label: For people.
    """
    assert scope in SCOPES
    token = PREFIX + secrets.token_urlsafe(32)
    row = Token(
        team_id=team.id if team else None,
        digest=_digest(token),
        scope=scope,
        label=label,
        created=now,
        expires=expires,
    )
    session.add(row)
    session.flush()
    note(session, now, actor, "token.create", str(row.id), scope=scope, label=label)
    return token


def authenticate(session: Session, now: float, token: str, address: str) -> Actor:
    """Return who shows a token.

    Raises:
        ProblemError: A1, if nobody does, in the same words whatever the reason.
    """
    # The digest is looked up, so no comparison takes longer the more of a token is right.
    row = (
        session.scalar(
            sa.select(Token).where(Token.digest == _digest(token)).options(joinedload(Token.team))
        )
        if _FORM.fullmatch(token)
        else None
    )
    if row is None or row.revoked is not None or row.expires <= now:
        raise ProblemError(
            401, "the token is unknown, expired or revoked; get one with: assay submit", "A1"
        )
    team = row.team.name if row.team else ""
    return Actor(address, row.id, row.team_id, team, row.scope)


def revoke(session: Session, now: float, actor: Actor, token_id: int) -> None:
    """End a token at once.

    Raises:
        SettingsError: If there is none of that number.
    """
    row = session.get(Token, token_id)
    if row is None:
        raise SettingsError(f"there is no token {token_id}; see: assay board token list")
    if row.revoked is None:
        row.revoked = now
        note(session, now, actor, "token.revoke", str(token_id))


def _digest(token: str) -> str:
    return digest_bytes(token.encode())
