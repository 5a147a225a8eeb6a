"""Walking and naming files on disk."""

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from player.library.files import ART_BESIDE, LYRICS_BESIDE, Patterns, Walker, is_below
from player.library.paths import path_to_text, text_to_path


def walked(root: Path) -> list[str]:
    return [file.path.removeprefix(str(root)).lstrip("/") for file in Walker().walk(root)]


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_all_files_that_are_not_hidden_are_found_in_order(tmp_path):
    touch(
        *(
            tmp_path / name
            for name in ("b.MP3", "a/z.flac", "a/.hidden.mp3", ".trash/c.mp3", "cover.jpg", "mp3", "c.opus")
        )
    )
    assert sorted(walked(tmp_path)) == ["a/z.flac", "b.MP3", "c.opus", "cover.jpg", "mp3"]
    assert walked(tmp_path) == walked(tmp_path)


def test_loops_of_links_end_and_targets_are_found_once_under_their_real_path(tmp_path):
    touch(tmp_path / "real/song.mp3")
    (tmp_path / "real/loop").symlink_to(tmp_path)
    (tmp_path / "a-link").symlink_to(tmp_path / "real")
    (tmp_path / "again.mp3").symlink_to(tmp_path / "real/song.mp3")
    (tmp_path / "dangling.mp3").symlink_to(tmp_path / "gone.mp3")
    assert walked(tmp_path) == ["real/song.mp3"]


def test_links_out_of_the_folder_are_followed(tmp_path):
    touch(tmp_path / "disk/album/one.mp3", tmp_path / "disk/two.ogg")
    (tmp_path / "music").mkdir()
    (tmp_path / "music/album").symlink_to(tmp_path / "disk/album")
    (tmp_path / "music/two.ogg").symlink_to(tmp_path / "disk/two.ogg")
    assert sorted(walked(tmp_path / "music")) == ["album/one.mp3", "two.ogg"]


def test_folders_and_pipes_that_end_like_audio_are_no_files(tmp_path):
    (tmp_path / "folder.mp3").mkdir()
    os.mkfifo(tmp_path / "pipe.mp3")
    assert walked(tmp_path) == []


def test_a_folder_that_may_not_be_listed_is_reported_and_the_rest_goes_on(tmp_path, refuse):
    touch(tmp_path / "locked/a.mp3", tmp_path / "open/b.mp3")
    refuse(tmp_path / "locked")
    walker = Walker()
    assert [file.path for file in walker.walk(tmp_path)] == [str(tmp_path / "open/b.mp3")]
    assert [folder.path for folder in walker.unreadable] == [str(tmp_path / "locked")]


@given(
    st.lists(st.binary(min_size=1, max_size=20).map(lambda b: b.replace(b"/", b"_").replace(b"\0", b"_")), min_size=1)
)
def test_any_path_survives_the_way_to_text_and_back(names):
    path = os.fsdecode(b"/" + b"/".join(names))
    text = path_to_text(path)
    text.encode()
    assert not any(ord(character) < 32 or ord(character) == 127 for character in text)
    assert os.fsencode(text_to_path(text)) == os.fsencode(Path(path))


def test_common_names_stay_readable():
    assert path_to_text("/music/Sigur Rós/( ) – 東京 \U0001f3b5.flac") == "/music/Sigur Rós/( ) – 東京 \U0001f3b5.flac"


def test_a_folder_is_not_above_one_whose_name_begins_alike():
    assert is_below("/music/a/b.mp3", "/music/a")
    assert is_below("/music", "/")
    assert not is_below("/music/ab.mp3", "/music/a")


def test_the_examples_in_the_documentation_are_true():
    import doctest

    from player.library import paths
    from player.storage import folding

    for module in (paths, folding):
        result = doctest.testmod(module)
        assert result.attempted
        assert result.failed == 0


def test_patterns_leave_files_and_folders_out_wherever_the_slash_says(tmp_path):
    touch(*(tmp_path / name for name in ("a.mp3", "a.mp4", "Samples/b.mp3", "Books/c.mp3", "x/Books/d.flac")))

    def found(**patterns):
        return [file.path.removeprefix(f"{tmp_path}/") for file in Walker(Patterns(**patterns)).walk(tmp_path)]

    assert sorted(found(exclude=("*.MP4", "samples", "Books/*"))) == ["a.mp3", "x/Books/d.flac"]
    assert sorted(found(include=("*.flac", "Samples/*"))) == ["Samples/b.mp3", "x/Books/d.flac"]


def test_what_lies_beside_a_file_is_noticed(tmp_path):
    touch(*(tmp_path / name for name in ("a/song.mp3", "a/Song.LRC", "a/other.mp3", "b/song.mp3", "b/Cover.jpg")))
    bits = {file.path.removeprefix(f"{tmp_path}/"): file.beside for file in Walker().walk(tmp_path)}
    assert (bits["a/song.mp3"], bits["a/other.mp3"], bits["b/song.mp3"]) == (LYRICS_BESIDE, 0, ART_BESIDE)
