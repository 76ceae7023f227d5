"""What Alembic runs: the connection comes from `Database`."""

from alembic import context

from assay_board.database.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
