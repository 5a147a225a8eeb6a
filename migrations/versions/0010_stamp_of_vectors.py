"""Every change of a vector renews a stamp, by which what was derived from the vectors is known to be up to date."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

RENEW = (
    "INSERT INTO player_state (key, value) VALUES ('vectors', CAST(random() AS TEXT))"
    " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
EVENTS = {"added": "INSERT", "changed": "UPDATE", "gone": "DELETE"}


def upgrade() -> None:
    op.execute(RENEW)
    for name, event in EVENTS.items():
        op.execute(f"CREATE TRIGGER vectors_{name} AFTER {event} ON embedding BEGIN {RENEW}; END")


def downgrade() -> None:
    for name in EVENTS:
        op.execute(f"DROP TRIGGER vectors_{name}")
    op.execute("DELETE FROM player_state WHERE key = 'vectors'")
