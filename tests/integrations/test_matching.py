"""Which track a name means: identifiers first, then exact, then close; never a guess."""

import pytest

from player.integrations.history.entries import TrackName
from player.integrations.matching import How, LibraryTrack, Matcher, Status, edits_allowed, words_in_use

RECORDING = "0bec0a3f-31b5-4b75-8b2a-dbd0dbb1c2de"


def track(number, artist, title, album="", seconds=200.0, **more):
    return LibraryTrack(number, artist, title, album, "", seconds, **more)


def found(tracks, artist, title, album="", **more):
    match = Matcher(tracks).match(TrackName(artist, title, album, **more))
    return match.how, [one.id for one in match.tracks]


LIBRARY = [
    track(1, "The Beatles", "Yesterday", "Help!"),
    track(2, "Nina Simone", "Feeling Good", "I Put a Spell on You", 175.0),
    track(3, "Muse", "Feeling Good", "Origin of Symmetry", 199.0),
    track(4, "Kate Bush; Peter Gabriel", "Don't Give Up", "So", 390.0),
    track(5, "Anna Nilsson", "Symphony No. 5: II. Andante", "Symphonies"),
    track(6, "Anna Nilsson", "Midnight Trains", "Night"),
    track(7, "Anna Nilsson", "Mirror Lights", "Night"),
    track(8, "Anna Nilsson", "Mirrors Mirror", "Night"),
]


@pytest.mark.parametrize(
    ("artist", "title", "how", "number"),
    [
        ("Beatles, The", "YESTERDAY - Remastered 2009", How.EXACT, 1),
        ("Muse", "Feeling Good (feat. Nobody)", How.EXACT, 3),
        ("Nina Simone", "Feeling Good", How.EXACT, 2),
        ("Kate Bush", "Dont Give Up", How.EXACT, 4),
        ("Kate Bush, Peter Gabriel, Somebody Else", "Dont Give Up", How.EXACT, 4),
        ("Peter Gabriel", "Don't Give Upp", How.FUZZY, 4),
        ("Peter Gabriel, Kate Bush", "Don’t Give Up", How.EXACT, 4),
        ("The Beatles", "Yesterday - Live at Budokan", How.VERSION, 1),
        ("The Beetles", "Yesterdaay", How.FUZZY, 1),
        ("Anna Nilson", "Midnight Trians", How.FUZZY, 6),
    ],
)
def test_another_spelling_is_found(artist, title, how, number):
    assert found(LIBRARY, artist, title) == (how, [number])


@pytest.mark.parametrize(
    ("artist", "title"),
    [
        ("Muse", "Yesterday"),
        ("Somebody Else", "Feeling Good"),
        ("The Beatles", "Yesterday (Somebody Remix)"),
        ("The Beatles", "Yesterday - Karaoke"),
        ("Anna Nilsson", "Symphony No. 6: II. Andante"),
        ("Anna Nilsson", "Symphony No. 5: III. Andante"),
        ("Anna Nilsson", "Midnight Lights"),
        ("Mule", "Feeling Good"),
        ("Kate Bush & Somebody Else", "Don't Give Up"),
        ("Anna Nilsson", "Mirror Mirror"),
        ("", "Yesterday"),
        ("The Beatles", ""),
    ],
)
def test_what_only_looks_like_a_track_is_not_it(artist, title):
    assert found(LIBRARY, artist, title) == (None, [])


def test_a_word_of_another_title_is_no_typing_error():
    night, light = track(1, "Anna Nilsson", "Winter Night"), track(2, "Otis Price", "Northern Light")
    assert found([night], "Anna Nilsson", "Winter Light") == (How.FUZZY, [1])
    assert found([night, light], "Anna Nilsson", "Winter Light") == (None, [])


def test_a_word_that_several_artists_of_the_history_use_is_no_typing_error():
    titles = [TrackName(artist, "Lights Out") for artist in ("A", "B", "C")]
    assert words_in_use(titles[:2]) == set()
    assert words_in_use([*titles, TrackName("C", "Nights")]) == {"lights", "out"}
    light = track(1, "Anna Nilsson", "Northern Light")
    meant = TrackName("Anna Nilsson", "Northern Lights")
    assert Matcher([light]).match(meant).status is Status.MATCHED
    assert Matcher([light], words_in_use(titles)).match(meant).status is Status.UNMATCHED


def test_a_recording_identifier_decides_over_names():
    tracks = [*LIBRARY, track(9, "Somebody", "Something", recording_id=RECORDING)]
    assert found(tracks, "Muse", "Feeling Good", recording_id=RECORDING) == (How.RECORDING, [9])
    assert found(LIBRARY, "Muse", "Feeling Good", recording_id=RECORDING) == (How.EXACT, [3])


def test_a_path_is_found_from_its_end():
    tracks = [track(1, "A", "B", paths=("/music/A/1.flac",)), track(2, "A", "C", paths=("/music/B/1.flac",))]
    assert found(tracks, "", "", path="B/1.flac") == (How.PATH, [2])
    assert found(tracks, "", "", path="/music/A/1.flac") == (How.PATH, [1])
    assert found(tracks, "", "", path="1.flac") == (How.PATH, [1, 2])
    assert found(tracks, "", "", path="C/1.flac") == (None, [])


def test_the_plain_version_is_preferred_where_both_are_there():
    tracks = [track(1, "Muse", "Feeling Good"), track(2, "Muse", "Feeling Good (Live)", seconds=300.0)]
    assert found(tracks, "Muse", "Feeling Good - Live at Home") == (How.EXACT, [2])
    assert found(tracks, "Muse", "Feeling Good - 2011 Remaster") == (How.EXACT, [1])


def test_of_two_recordings_the_album_decides_then_the_length_else_it_is_ambiguous():
    tracks = [track(1, "Muse", "Stars", "Early", 200.0), track(2, "Muse", "Stars", "Late", 260.0)]
    assert found(tracks, "Muse", "Stars", "Late (Deluxe Edition)") == (How.EXACT, [2])
    assert found(tracks, "Muse", "Stars", "Another", seconds=201.5) == (How.EXACT, [1])
    assert found(tracks, "Muse", "Stars", "Another") == (How.EXACT, [1, 2])
    assert Matcher(tracks).match(TrackName("Muse", "Stars")).status is Status.AMBIGUOUS


def test_copies_of_one_recording_are_one_and_the_one_that_is_there_is_meant():
    tracks = [track(1, "Muse", "Stars", "Early", 200.0, there=False), track(2, "Muse", "Stars", "Best of", 201.0)]
    assert found(tracks, "Muse", "Stars") == (How.EXACT, [2])


def test_equally_close_titles_are_ambiguous():
    tracks = [track(1, "Muse", "Starlightx"), track(2, "Muse", "Starlighty")]
    assert found(tracks, "Muse", "Starlight") == (How.FUZZY, [1, 2])


def test_short_names_must_be_right():
    assert [edits_allowed(length) for length in (4, 5, 9, 10, 17, 18, 99)] == [0, 1, 1, 2, 2, 3, 3]
