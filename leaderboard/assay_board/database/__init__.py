"""The database: teams, tokens, the queue, and an index of the ledger that can be rebuilt from it."""

from assay_board.database.engine import APPENDED, STANDS, Database, alone
from assay_board.database.tables import (
    AuditLine,
    Base,
    Lease,
    LedgerEntry,
    LogLine,
    Mark,
    RecordRow,
    Run,
    Submission,
    Team,
    Token,
)

__all__ = [
    "APPENDED",
    "STANDS",
    "AuditLine",
    "Base",
    "Database",
    "Lease",
    "LedgerEntry",
    "LogLine",
    "Mark",
    "RecordRow",
    "Run",
    "Submission",
    "Team",
    "Token",
    "alone",
]
