"""The audit table: every act that changes something, and every refused token."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from assay_board.database import AuditLine


@dataclass(frozen=True)
class Actor:
    """Who acts.

    Attributes:
        address: Of the connection.
        token_id: The token's row; None for nobody or for the operator on the server itself.
        team_id: The token's team, or None.
        team: Its name, or nothing.
        scope: `submit`, `work`, `admin`, or nothing.
    """

    address: str
    token_id: int | None = None
    team_id: int | None = None
    team: str = ""
    scope: str = ""


OPERATOR = Actor("server", scope="admin")
"""Whoever runs `assay board` where the database is."""


def note(
    session: Session, now: float, actor: Actor, action: str, subject: str, **detail: Any
) -> None:
    """Write a line, in the transaction of what it is about."""
    session.add(
        AuditLine(
            time=now,
            token_id=actor.token_id,
            address=actor.address,
            action=action,
            subject=subject,
            detail=detail,
        )
    )
