"""The ledger's index: rows that follow from entries, one at a time, and runs that they settle."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from assay.board import metrics_of
from assay.canonical import digest_json
from assay.ledger import Entry, Ledger
from assay_board.database import Lease, LedgerEntry, Mark, RecordRow, Run, Submission, alone
from assay_board.states import move

TABLES = (LedgerEntry, RecordRow, Mark)
MARKS = {"retraction": "target", "correction": "target", "epoch": "epoch", "suite": "suite"}
"""Entries that are about something else, and where they say about what."""


def follow(session: Session, ledger: Ledger, now: float) -> int:
    """Index what the ledger has beyond the index; return the number of entries added.

    A run whose record is in the ledger is done, whatever became of the server that appended it.
    """
    follow_alone(session)
    start = indexed(session)
    count = 0
    for entry in ledger.entries(start):
        _add(session, entry)
        if entry.kind == "run":
            session.flush()
            _settle(session, entry.body, now)
        count += 1
    return count


def follow_alone(session: Session) -> None:
    """Let no other transaction follow the ledger until this one ends.

    Whoever locks a run or a lease as well calls this first: following another's entry locks these too.
    """
    alone(session, "index")


def indexed(session: Session) -> int:
    """Return how many entries the index covers."""
    newest = session.scalar(sa.select(sa.func.max(LedgerEntry.index)))
    return 0 if newest is None else newest + 1


@dataclass(frozen=True)
class Rebuilt:
    """What an index was, beside what the ledger says.

    Attributes:
        entries: Of the ledger.
        missing: Rows that were not there.
        different: Rows that said something else.
        surplus: Rows that follow from no entry.
    """

    entries: int
    missing: int
    different: int
    surplus: int

    @property
    def identical(self) -> bool:
        """Whether the index was right."""
        return not (self.missing or self.different or self.surplus)


def rebuild(session: Session, ledger: Ledger, now: float) -> Rebuilt:
    """Throw the index away, make it again, and compare."""
    follow_alone(session)
    found = _digests(session)
    for table in TABLES:
        session.execute(sa.delete(table))
    entries = follow(session, ledger, now)
    made = _digests(session)
    common = found.keys() & made.keys()
    different = sum(found[key] != made[key] for key in common)
    return Rebuilt(entries, len(made) - len(common), different, len(found) - len(common))


def _digests(session: Session) -> dict[tuple[str, int], str]:
    """Return a digest of every row, by table and entry."""
    return {
        (table.__tablename__, row[0]): digest_json(row)
        for table in TABLES
        for row in _rows(session, table)
    }


def _rows(session: Session, table: Any) -> Iterator[list[Any]]:
    columns = list(table.__table__.columns)
    for row in session.execute(sa.select(*columns).order_by(table.index)):
        yield list(row)


def _add(session: Session, entry: Entry) -> None:
    session.add(
        LedgerEntry(
            index=entry.index,
            digest=entry.digest,
            kind=entry.kind,
            level=entry.level,
            time=entry.time,
        )
    )
    if entry.kind == "run":
        session.add(_record_row(entry))
    elif entry.kind in MARKS:
        target = entry.body[MARKS[entry.kind]]
        session.add(Mark(index=entry.index, kind=entry.kind, target=target, body=entry.body))


def _record_row(entry: Entry) -> RecordRow:
    record = entry.body
    track, clock = record["track"], record["clock"]
    return RecordRow(
        index=entry.index,
        digest=record["digest"],
        level=entry.level,
        track=track["name"],
        scale=track["scale"],
        label=f"{track['name']}/{track['scale']}@{track['version']}",
        seal=track["seal"],
        submission=record["submission"]["digest"],
        seed=record["seed"],
        seconds=clock.get("train_seconds", 0.0) + clock.get("evaluate_seconds", 0.0),
        summary=_summary(record),
    )


def _summary(record: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of a record that `assay.board.build_board` reads."""
    submission, digests = record["submission"], record["digests"]
    return {
        "digest": record["digest"],
        "track": record["track"],
        "seed": record["seed"],
        "submission": {
            "digest": submission["digest"],
            "manifest": {"name": submission["manifest"].get("name", "")},
            "unique": submission["unique"],
            "pool_n": submission["pool_n"],
            "repeats": submission["repeats"],
        },
        "digests": {key: digests[key] for key in ("pool", "suite_data") if key in digests},
        "metrics": {name: record["metrics"][name] for name in metrics_of(record)},
        "clock": {"finished": record["clock"]["finished"]},
    }


def _settle(session: Session, record: dict[str, Any], now: float) -> None:
    """Mark the queue's run of a record as done."""
    source = record.get("seed_source")
    if not isinstance(source, dict):
        return
    track = record["track"]
    run = session.scalar(
        sa.select(Run)
        .join(Submission)
        .where(
            Submission.digest == record["submission"]["digest"],
            Submission.label == f"{track['name']}/{track['scale']}@{track['version']}",
            Run.seed == record["seed"],
            Run.epoch == source.get("epoch"),
            Run.state != "done",
        )
    )
    if run is None:
        return
    run.record = record["digest"]
    move(run, "done", now)
    session.execute(
        sa.update(Lease)
        .where(Lease.run_id == run.id, Lease.state == "active")
        .values(state="finished")
    )
