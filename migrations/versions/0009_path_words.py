"""The words of paths are those of each folder and name by itself; glued together over slashes they found nothing and were half of the index."""

# ruff: noqa: S608 - names of our own

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

WORDS = "indexed_words(replace(replace({}path, '/', ' '), '.', ' '))"
WHOLE = "indexed_words({}path)"
"""As it was before."""


def upgrade() -> None:
    _index(WORDS)


def downgrade() -> None:
    _index(WHOLE)


def _index(words: str) -> None:
    """Make the view, the triggers and the index of paths anew, of words that are taken from a path so."""
    for trigger in ("added", "gone", "changed"):
        op.execute(f"DROP TRIGGER file_words_{trigger}")
    op.execute("DROP VIEW file_folded")
    op.execute(f"CREATE VIEW file_folded AS SELECT id, {words.format('')} AS path FROM track_file")
    add = f"INSERT INTO file_words (rowid, path) VALUES (new.id, {words.format('new.')});"
    take = f"INSERT INTO file_words (file_words, rowid, path) VALUES ('delete', old.id, {words.format('old.')});"
    op.execute(f"CREATE TRIGGER file_words_added AFTER INSERT ON track_file BEGIN {add} END")
    op.execute(f"CREATE TRIGGER file_words_gone AFTER DELETE ON track_file BEGIN {take} END")
    op.execute(
        "CREATE TRIGGER file_words_changed AFTER UPDATE OF path ON track_file WHEN old.path IS NOT new.path"
        f" BEGIN {take} {add} END"
    )
    op.execute("INSERT INTO file_words (file_words) VALUES ('rebuild')")
