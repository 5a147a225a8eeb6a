"""What is asked again and again goes by an index: SQLite's own plan says so."""

import pytest


@pytest.mark.parametrize(
    ("query", "by"),
    [
        ("SELECT * FROM event WHERE track_id = 1", "ix_event_track_id"),
        ("SELECT * FROM event WHERE station_id = 1 ORDER BY time_us", "ix_event_station_time"),
        ("SELECT count(*) FROM event WHERE time_us >= 1 AND time_us < 2", "ix_event_time_us"),
        ("SELECT id FROM track WHERE added_us BETWEEN 1 AND 2", "ix_track_added_us"),
        ("SELECT path FROM track_file WHERE track_id = 1", "ix_track_file_track_id"),
        ("SELECT id FROM track_file WHERE path = 'x'", "sqlite_autoindex_track_file"),
        ("SELECT written FROM playlist_entry WHERE playlist_id = 1 ORDER BY place", "sqlite_autoindex_playlist_entry"),
        ("SELECT rowid FROM track_words WHERE track_words MATCH 'a*'", "VIRTUAL TABLE INDEX"),
        ("SELECT track_id FROM file_words CROSS JOIN track_file ON id = file_words.rowid WHERE file_words MATCH 'a'", "INTEGER PRIMARY KEY"),
    ],
)  # fmt: skip
def test_a_query_goes_by_its_index(database, query, by):
    with database.look_up() as connection:
        plan = " / ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}"))
    assert by in plan
