import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from embeddings.errors import EmbeddingError
from embeddings.weights.__main__ import main
from embeddings.weights.files import (
    MUSICNN_WHEEL,
    WeightsFile,
    ensure_weights,
    fetch_weights,
    find_weights,
    installed_folder,
    read_member,
)


def build_wheel(folder: Path) -> Path:
    """A small but complete wheel, which pip accepts."""
    path = folder / "tiny_weights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_weights/data", b"weights" * 100)
        archive.writestr(
            "tiny_weights-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n"
        )
        archive.writestr(
            "tiny_weights-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("tiny_weights-1.0.dist-info/RECORD", "")
    return path


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that the real pip takes for the only package index there is."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


@pytest.fixture
def wanted(index):
    contents = build_wheel(index).read_bytes()
    return WeightsFile(
        "tiny_weights-1.0-py3-none-any.whl",
        "tiny-weights==1.0",
        hashlib.sha256(contents).hexdigest(),
        len(contents),
        "ISC",
    )


@pytest.fixture
def prefix(tmp_path, monkeypatch):
    """An environment without weights."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))
    installed_folder().mkdir(parents=True)
    return installed_folder()


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.mark.slow
def test_missing_weights_are_fetched_by_pip_into_the_cache(wanted, prefix, cache):
    path = ensure_weights(wanted, named=None, cache=cache)
    assert path == cache / wanted.filename
    assert hashlib.sha256(path.read_bytes()).hexdigest() == wanted.sha256
    assert list(cache.iterdir()) == [path]


@pytest.mark.slow
def test_weights_are_fetched_once(wanted, prefix, cache, index):
    first = ensure_weights(wanted, named=None, cache=cache)
    (index / wanted.filename).unlink()
    assert ensure_weights(wanted, named=None, cache=cache) == first


def test_the_file_the_user_names_goes_before_the_environments_and_that_before_the_cache(
    wanted, prefix, cache, index, tmp_path
):
    contents = (index / wanted.filename).read_bytes()
    mine = tmp_path / "mine.bin"
    cache.mkdir()
    assert find_weights(wanted, named=None, cache=cache) is None
    for path in (cache / wanted.filename, prefix / wanted.filename):
        path.write_bytes(contents)
        assert find_weights(wanted, named=None, cache=cache) == path
    mine.write_bytes(contents)
    assert find_weights(wanted, named=mine, cache=cache) == mine


@pytest.mark.slow
def test_a_wrong_file_named_by_the_user_is_an_error_even_if_a_right_one_is_there(wanted, prefix, cache, tmp_path):
    ensure_weights(wanted, named=None, cache=cache)
    wrong = tmp_path / "wrong.whl"
    wrong.write_bytes(b"x" * wanted.size)
    with pytest.raises(EmbeddingError, match="another or a damaged file"):
        ensure_weights(wanted, named=wrong, cache=cache)
    with pytest.raises(EmbeddingError, match="cannot be read: No such file"):
        ensure_weights(wanted, named=tmp_path / "absent.whl", cache=cache)


@pytest.mark.slow
def test_a_damaged_copy_in_the_cache_is_fetched_anew(wanted, prefix, cache):
    path = ensure_weights(wanted, named=None, cache=cache)
    contents = bytearray(path.read_bytes())
    contents[50] ^= 1
    path.write_bytes(contents)
    assert ensure_weights(wanted, named=None, cache=cache) == path
    assert wanted.read(path)


@pytest.mark.slow
def test_a_wheel_that_was_tampered_with_never_reaches_the_cache(wanted, prefix, cache, index):
    wheel = index / wanted.filename
    wheel.write_bytes(wheel.read_bytes() + b"!")
    with pytest.raises(EmbeddingError, match=wanted.sha256):
        ensure_weights(wanted, named=None, cache=cache)
    assert list(cache.iterdir()) == []


@pytest.mark.slow
def test_what_to_do_by_hand_is_said_when_pip_cannot_fetch(prefix, cache, index):
    with pytest.raises(EmbeddingError) as refusal:
        fetch_weights(MUSICNN_WHEEL, cache)
    sentence = str(refusal.value)
    for part in ("musicnn==0.1.0", "29 MB", MUSICNN_WHEEL.sha256, str(cache / MUSICNN_WHEEL.filename)):
        assert part in sentence
    assert "\n" not in sentence


def test_a_folder_that_cannot_be_written_is_said(wanted, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EmbeddingError, match="cannot be written to"):
        fetch_weights(wanted, tmp_path / "file" / "cache")


def test_the_command_finds_weights_that_are_there_already(weights, capsys):
    assert main(["--into", str(weights.parent)]) == 0
    assert capsys.readouterr().out == f"{weights}\n"


@pytest.mark.slow
def test_the_command_fails_in_one_sentence_when_they_cannot_be_had(index, cache):
    run = subprocess.run(
        [sys.executable, "-m", "embeddings.weights", "--into", str(cache)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert run.stderr.startswith("the weights musicnn-0.1.0-py3-none-any.whl could not be fetched")
    assert run.stderr.count("\n") == 1


def test_a_member_of_a_wheel_is_read(index, wanted):
    assert read_member((index / wanted.filename).read_bytes(), "tiny_weights/data") == b"weights" * 100


def test_a_wheel_that_is_no_archive_or_lacks_the_member_is_refused(index, wanted):
    contents = (index / wanted.filename).read_bytes()
    with pytest.raises(EmbeddingError, match="holds no tiny_weights/other"):
        read_member(contents, "tiny_weights/other")
    with pytest.raises(EmbeddingError, match="damaged zip archive"):
        read_member(contents[:100], "tiny_weights/data")
    flipped = bytearray(contents)
    flipped[flipped.index(b"weightsweights")] ^= 1
    with pytest.raises(EmbeddingError, match="damaged zip archive"):
        read_member(bytes(flipped), "tiny_weights/data")


def test_a_member_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("embeddings.weights.files.MAX_MEMBER_BYTES", 1000)
    path = tmp_path / "bomb.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(1001))
    with pytest.raises(EmbeddingError, match="claims to be larger"):
        read_member(path.read_bytes(), "bomb")
