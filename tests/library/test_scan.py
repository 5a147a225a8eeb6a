"""What a scan makes of folders that change."""

import os
import shutil
import struct
from pathlib import Path

import pytest
from sqlalchemy import func, select

from player.library.containers import NotAudioError
from player.library.file_reader import full_audio_hash, read_file
from player.library.files import FoundFile
from player.library.paths import text_to_path
from player.library.scan import LibraryError, scan
from player.library.track_columns import load_columns
from player.library.tracks import load_catalogue
from player.storage.database import driver_connection
from player.storage.models import FailedFile, Track, TrackFile
from tests.library.audio_files import FORMATS, REQUIRED, encode, remux


@pytest.fixture
def music(tmp_path, originals) -> Path:
    """A folder with one real track of every required format."""
    folder = tmp_path / "music"
    folder.mkdir()
    for kind in REQUIRED:
        shutil.copy(originals(kind), folder)
    return folder


def counts(report) -> dict[str, int]:
    names = ("added", "updated", "moved", "missing", "unchanged")
    return {name: getattr(report, name) for name in names if getattr(report, name)} | (
        {"failed": len(report.failed)} if report.failed else {}
    )


def rows(database):
    with database.reader() as session:
        return load_catalogue(session)


def track_ids(database) -> dict[str, int]:
    return {row.path.rpartition("/")[2]: row.id for row in rows(database)}


def number_of(database, model) -> int:
    with database.reader() as session:
        return session.scalar(select(func.count()).select_from(model))


def forbid_opening(monkeypatch):
    """Let every attempt to read a music file fail loudly."""
    from player.library import scan as module

    def opened(found):
        raise AssertionError(f"{found.path} was opened")

    monkeypatch.setattr(module, "read_file", opened)


def test_every_format_becomes_a_track(database, music):
    assert counts(scan(database, [music])) == {"added": len(REQUIRED)}
    found = rows(database)
    assert len(found) == len(REQUIRED)
    assert {row.title for row in found} == {"First Song"}
    assert all(row.duration == pytest.approx(3.0, abs=0.05) and not row.missing for row in found)


def test_a_second_scan_opens_no_file(database, music, monkeypatch):
    scan(database, [music])
    forbid_opening(monkeypatch)
    assert counts(scan(database, [music])) == {"unchanged": len(REQUIRED)}


def test_a_retagged_file_stays_the_same_track(database, music):
    scan(database, [music])
    before = track_ids(database)
    for kind in REQUIRED:
        path = music / f"{kind}.{FORMATS[kind].ending}"
        copy = remux(path, music.parent / path.name, kind, {"title": "Second Name", "artist": "New"})
        copy.replace(path)
    assert counts(scan(database, [music])) == {"updated": len(REQUIRED)}
    assert track_ids(database) == before
    assert {row.title for row in rows(database)} == {"Second Name"}


def test_a_moved_file_stays_the_same_track(database, music):
    scan(database, [music])
    before = track_ids(database)
    (music / "sub").mkdir()
    (music / "flac.flac").rename(music / "sub/renamed.flac")
    assert counts(scan(database, [music])) == {"moved": 1, "unchanged": len(REQUIRED) - 1}
    assert track_ids(database)["renamed.flac"] == before["flac.flac"]
    assert number_of(database, TrackFile) == len(REQUIRED)


def test_a_file_moved_and_retagged_at_once_stays_the_same_track(database, music):
    scan(database, [music])
    before = track_ids(database)
    remux(music / "mp3.mp3", music / "new.mp3", "mp3", {"title": "Other"})
    (music / "mp3.mp3").unlink()
    assert counts(scan(database, [music]))["moved"] == 1
    assert track_ids(database)["new.mp3"] == before["mp3.mp3"]
    assert next(row.title for row in rows(database) if row.id == before["mp3.mp3"]) == "Other"


