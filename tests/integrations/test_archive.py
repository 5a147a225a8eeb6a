"""Exports as files, folders and archives: damaged, locked, absent."""

import zipfile

import pytest

from player.integrations.history.archive import Export, ExportError


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


def test_an_archive_counts_what_was_read_of_its_unpacked_size(tmp_path):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b/a.json", "1" * 100_000)
    export = Export(path)
    (part,) = export.parts()
    with part.text() as stream:
        stream.read()
    assert (part.size, export.consumed) == (100_000, 100_000)
