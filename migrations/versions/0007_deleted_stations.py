"""Stations that the listener deleted: events still name them, so their rows stay."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("station", sa.Column("removed_us", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("station", "removed_us")
