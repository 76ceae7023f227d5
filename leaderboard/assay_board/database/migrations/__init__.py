"""Alembic's migrations, run when a server opens its database."""
