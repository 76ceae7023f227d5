"""Teams: a name and a token to hand lists in with."""

import unicodedata

import sqlalchemy as sa
from sqlalchemy.orm import Session

from assay.submission.manifest import clean_text
from assay_board.audit import Actor, note
from assay_board.database import Team, alone
from assay_board.problems import ProblemError

MAX_NAME = 80


def team_name(value: str) -> str:
    """Return a name as it is shown.

    Raises:
        ProblemError: Q1, if it is empty, too long, or not one line of printable text.
    """
    try:
        name = clean_text(value, MAX_NAME)
    except ValueError as error:
        raise ProblemError(422, f"name: {error}", "Q1") from None
    if not name or "\n" in name or "\t" in name:
        raise ProblemError(422, "name: one line, please, and not empty", "Q1")
    return name


def find_or_make_team(session: Session, now: float, name: str) -> Team:
    """Return the team of a name that `team_name` returned, for the operator's own tokens."""
    found = session.scalar(sa.select(Team).where(Team.key == _key(name)))
    return found or _make(session, now, name)


def register(session: Session, now: float, actor: Actor, name: str) -> Team:
    """Make a team.

    Raises:
        ProblemError: If the name is taken.
    """
    alone(session, "teams")
    if session.scalar(sa.select(Team.id).where(Team.key == _key(name))) is not None:
        raise ProblemError(
            409, "there is a team of that name; choose another, or use its token", "Q1"
        )
    team = _make(session, now, name)
    note(session, now, actor, "team.register", str(team.id), name=name)
    return team


def _make(session: Session, now: float, name: str) -> Team:
    team = Team(name=name, key=_key(name), created=now)
    session.add(team)
    session.flush()
    return team


def _key(name: str) -> str:
    """Names that look alike are one: compatibility forms, case and spaces do not tell them apart."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
