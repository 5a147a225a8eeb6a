"""Finding tracks, against a slow and obvious version, and fast enough to type in."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from player.library.scan import scan
from player.library.search import TrackIndex, normalise, parse_query, search_tracks, tags_asked
from player.library.sound_tags import SoundTags
from player.library.tracks import TrackRow
from player.library.vectors import store_embedding
from tests.support.library import CARD


def row(id_: int, title: str, artist="Artist", album="Album", genre="Genre", year: int | None = 2000) -> TrackRow:
    return TrackRow(id_, f"/m/{id_}.mp3", title, artist, album, genre, year, 180.0, False)


ROWS = [
    row(1, "Hoppípolla", "Sigur Rós", "Takk...", "Post-Rock", 2005),
    row(2, "Moonlight Sonata", "Beethoven", "Late Works", "Classical", 1995),
    row(3, "Für Elise", "Beethoven", "Piano Works", "Classical", 1999),
    row(4, "Late Night", "The Artist: Album", "Genre", "Jazz", None),
    row(5, "Straße nach Łódź", "Ørsted", "Æther", "Folk", 2010),
]


def found(query: str, limit=None) -> list[int]:
    index = TrackIndex(ROWS)
    return [index.rows[i].id for i in index.search(query, limit)]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("beethoven", [2, 3]),
        ("BEETHOVEN elise", [3]),
        ("elise beeth", [3]),
        ("hoppipolla", [1]),
        ("Ros", [1]),
        ("fur", [3]),
        ("strasse lodz orsted aether", [5]),
        ("late", [2, 4]),
        ("album:late", [2]),
        ('album:"late works"', [2]),
        ('album:"late wor', [2]),
        ('"night', [4]),
        ("artist:beethoven genre:classical title:moon", [2]),
        ("ARTIST:beethoven", [2, 3]),
        ("year:1995", [2]),
        ("year:1995-1999", [2, 3]),
        ("year:2005-", [1, 5]),
        ("year:-1995", [2]),
        ("year:soon", []),
        ("artist:", [1, 2, 3, 4, 5]),
        ("nothing like it", []),
    ],
)
def test_queries_find_what_they_say(query, ids):
    assert found(query) == ids


def test_a_limit_keeps_the_first():
    assert found("beethoven", 1) == [2]


def test_words_do_not_match_across_fields():
    assert found('"sonata beethoven"') == []


@pytest.mark.slow
@settings(deadline=None)
@given(st.text(max_size=30))
def test_no_query_breaks_anything(query):
    assert set(found(query)) <= {1, 2, 3, 4, 5}


WORDS = st.text(st.sampled_from("aáÁbBß øØ"), max_size=6)


@pytest.mark.slow
@given(st.lists(st.tuples(WORDS, WORDS), max_size=8), st.lists(WORDS, max_size=3))
def test_the_index_agrees_with_looking_at_every_row(names, words):
    rows = [row(i, title, artist, "", "") for i, (title, artist) in enumerate(names)]
    query = " ".join(words)

    def plain(text: str) -> str:
        return "".join(
            {"ø": "o"}.get(c, c) for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c)
        )

    slow = [
        i
        for i, r in enumerate(rows)
        if all(plain(w) in plain(r.title) or plain(w) in plain(r.artist) for w in query.split())
    ]
    assert TrackIndex(rows).search(query) == slow


def test_parsing_keeps_quoted_words_together():
    assert [(term.field, term.text) for term in parse_query('a "b c" Album:"D e" year:1999')] == [
        ("", "a"),
        ("", "b c"),
        ("album", "d e"),
        ("year", "1999"),
    ]


def test_normalising_twice_changes_nothing():
    for text in ("ÁGÆTIS", "Straße", "Ørsted", "ﬁn"):
        assert normalise(normalise(text)) == normalise(text)


def test_the_database_is_searched_by_tags(database, originals):
    scan(database, [originals("flac"), originals("opus")])
    with database.reader() as session:
        assert len(search_tracks(session, "artist:some first")) == 2
        assert len(search_tracks(session, "first", limit=1)) == 1
        assert search_tracks(session, "nobody") == []


# --- tags that were heard

HEARD = SoundTags(
    ("Mellow", "hard rock"),
    np.array([[0.05, 0.0], [0.04, 0.3], [0.01, 0.01], [np.nan, np.nan], [0.01, 0.02]], np.float32),
)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("tag:mellow", [1, 2]),
        ("TAG:MELLOW beethoven", [2]),
        ('tag:"hard rock"', [2]),
        ('tag:"hard rock', [2]),
        ("tag:rock", []),
        ("tag:nonsense", []),
        ("tag:", [1, 2, 3, 4, 5]),
        ("mellow", []),
    ],
)
def test_a_tag_finds_the_tracks_it_holds_for(query, ids):
    index = TrackIndex(ROWS, HEARD)
    assert [index.rows[place].id for place in index.search(query)] == ids


def test_without_tags_a_tag_finds_nothing():
    assert found("tag:mellow") == []


def test_a_query_tells_which_tags_it_asks_for():
    assert tags_asked('beethoven tag:Mellow year:1999 TAG:"Hard Rock" tag:') == ["mellow", "hard rock"]


def test_the_database_is_searched_by_what_was_heard(database, originals):
    scan(database, [originals("flac"), originals("opus")])
    with database.reader() as session:
        first, second = search_tracks(session, "artist:some first")
        assert search_tracks(session, "tag:mellow") == []
    with database.session() as session:
        for row, mellow in ((first, 0.02), (second, 0.06)):
            tags = np.full(len(CARD.tag_names), 0.01, "<f4")
            tags[CARD.tag_names.index("Mellow")] = mellow
            vector = np.ones(CARD.dimension, "<f4").tobytes()
            store_embedding(session, row.id, CARD.name, CARD.version, vector=vector, tags=tags.tobytes(), error=None)
    with database.reader() as session:
        assert search_tracks(session, "tag:mellow") == [second]
