"""How a station plays, values and notes of events, and trials of one way of choosing against another."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trial",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("station_id", sa.Integer(), nullable=False),
        sa.Column("arm_a", sa.String(), nullable=False),
        sa.Column("arm_b", sa.String(), nullable=False),
        sa.Column("version_a", sa.String(), nullable=False),
        sa.Column("version_b", sa.String(), nullable=False),
        sa.Column("coin_seed", sa.BigInteger(), nullable=False),
        sa.Column("started_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.Column("conclusion", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    # Columns with a default are added in place: no table is copied, however long the log.
    op.add_column("station", sa.Column("mode", sa.String(), nullable=False, server_default="station"))
    op.add_column("station", sa.Column("dial", sa.Integer(), nullable=False, server_default="50"))
    op.add_column("event", sa.Column("value", sa.Double(), nullable=True))
    op.add_column("event", sa.Column("note", sa.String(), nullable=True))
    op.add_column("decision", sa.Column("trial_id", sa.Integer(), nullable=True))
    op.add_column("decision", sa.Column("pair", sa.Integer(), nullable=True))
    op.create_index("ix_decision_trial_id", "decision", ["trial_id"])


def downgrade() -> None:
    op.drop_index("ix_decision_trial_id", table_name="decision")
    for table, column in (
        ("decision", "pair"), ("decision", "trial_id"), ("event", "note"), ("event", "value"),
        ("station", "dial"), ("station", "mode"),
    ):  # fmt: skip
        op.drop_column(table, column)
    op.drop_table("trial")
