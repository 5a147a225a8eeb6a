"""Alembic's entry: migrates over the connection the player hands in."""

from alembic import context

from player.storage.models import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
