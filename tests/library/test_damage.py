"""Hostile and broken files: an answer or the library's own error, in reasonable time, never anything else."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from player.library import containers
from player.library.containers import NotAudioError
from player.library.file_reader import fingerprint
from player.library.tags import read_tags
from tests.library.audio_files import FORMATS, encode

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def short_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("short")
    tags = {"title": "Song", "artist": "Singer", "comment": "c" * 200}
    paths = {
        kind: encode(folder / f"{kind.replace(' ', '-')}.{made.ending}", kind, seconds=0.3, tags=tags)
        for kind, made in FORMATS.items()
    }
    return lambda kind: paths[kind].read_bytes()


def read_all(data: bytes) -> None:
    """All that a scan does with a file; an exception other than NotAudioError fails the test."""
    file = io.BytesIO(data)
    try:
        probe = containers.probe(file, len(data))
    except NotAudioError:
        return
    assert probe.info.duration > 0
    assert len(fingerprint(probe)) == 32
    assert read_tags(file, len(data), "name.mp3").title


@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_flipped_bytes_are_survived(short_files, kind, data):
    content = bytearray(short_files(kind))
    head = st.integers(0, min(400, len(content) - 1))  # where the headers are
    anywhere = st.integers(0, len(content) - 1)
    for position, value in data.draw(st.lists(st.tuples(head | anywhere, st.integers(0, 255)), min_size=1, max_size=8)):
        content[position] = value
    read_all(bytes(content))


@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_cut_is_survived(short_files, kind, data):
    content = short_files(kind)
    read_all(content[: data.draw(st.integers(0, len(content)))])


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([magic for _offset, magic, _name in containers._MAGICS] + [b"ID3", b"\xff\xfb", b"RIFF", b"FORM"]),
    st.binary(max_size=300),
)
def test_noise_behind_any_magic_number_is_survived(magic, noise):
    for padding in (b"", b"\0\0\0\x18"):
        read_all(padding + magic + noise)