def test_a_file_moved_from_one_root_into_another_stays_the_same_track(database, music, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    scan(database, [music])
    before = track_ids(database)
    (music / "flac.flac").rename(other / "flac.flac")
    assert counts(scan(database, [other])) == {"moved": 1}
    assert track_ids(database) == before


def test_a_vanished_file_is_marked_and_one_that_returns_unmarked_without_being_read(database, music, monkeypatch):
    scan(database, [music])
    aside = music.parent / "aside.flac"
    (music / "flac.flac").rename(aside)
    assert counts(scan(database, [music])) == {"missing": 1, "unchanged": len(REQUIRED) - 1}
    assert [row.path for row in rows(database) if row.missing] == [str(music / "flac.flac")]
    assert counts(scan(database, [music])) == {"unchanged": len(REQUIRED) - 1}
    aside.rename(music / "flac.flac")
    forbid_opening(monkeypatch)
    assert counts(scan(database, [music])) == {"updated": 1, "unchanged": len(REQUIRED) - 1}
    assert not any(row.missing for row in rows(database))


def test_a_file_missing_for_long_is_known_again_under_a_new_name(database, music):
    scan(database, [music])
    before = track_ids(database)
    aside = music.parent / "aside.flac"
    (music / "flac.flac").rename(aside)
    scan(database, [music])
    aside.rename(music / "back.flac")
    assert counts(scan(database, [music]))["moved"] == 1
    assert track_ids(database)["back.flac"] == before["flac.flac"]


def test_a_copy_is_a_second_file_of_one_track(database, music):
    scan(database, [music])
    shutil.copy(music / "flac.flac", music / "copy.flac")
    assert counts(scan(database, [music])) == {"added": 1, "unchanged": len(REQUIRED)}
    assert number_of(database, Track) == len(REQUIRED)
    assert number_of(database, TrackFile) == len(REQUIRED) + 1
    (music / "flac.flac").unlink()
    assert counts(scan(database, [music])) == {"missing": 1, "unchanged": len(REQUIRED)}
    assert next(row for row in rows(database) if row.path.endswith("copy.flac")).missing is False


def test_other_audio_under_an_old_path_is_another_track(database, music):
    scan(database, [music])
    before = track_ids(database)
    encode(music / "flac.flac", "flac", seed=5, tags={"title": "Different"})
    assert counts(scan(database, [music])) == {"updated": 1, "unchanged": len(REQUIRED) - 1}
    assert track_ids(database)["flac.flac"] not in before.values()
    orphan = next(row for row in rows(database) if row.id == before["flac.flac"])
    assert orphan.missing
    assert orphan.path == ""


def test_two_files_that_swap_names_swap_paths(database, music):
    scan(database, [music])
    shutil.copy(music / "flac.flac", music / "x.flac")
    encode(music / "y.flac", "flac", seed=5)
    scan(database, [music])
    before = {row.path: row.id for row in rows(database)}
    one, two, between = music / "flac.flac", music / "y.flac", music / "between"
    one.rename(between)
    two.rename(one)
    between.rename(two)
    os.utime(one, ns=(1, 1))
    os.utime(two, ns=(2, 2))
    scan(database, [music])
    with database.reader() as session:
        after = dict(session.execute(select(TrackFile.path, TrackFile.track_id)).all())
    assert after[str(two)] == before[str(one)]
    assert after[str(one)] == before[str(two)]


def test_damaged_files_are_reported_every_time_but_read_once(database, music, monkeypatch):
    (music / "words.mp3").write_text("only words\n" * 99)
    (music / "empty.ogg").touch()
    (music / "cut.m4a").write_bytes((music / "aac.m4a").read_bytes()[:5000])
    first = scan(database, [music])
    assert counts(first) == {"added": len(REQUIRED), "failed": 3}
    assert {Path(f.path).name: f.error.split(":")[0] for f in first.failed} == {
        "words.mp3": "it holds text, not audio",
        "empty.ogg": "it is empty",
        "cut.m4a": "its MP4 index (moov) is missing",
    }
    forbid_opening(monkeypatch)
    again = scan(database, [music])
    assert counts(again) == {"unchanged": len(REQUIRED), "failed": 3}
    assert set(again.failed) == set(first.failed)


@pytest.mark.slow
def test_a_mended_file_becomes_a_track_and_its_failure_is_forgotten(database, music, originals):
    (music / "new.mp3").write_text("still downloading")
    scan(database, [music])
    encode(music / "new.mp3", "mp3", seed=3)
    assert counts(scan(database, [music])) == {"added": 1, "unchanged": len(REQUIRED)}
    assert number_of(database, FailedFile) == 0


def test_a_track_whose_file_breaks_is_missing_until_it_is_mended(database, music):
    scan(database, [music])
    before = track_ids(database)
    good = (music / "flac.flac").read_bytes()
    (music / "flac.flac").write_bytes(b"fLaC")
    assert counts(scan(database, [music])) == {"unchanged": len(REQUIRED) - 1, "failed": 1}
    assert [row.id for row in rows(database) if row.missing] == [before["flac.flac"]]
    (music / "flac.flac").write_bytes(good)
    assert counts(scan(database, [music])) == {"updated": 1, "unchanged": len(REQUIRED) - 1}
    assert track_ids(database) == before
    assert not any(row.missing for row in rows(database))


def test_a_damaged_file_that_is_deleted_is_forgotten(database, music):
    (music / "words.mp3").write_text("only words")
    scan(database, [music])
    (music / "words.mp3").unlink()
    assert counts(scan(database, [music])) == {"unchanged": len(REQUIRED)}
    assert number_of(database, FailedFile) == 0


def test_scanning_a_part_leaves_the_rest_alone(database, music):
    (music / "part").mkdir()
    (music / "flac.flac").rename(music / "part/flac.flac")
    scan(database, [music])
    (music / "mp3.mp3").unlink()
    assert counts(scan(database, [music / "part"])) == {"unchanged": 1}
    assert not any(row.missing for row in rows(database))


def test_overlapping_roots_give_every_file_once(database, music):
    (music / "part").mkdir()
    (music / "flac.flac").rename(music / "part/flac.flac")
    assert counts(scan(database, [music, music / "part"])) == {"added": len(REQUIRED)}
    assert counts(scan(database, [music / "part", music])) == {"unchanged": len(REQUIRED)}


def test_one_file_can_be_scanned_whatever_its_ending(database, music):
    odd = music / "song.backup"
    (music / "flac.flac").rename(odd)
    assert counts(scan(database, [odd])) == {"added": 1}


def test_a_wrong_path_is_one_sentence_and_nothing_is_scanned(database, music):
    with pytest.raises(LibraryError, match=r"^\S+/nowhere does not exist; check the path\.$"):
        scan(database, [music, music / "nowhere"])
    assert number_of(database, Track) == 0


def test_an_empty_folder_is_one_sentence(database, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(LibraryError, match="There are no audio files in"):
        scan(database, [tmp_path / "empty"])


def test_an_empty_folder_beside_a_full_one_is_reported(database, music, tmp_path):
    (tmp_path / "empty").mkdir()
    report = scan(database, [music, tmp_path / "empty"])
    assert report.added == len(REQUIRED)
    assert [(f.path, f.error) for f in report.failed] == [(str(tmp_path / "empty"), "it holds no audio files")]


@pytest.mark.parametrize("named", ["file", "folder"])
def test_a_text_file_named_mp3_alone_is_one_sentence_every_time(named, database, tmp_path):
    path = tmp_path / "songs" / "song.mp3"
    path.parent.mkdir()
    path.write_text("only words")
    for _ in range(2):
        with pytest.raises(LibraryError, match=r"song\.mp3 is not readable audio: it holds text, not audio\."):
            scan(database, [path if named == "file" else path.parent])


def unknown_wav(path):
    """A WAV file in a format that no decoder knows."""
    data = bytes(range(256)) * 40
    header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 0x1234, 2, 44_100,
                         176_400, 4, 16, b"data", len(data))  # fmt: skip
    path.write_bytes(header + data)


def test_a_wav_of_an_unknown_format_stops_nothing(database, music, capfd):
    unknown_wav(music / "a.wav")
    report = scan(database, [music])
    assert report.added == len(REQUIRED)
    assert [failed.error for failed in report.failed] == ["it is in a format that FFmpeg cannot decode"]
    assert capfd.readouterr().err == ""


def test_what_nobody_foresaw_in_one_file_stops_nothing_and_goes_to_the_log(database, music, monkeypatch, caplog):
    from player.library.containers import flac

    def surprised(file, size):
        raise KeyError("surprise")

    monkeypatch.setattr(flac, "probe", surprised)
    report = scan(database, [music])
    assert report.added == len(REQUIRED) - 1
    assert [failed.error for failed in report.failed] == ["reading it failed unexpectedly (KeyError: 'surprise')"]
    assert 'raise KeyError("surprise")' in caplog.text
    with pytest.raises(NotAudioError, match="failed unexpectedly"):
        full_audio_hash(music / "flac.flac")


def test_odd_tags_are_no_reason_to_do_without_the_music(database, music, monkeypatch, caplog):
    from player.library.tagging import reader

    def surprised(*_, **__):
        raise IndexError("list index out of range")

    for name in ("read_flac", "read_ogg", "read_items", "read_asf", "read_id3v2", "read_chunks"):
        monkeypatch.setattr(reader, name, surprised)
    report = scan(database, [music])
    assert (report.added, report.failed) == (len(REQUIRED), ())
    assert "IndexError" in caplog.text
    assert {row.title for row in rows(database)} == {"First Song"}  # FFmpeg has them too


def test_only_regular_files_are_read(database, music):
    os.mkfifo(music / "pipe.mp3")
    assert counts(scan(database, [music])) == {"added": len(REQUIRED)}
    with pytest.raises(LibraryError, match=r"pipe\.mp3 is neither a folder nor a file"):
        scan(database, [music / "pipe.mp3"])
    found = FoundFile(str(music / "pipe.mp3"), str(music), 1, 1)  # it took a file's place after the walk
    assert read_file(found)[0].error == "it cannot be read (it is no regular file)"


def test_a_library_whose_files_have_all_gone_is_marked_missing_not_refused(database, music):
    scan(database, [music])
    for path in music.iterdir():
        path.unlink()
    assert counts(scan(database, [music])) == {"missing": len(REQUIRED)}


def test_odd_names_are_stored_shown_and_found_again(database, music):
    names = [b"caf\xe9.flac", b"new\nline.mp3", b"esc\x1b[31m.ogg", "東京 ''\"%_.wav".encode()]
    for name, kind in zip(names, ["flac", "mp3", "vorbis", "wav"], strict=True):
        (music / f"{kind}.{FORMATS[kind].ending}").rename(music / os.fsdecode(name))
    assert counts(scan(database, [music])) == {"added": len(REQUIRED)}
    assert counts(scan(database, [music])) == {"unchanged": len(REQUIRED)}
    for row in rows(database):
        assert row.path.isprintable()
        assert text_to_path(row.path).is_file()


def test_what_may_not_be_read_is_reported_and_not_taken_for_gone(database, music, refuse):
    (music / "locked").mkdir()
    (music / "flac.flac").rename(music / "locked/flac.flac")
    scan(database, [music])
    refuse(music / "locked")
    report = scan(database, [music])
    assert counts(report) == {"unchanged": len(REQUIRED) - 1, "failed": 1}
    assert report.failed[0].error == "it cannot be listed (Permission denied)"
    assert not any(row.missing for row in rows(database))


def test_a_root_that_may_not_be_listed_is_one_sentence(database, tmp_path, refuse):
    refuse(tmp_path)
    with pytest.raises(LibraryError, match="cannot be listed"):
        scan(database, [tmp_path])


def test_an_interrupted_scan_keeps_what_it_has_and_the_next_goes_on(database, music, monkeypatch):
    from player.library import scan as module

    monkeypatch.setattr(module, "_BATCH_FILES", 3)
    real, read = module.read_file, []

    def interrupted(found, separators):
        if len(read) == 4:
            raise KeyboardInterrupt
        read.append(found.path)
        return real(found, separators)

    monkeypatch.setattr(module, "read_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        scan(database, [music])
    assert number_of(database, Track) == 3
    monkeypatch.setattr(module, "read_file", real)
    assert counts(scan(database, [music])) == {"added": len(REQUIRED) - 3, "unchanged": 3}


def test_a_stopped_scan_says_what_it_did_and_marks_nothing_missing(database, music, monkeypatch):
    from player.library import scan as module

    scan(database, [music / "flac.flac"])
    (music / "flac.flac").unlink()
    monkeypatch.setattr(module, "_BATCH_FILES", 2)
    assert counts(scan(database, [music], should_stop=lambda: True)) == {"added": 2}
    assert counts(scan(database, [music])) == {"added": len(REQUIRED) - 3, "missing": 1, "unchanged": 2}


def test_progress_ends_at_the_number_of_new_files(database, music):
    told = []
    scan(database, [music], progress=told.append)
    assert (told[-1].done, told[-1].total) == (len(REQUIRED), len(REQUIRED))


@pytest.mark.slow
@pytest.mark.shared
def test_the_real_library_is_read_whole_and_then_left_alone(database, shared_music, monkeypatch):
    assert counts(scan(database, [shared_music])) == {"added": 240}
    assert number_of(database, Track) == 240
    found = rows(database)
    assert all(0 < row.duration <= 30.1 and row.artist and row.album and row.genre for row in found)
    forbid_opening(monkeypatch)
    assert counts(scan(database, [shared_music])) == {"unchanged": 240}


def test_what_is_no_audio_is_named_apart_and_not_opened_again(database, music):
    (music / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    (music / "song").write_bytes((music / "flac.flac").read_bytes()[:-1])
    for _ in range(2):
        report = scan(database, [music])
        assert (report.not_audio, report.failed) == ((str(music / "cover.jpg"),), ())
    assert "song" in {path.rpartition("/")[2] for path in known_paths(database)}


def test_lyrics_and_covers_that_appear_beside_a_file_are_noticed_without_reading_it(database, music):
    scan(database, [music])
    (music / "flac.lrc").write_text("la")
    report = scan(database, [music])
    assert (report.updated, report.unchanged) == (0, len(REQUIRED))
    with database.reader() as session:
        told = load_columns(driver_connection(session), [row.id for row in load_catalogue(session)])
        names = {each["files"][0].rpartition("/")[2] for each in told.values() if each["has_lyrics"]}
    assert names == {"flac.flac"}


def test_a_root_that_is_away_makes_its_tracks_missing_and_they_come_back_whole(database, music, tmp_path):
    scan(database, [music])
    music.rename(tmp_path / "away")
    report = scan(database, [music])
    assert (report.missing, [failed.path for failed in report.failed]) == (len(REQUIRED), [str(music)])
    (tmp_path / "away").rename(music)
    assert counts(scan(database, [music])) == {"updated": len(REQUIRED)}
    with pytest.raises(LibraryError, match="does not exist"):
        scan(database, [tmp_path / "never there"])


def known_paths(database):
    with database.reader() as session:
        return session.scalars(select(TrackFile.path)).all()
