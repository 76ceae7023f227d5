"""Every table. Times are seconds since 1970; digests are `sha256:...`.

`LedgerEntry`, `RecordRow` and `Mark` are the index: a pure function of the ledger's entries, one at a
time, so that following the ledger and rebuilding from it come to the same rows.
"""

from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Double,
    ForeignKey,
    Index,
    Integer,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

Serial = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only in a column that it calls INTEGER."""


class Base(DeclarativeBase):
    """What all tables share."""

    type_annotation_map: ClassVar = {
        dict[str, Any]: JSON,
        float: Double,
        str: Text,
        int: BigInteger,
    }


class Team(Base):
    """Who hands lists in."""

    __tablename__ = "teams"

    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    name: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    """The name as names are compared: case folded."""
    created: Mapped[float]


class Token(Base):
    """A bearer token, of which only the digest is kept."""

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"), index=True)
    digest: Mapped[str] = mapped_column(unique=True)
    scope: Mapped[str]
    label: Mapped[str]
    created: Mapped[float]
    expires: Mapped[float]
    revoked: Mapped[float | None]

    team: Mapped[Team | None] = relationship()


class Submission(Base):
    """A list that was accepted, on one track and scale."""

    __tablename__ = "submissions"
    __table_args__ = (UniqueConstraint("digest", "label"),)

    number: Mapped[int] = mapped_column(Serial, primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    digest: Mapped[str]
    track: Mapped[str]
    scale: Mapped[str]
    label: Mapped[str]
    seal: Mapped[str]
    pool: Mapped[str]
    unit: Mapped[str]
    name: Mapped[str]
    manifest: Mapped[dict[str, Any]]
    report: Mapped[dict[str, Any]]
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"), index=True)
    state: Mapped[str] = mapped_column(index=True)
    screened: Mapped[bool] = mapped_column(default=False)
    created: Mapped[float]
    updated: Mapped[float]

    team: Mapped[Team] = relationship()
    runs: Mapped[list["Run"]] = relationship(
        back_populates="submission", order_by="Run.seed_index", lazy="selectin"
    )


class Run(Base):
    """One seed of a submission: the queue's unit of work."""

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("submission_number", "seed_index"),
        Index("ix_runs_queue", "state", "attempts", "submission_number", "seed_index"),
    )

    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    submission_number: Mapped[int] = mapped_column(ForeignKey("submissions.number"), index=True)
    seed_index: Mapped[int]
    epoch: Mapped[str]
    seed: Mapped[int]
    level: Mapped[str]
    state: Mapped[str] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str] = mapped_column(default="")
    heartbeat: Mapped[float | None]
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    reason: Mapped[str] = mapped_column(default="")
    record: Mapped[str | None]
    queued: Mapped[float]
    updated: Mapped[float]

    submission: Mapped[Submission] = relationship(back_populates="runs")


class Lease(Base):
    """A run in the hands of a worker."""

    __tablename__ = "leases"

    id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), index=True)
    token_id: Mapped[int] = mapped_column(ForeignKey("tokens.id"))
    secret: Mapped[str]
    worker: Mapped[str]
    state: Mapped[str] = mapped_column(index=True)
    created: Mapped[float]
    expires: Mapped[float] = mapped_column(index=True)

    run: Mapped[Run] = relationship()


class LogLine(Base):
    """A line that a worker sent."""

    __tablename__ = "log_lines"

    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), index=True)
    attempt: Mapped[int]
    time: Mapped[float]
    line: Mapped[str]


class AuditLine(Base):
    """Who did what, when and from where; never deleted by the server."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    time: Mapped[float]
    token_id: Mapped[int | None]
    address: Mapped[str]
    action: Mapped[str] = mapped_column(index=True)
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]]


class LedgerEntry(Base):
    """An entry of the ledger."""

    __tablename__ = "ledger_entries"

    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    digest: Mapped[str]
    kind: Mapped[str]
    level: Mapped[str]
    time: Mapped[str]


class RecordRow(Base):
    """A record of the ledger, with what a board shows of it."""

    __tablename__ = "records"
    __table_args__ = (Index("ix_records_recent", "seal", "index"),)

    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(index=True)
    level: Mapped[str]
    track: Mapped[str]
    scale: Mapped[str]
    label: Mapped[str]
    seal: Mapped[str]
    submission: Mapped[str] = mapped_column(index=True)
    seed: Mapped[int]
    seconds: Mapped[float]
    summary: Mapped[dict[str, Any]]


class Mark(Base):
    """A retraction or a correction of a record or a submission, or an epoch's commitment or key."""

    __tablename__ = "marks"

    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str]
    target: Mapped[str] = mapped_column(index=True)
    body: Mapped[dict[str, Any]]
