"""Indices for what every visitor asks: the queue in order, and how long runs took lately."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indices."""
    order = ["state", "attempts", "submission_number", "seed_index"]
    op.create_index("ix_runs_queue", "runs", order)
    op.create_index("ix_records_recent", "records", ["seal", "index"])
