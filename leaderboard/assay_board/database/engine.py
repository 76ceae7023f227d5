"""One way to the database, SQLite or PostgreSQL: a transaction that reads, or one that writes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy import event, exc
from sqlalchemy.orm import Session, sessionmaker

from assay.errors import SettingsError

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 30
APPENDED = "appended"
"""In the `info` of a session that changes nothing of what is there."""
STANDS = "stands"
"""In the `info` of a session after which every queued run stands where it stood."""


class Database:
    """A database with the newest schema.

    On SQLite every commit reaches the disk before it returns (`synchronous=FULL`), readers never wait
    (write-ahead log), and whoever writes takes the lock at once (`BEGIN IMMEDIATE`), so that no
    transaction has to be tried again.

    Attributes:
        writes: Transactions of this process that changed something.
        changes: Those of them that changed more than to put something behind everything else (`APPENDED`).
        moves: Those of them after which the queue may be another one (neither `APPENDED` nor `STANDS`).
    """

    def __init__(self, url: str):
        """Connect, and bring the schema up to date.

        Raises:
            SettingsError: If the URL names no database that can be reached.
        """
        try:
            parsed = sa.make_url(url)
        except exc.ArgumentError:
            raise SettingsError(f"--db {url!r} is no database URL; {_EXAMPLES}") from None
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if parsed.get_backend_name() == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        elif not self.is_sqlite:
            raise SettingsError(f"--db {parsed.drivername}: not supported; {_EXAMPLES}")
        if self.is_sqlite and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        self.engine = sa.create_engine(parsed, pool_size=16, max_overflow=48, pool_pre_ping=True)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self.writes = self.changes = self.moves = 0
        # SQLite lets waiting writers sleep and try again; a lock of our own lets them queue.
        self._writing, self._counting = threading.Lock(), threading.Lock()
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        # PostgreSQL shows each statement what is committed when it begins, in a transaction or out of one; without
        # BEGIN and ROLLBACK to send, a read takes half the time. On SQLite a transaction is one moment.
        apart = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._readers = self._sessions if self.is_sqlite else sessionmaker(apart)
        try:
            self._upgrade()
        except exc.OperationalError as error:
            reason = " ".join(str(error.orig).split())
            raise SettingsError(f"cannot use {parsed}: {reason}; {_EXAMPLES}") from None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a transaction that changes nothing."""
        with self._readers() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a transaction that is on the disk when the block has ended well."""
        with self._queue(), self._sessions() as session:
            session.connection(execution_options={"assay_write": True})
            yield session
            session.commit()
            with self._counting:
                self.writes += 1
                self.changes += APPENDED not in session.info
                self.moves += not session.info.keys() & {APPENDED, STANDS}

    @contextmanager
    def _queue(self) -> Iterator[None]:
        if not self.is_sqlite:
            yield
            return
        with self._writing:
            yield

    def _upgrade(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self.engine.connect() as connection:
            connection = connection.execution_options(assay_write=True)
            config.attributes["connection"] = connection
            with connection.begin():
                command.upgrade(config, "head")

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


def alone(session: Session, what: Literal["index", "lists", "teams"]) -> None:
    """Let no other transaction do the same until this one ends; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(what))))


_EXAMPLES = "examples: sqlite:////var/lib/assay/board.sqlite, postgresql://user@host/assay"


def _prepare_sqlite(connection: Any, _: Any) -> None:
    # The driver would begin transactions by itself, too late and not as asked.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    immediate = connection.get_execution_options().get("assay_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
