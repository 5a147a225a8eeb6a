"""Music named on the command line: files, folders, playlists and searches, in the order given."""

import pytest

from player.errors import PlayerError
from player.integrations import named_music
from player.library.scan import scan
from player.library.search import TrackIndex
from player.library.tracks import load_catalogue
from tests.support.library import new_database
from tests.support.tones import write_tones


@pytest.fixture
def database(tmp_path):
    opened = new_database(tmp_path / "player.db")
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "music" / "b").mkdir(parents=True)
    for number, name in enumerate(("b/10.wav", "b/2.flac", "a.mp3")):
        write_tones(tmp_path / "music" / name, [(300 + 50 * number, 0.3)])
    return tmp_path / "music"


def find_music(database, words):
    def search(query):
        with database.reader() as session:
            rows = [row for row in load_catalogue(session) if not row.missing]
        return [rows[place] for place in TrackIndex(database, rows).search(query)]

    return named_music.find_music(database, words, search)


def titles(found):
    return [track.title for track in found.tracks]


def test_a_folder_is_played_by_its_names_and_stays_out_of_the_library(database, folder):
    (folder / "c.ogg").write_bytes(b"no music")
    found = find_music(database, [str(folder)])
    assert titles(found) == ["a", "2", "10"]
    assert [path for path, _error in found.failures] == [str(folder / "c.ogg")]
    with database.reader() as session:
        assert all(row.missing for row in load_catalogue(session))


def test_what_was_named_keeps_its_track_when_its_folder_joins_the_library(database, folder):
    before = {track.path: track.id for track in find_music(database, [str(folder)]).tracks}
    scan(database, [folder])
    again = find_music(database, [str(folder)])
    assert {track.path: track.id for track in again.tracks} == before
    with database.reader() as session:
        assert not any(row.missing for row in load_catalogue(session))
    assert titles(find_music(database, ["title:10"])) == ["10"]


def test_a_library_file_that_is_named_stays_in_the_library(database, folder):
    scan(database, [folder])
    (folder / "a.mp3").touch()
    find_music(database, [str(folder / "a.mp3")])
    with database.reader() as session:
        assert not any(row.missing for row in load_catalogue(session))


def test_a_playlist_gives_its_files_in_its_order_and_no_address(database, folder):
    lines = [
        "\ufeff#EXTM3U",
        "b/10.wav",
        str(folder / "a.mp3"),
        "http://127.0.0.1/x.mp3",
        "gone.mp3",
        "b/10.wav",
        "list.m3u",
    ]
    (folder / "list.m3u").write_text("\r\n".join(lines))
    assert titles(find_music(database, [str(folder / "list.m3u")])) == ["10", "a", "10"]


def test_paths_and_searches_keep_their_order(database, folder):
    scan(database, [folder / "b"])
    assert titles(find_music(database, ["title:2", str(folder / "a.mp3"), "title:10"])) == ["2", "a", "10"]


def test_what_leads_nowhere_is_told(database, folder):
    with pytest.raises(PlayerError, match="no file or folder here"):
        find_music(database, ["x" * 1500])
    (folder / "empty").mkdir()
    with pytest.raises(PlayerError, match="no music in"):
        find_music(database, [str(folder / "empty")])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.pls", "[playlist]\nFile2=a.mp3\nFile1=b/10.wav\nFile3=http://radio.example/stream\n"),
        (
            "list.xspf",
            "<playlist><track><location>b/10.wav</location></track><track><location>a.mp3</location></track></playlist>",
        ),
        ("list.jspf", '{"playlist": {"track": [{"location": ["b/10.wav"]}, {"location": ["a.mp3"]}]}}'),
    ],
)
def test_a_playlist_of_any_format_is_played(database, folder, name, content):
    (folder / name).write_text(content)
    assert titles(find_music(database, [str(folder / name)])) == ["10", "a"]
