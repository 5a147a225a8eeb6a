"""Exports as files, folders and archives: damaged, locked, absent."""

import os
import zipfile
from pathlib import Path

import pytest

from player.errors import PlayerError
from player.integrations.history.archive import Export, ExportError
from player.integrations.playlist_files import read_playlist
from player.stations.feedback_import import read_batch


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(ExportError, match=r"There is no file or folder .*nowhere; check the path\.$"):
        Export(tmp_path / "nowhere")


def test_a_damaged_archive_says_so_where_its_damage_is(tmp_path):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", "[" + "1, " * 5000 + "1]")
    data = bytearray(path.read_bytes())
    data[45:60] = b"\xff" * 15
    path.write_bytes(data)
    (part,) = Export(path).parts()
    with (
        pytest.raises(ExportError, match=r"^a\.json cannot be read \(.*\); nothing was recorded"),
        part.text() as stream,
    ):
        stream.read()


def test_only_files_and_folders_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(ExportError, match="is a device or a pipe, no file"):
            Export(path)
        for read in (read_playlist, read_batch):
            with pytest.raises(PlayerError, match=r"cannot be read .*no regular file"):
                read(path)


def test_an_archive_that_unpacks_to_too_much_is_refused_unread(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("endsong_0.json", " " * 100_000)
        archive.infolist()[0].file_size = (1 << 30) + 1
    with pytest.raises(ExportError, match="holds 1 files of 1,024 MiB, which no export does"):
        Export(tmp_path / "bomb.zip").parts()


def test_an_archive_of_many_files_keeps_one_open(tmp_path):
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(300):
            archive.writestr(f"{number:03}.json", str(number))
    before = len(list(Path("/proc/self/fd").iterdir()))
    parts, read = Export(tmp_path / "many.zip").parts(), []
    for part in parts:
        with part.text() as stream:
            read.append(stream.read())
            assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
    assert read == [str(number) for number in range(300)]


def test_an_archive_counts_what_was_read_of_its_unpacked_size(tmp_path):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b/a.json", "1" * 100_000)
    export = Export(path)
    (part,) = export.parts()
    with part.text() as stream:
        stream.read()
    assert (part.size, export.consumed) == (100_000, 100_000)
