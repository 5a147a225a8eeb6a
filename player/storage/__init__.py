"""The listener's data on disk: SQLite through SQLAlchemy, migrated by Alembic."""
