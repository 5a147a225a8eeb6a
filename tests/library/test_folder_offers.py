"""The folders that somebody who looks for their music is offered."""

import pytest

from player.library.folder_offers import offered_folders


def test_a_path_goes_on_with_the_folders_that_begin_so(tmp_path):
    for name in ("Music/Deep", "music2", "Other", ".hidden", "Empty"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "Music/Deep/one.flac").touch()
    (tmp_path / "Music/notes.txt").touch()
    (tmp_path / "music.mp3").touch()

    def offered(text):
        return [(one.path.removeprefix(str(tmp_path)), one.files) for one in offered_folders(f"{tmp_path}{text}")]

    assert offered("/mu") == [("/Music", 1), ("/music2", 0)]
    assert offered("/Music/") == [("/Music", 1), ("/Music/Deep", 1)]
    assert offered("/") == [("", 2), ("/Empty", 0), ("/Music", 1), ("/Other", 0), ("/music2", 0)]
    assert offered("/.h") == [("/.hidden", 0)]
    assert offered("/none/of/it") == []


def test_without_a_path_the_usual_places_are_offered(tmp_path, monkeypatch):
    (tmp_path / "Music").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("XDG_MUSIC_DIR", raising=False)
    assert offered_folders("")[0].path == str(tmp_path / "Music")


@pytest.mark.parametrize("typed", ["~nobody-of-that-name", "~nobody-of-that-name/music", "a\0b", "x" * 5000])
def test_what_names_no_folder_offers_none(typed):
    assert offered_folders(typed) == []
