"""All that tags tell of a track, a digest that outlives its container instead of one that was never filled, and the reader of each file."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TEXTS = ("artists", "composer", "work", "movement")
NUMBERS = ("original_year", "movement_number", "track_total", "disc_total")
LEVELS = ("track_gain", "track_peak", "album_gain", "album_peak", "lufs", "true_peak_db")
IDS = ("edges", "album_id", "musicbrainz_recording", "musicbrainz_release", "acoustid")
SWITCHES = ("compilation", "has_lyrics", "has_art")


def upgrade() -> None:
    # Columns with a default are added in place: no table is copied, however large the library.
    for name in TEXTS:
        op.add_column("track", sa.Column(name, sa.String(), nullable=False, server_default=""))
    for name in NUMBERS:
        op.add_column("track", sa.Column(name, sa.Integer(), nullable=True))
    for name in LEVELS:
        op.add_column("track", sa.Column(name, sa.Double(), nullable=True))
    for name in IDS:
        op.add_column("track", sa.Column(name, sa.String(), nullable=True))
    for name in SWITCHES:
        op.add_column("track", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE track SET artists = artist")
    op.create_index("ix_track_edges", "track", ["edges"])
    op.create_index("ix_track_album_id", "track", ["album_id"])
    op.drop_index("ix_track_audio_hash", table_name="track")
    op.drop_column("track", "audio_hash")
    op.add_column("track_file", sa.Column("container", sa.String(), nullable=False, server_default=""))
    op.add_column("track_file", sa.Column("reader", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("track_file", sa.Column("beside", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    for name in ("beside", "reader", "container"):
        op.drop_column("track_file", name)
    op.add_column("track", sa.Column("audio_hash", sa.String(), nullable=True))
    op.create_index("ix_track_audio_hash", "track", ["audio_hash"])
    op.drop_index("ix_track_edges", table_name="track")
    op.drop_index("ix_track_album_id", table_name="track")
    for name in (*SWITCHES, *IDS, *LEVELS, *NUMBERS, *TEXTS):
        op.drop_column("track", name)
