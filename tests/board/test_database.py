"""Migrations make the tables that the code uses; what is written is on the disk."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from assay.errors import SettingsError
from assay_board.database import Base, Database, Team


def test_migrations_and_tables_agree(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_database_that_is_there_is_opened_as_it_is(database):
    with database.write() as session:
        session.add(Team(name="a", key="a", created=0.0))
    again = Database(database.engine.url.render_as_string(hide_password=False))
    with again.read() as session:
        assert session.scalar(sa.select(Team.name)) == "a"
    again.close()


def test_sqlite_reaches_the_disk_before_it_answers(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'board.sqlite'}")
    with database.write() as session:
        values = {
            name: session.scalar(sa.text(f"PRAGMA {name}"))
            for name in ("synchronous", "journal_mode", "foreign_keys", "busy_timeout")
        }
    database.close()
    assert values == {
        "synchronous": 2, "journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30_000,
    }  # fmt: skip


def test_a_block_that_fails_writes_nothing(database):
    def fail():
        with database.write() as session:
            session.add(Team(name="a", key="a", created=0.0))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Team)) == 0


@pytest.mark.parametrize(
    "url", ["x", "mysql://a@b/c", "postgresql://nobody@127.0.0.1:1/x", "sqlite:////proc/x/y.sqlite"]
)
def test_what_cannot_be_used_is_said_in_one_line(url):
    with pytest.raises((SettingsError, OSError)) as error:
        Database(url)
    assert "\n" not in str(error.value)
