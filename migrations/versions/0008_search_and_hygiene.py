"""An index for searching, kept right by triggers; playlists; what a listener wants nothing learned from; an index of dates."""

# ruff: noqa: S608 - names of our own

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TRACK_WORDS = {
    "title": ("title",),
    "artist": ("artist", "artists", "album_artist"),
    "album": ("album",),
    "genre": ("genre",),
    "work": ("composer", "work", "movement"),
}
"""Column of the index → the columns of a track whose words it holds."""
TABLES = """
CREATE TABLE playlist (
  id INTEGER NOT NULL, name VARCHAR NOT NULL, query VARCHAR, created_us BIGINT NOT NULL, PRIMARY KEY (id), UNIQUE (name)
);
CREATE TABLE playlist_entry (
  playlist_id INTEGER NOT NULL, place INTEGER NOT NULL, track_id INTEGER, written VARCHAR NOT NULL,
  PRIMARY KEY (playlist_id, place),
  FOREIGN KEY(playlist_id) REFERENCES playlist (id), FOREIGN KEY(track_id) REFERENCES track (id)
);
CREATE INDEX ix_playlist_entry_track_id ON playlist_entry (track_id);
CREATE TABLE exclusion (
  id INTEGER NOT NULL, query VARCHAR NOT NULL, station_id INTEGER, season VARCHAR, created_us BIGINT NOT NULL,
  PRIMARY KEY (id), FOREIGN KEY(station_id) REFERENCES station (id)
);
CREATE TABLE unlearned_span (
  id INTEGER NOT NULL, since_us BIGINT NOT NULL, until_us BIGINT, tracks INTEGER, private BOOLEAN NOT NULL,
  lifted_us BIGINT, PRIMARY KEY (id)
);
CREATE INDEX ix_track_added_us ON track (added_us);
"""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        if statement.strip():
            op.execute(statement)
    index("track_words", "track", "track_folded", TRACK_WORDS)
    index("file_words", "track_file", "file_folded", {"path": ("path",)})
    op.execute("CREATE VIRTUAL TABLE track_vocabulary USING fts5vocab(track_words, row)")


def index(name: str, table: str, view: str, columns: dict[str, tuple[str, ...]]) -> None:
    """Make an index over the folded text of a table, and the triggers that keep it."""
    names = ", ".join(columns)
    sources = [source for texts in columns.values() for source in texts]

    def words(row: str = "") -> list[str]:
        texts = (" || ' ' || ".join(f"{row}{source}" for source in sources) or "''" for sources in columns.values())
        return [f"indexed_words({text})" for text in texts]

    folded = ", ".join(f"{text} AS {column}" for text, column in zip(words(), columns, strict=True))
    add = f"INSERT INTO {name} (rowid, {names}) VALUES (new.id, {', '.join(words('new.'))});"
    take = f"INSERT INTO {name} ({name}, rowid, {names}) VALUES ('delete', old.id, {', '.join(words('old.'))});"
    changed = " OR ".join(f"old.{source} IS NOT new.{source}" for source in sources)
    for statement in (
        f"CREATE VIEW {view} AS SELECT id, {folded} FROM {table}",
        f"CREATE VIRTUAL TABLE {name} USING fts5({names}, content='{view}', content_rowid='id', tokenize='ascii', prefix='1')",
        f"INSERT INTO {name} ({name}) VALUES ('rebuild')",
        f"CREATE TRIGGER {name}_added AFTER INSERT ON {table} BEGIN {add} END",
        f"CREATE TRIGGER {name}_gone AFTER DELETE ON {table} BEGIN {take} END",
        f"CREATE TRIGGER {name}_changed AFTER UPDATE OF {', '.join(sources)} ON {table} WHEN {changed} BEGIN {take} {add} END",
    ):
        op.execute(statement)


def downgrade() -> None:
    for table in ("track", "file"):
        for name in ("added", "gone", "changed"):
            op.execute(f"DROP TRIGGER {table}_words_{name}")
    op.execute("DROP TABLE track_vocabulary")
    for name in ("track_words", "file_words", "unlearned_span", "exclusion", "playlist_entry", "playlist"):
        op.execute(f"DROP TABLE {name}")
    op.execute("DROP VIEW track_folded")
    op.execute("DROP VIEW file_folded")
    op.execute("DROP INDEX ix_track_added_us")
