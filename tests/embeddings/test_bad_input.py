"""What is no ordinary music: a vector or a reason, whichever front-end listens, and the run goes on."""

import resource
import struct

import numpy as np
import pytest
import torch

from embeddings.errors import EmbeddingError
from embeddings.excerpts import decode_excerpts
from embeddings.pipeline import embed_file, embed_many
from embeddings.registry import load_frontend
from tests.support.published import save_checkpoint

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clmr(tmp_path_factory):
    torch.set_num_threads(1)
    return load_frontend("clmr", save_checkpoint(tmp_path_factory.mktemp("clmr") / "clmr.pt", "clmr", "encoder."))


@pytest.fixture(params=["musicnn", "clmr"])
def frontend(request):
    """One that looks at spectrograms, and one that hears the waveform itself."""
    return request.getfixturevalue(request.param)


def floats(path, samples, rate):
    """A WAV file of 32-bit floats, which can say what no encoder would."""
    data = np.asarray(samples, "<f4").tobytes()
    header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 3, 1, rate, 4 * rate, 4, 32,
                         b"data", len(data))  # fmt: skip
    path.write_bytes(header + data)
    return path


def vector(path, frontend):
    pooled = embed_file(path, frontend)
    assert pooled.vector.shape == pooled.spread.shape == (frontend.spec.dimension,)
    assert np.isfinite(pooled.vector).all()
    assert np.isfinite(pooled.spread).all()
    return pooled.vector


@pytest.mark.parametrize("seconds", [0.5, 60.0])
def test_silence_has_a_vector(frontend, tmp_path, seconds):
    vector(floats(tmp_path / "a.wav", np.zeros(round(seconds * 22_050)), 22_050), frontend)


def test_half_a_second_is_repeated(frontend, tmp_path, encode, sound):
    rate = frontend.spec.sample_rate
    short = sound(0.5, rate)
    heard = vector(floats(tmp_path / "a.wav", short, rate), frontend)
    repeated = np.resize(short, frontend.spec.window_samples)
    np.testing.assert_allclose(heard, frontend.embed(repeated).windows[0], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", ["wave", "mp3"])
def test_a_telephones_8_khz_in_mono_has_a_vector(frontend, tmp_path, encode, sound, kind):
    vector(encode(tmp_path / f"a.{kind}", sound(60.0, 8_000)[None], 8_000), frontend)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
@pytest.mark.parametrize("seconds", [2, 60])
def test_what_is_no_number_or_deafening_has_a_reason(frontend, tmp_path, bad, seconds):
    path = floats(tmp_path / "a.wav", np.full(seconds * 22_050, bad), 22_050)
    with pytest.raises(EmbeddingError, match=r"no finite numbers|too loud"):
        embed_file(path, frontend)


def test_a_day_of_sound_is_heard_in_pieces(frontend, tmp_path):
    """24 hours at 8 kHz, of which the disk holds only the header."""
    seconds = 24 * 3600
    path = floats(tmp_path / "day.wav", [], 8_000)
    contents = bytearray(path.read_bytes())
    contents[16:44] = struct.pack("<IHHIIHH4sI", 16, 1, 1, 8_000, 8_000, 1, 8, b"data", seconds * 8_000)
    contents[4:8] = struct.pack("<I", 36 + seconds * 8_000)
    path.write_bytes(contents)
    with path.open("r+b") as file:
        file.truncate(44 + seconds * 8_000)
    pieces = decode_excerpts(path, frontend.spec.sample_rate, frontend.excerpts)
    assert len(pieces) == frontend.excerpts.count
    vector(path, frontend)


def test_none_of_it_ends_a_run(weights, tmp_path, encode, sound):
    paths = [
        floats(tmp_path / "silence.wav", np.zeros(8_000), 16_000),
        floats(tmp_path / "nan.wav", np.full(8_000, np.nan), 16_000),
        floats(tmp_path / "empty.wav", [], 16_000),
        tmp_path / "absent.wav",
        encode(tmp_path / "music.flac", sound(4.0, 44_100)[None], 44_100),
    ]
    results = sorted(embed_many(paths, "musicnn", weights, workers=1), key=lambda result: result.index)
    assert [result.embedding is not None for result in results] == [True, False, False, False, True]
    assert all("\n" not in result.error for result in results if result.error is not None)


def pcm(path, rate, channels, frames, claimed=None):
    """A WAV file of 16-bit silence whose header says ``rate`` and ``channels``."""
    data = bytes(2 * channels * frames)
    header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, channels, rate,
                         2 * channels * rate, 2 * channels, 16, b"data", claimed or len(data))  # fmt: skip
    path.write_bytes(header + data)
    return path


@pytest.mark.parametrize("rate", [1, 100, 999, 4_000_000])
def test_a_sample_rate_that_no_music_has_is_refused_before_memory_is_taken_on_its_word(frontend, tmp_path, rate):
    """700 kB at 1 Hz would be resampled to gigabytes."""
    path = pcm(tmp_path / "a.wav", rate, 1, 350_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(EmbeddingError, match=r"sample rate of .* Hz is no rate of music"):
        embed_file(path, frontend)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def test_more_channels_than_any_music_has_are_refused(frontend, tmp_path):
    with pytest.raises(EmbeddingError, match=r"channels|no audio"):
        embed_file(pcm(tmp_path / "a.wav", 44_100, 100, 1000), frontend)
    vector(pcm(tmp_path / "b.wav", 44_100, 8, 50_000), frontend)


def test_a_piece_of_many_wide_channels_is_decoded_block_by_block(frontend, tmp_path, monkeypatch):
    path = pcm(tmp_path / "a.wav", 44_100, 8, 60 * 44_100)
    assert len(decode_excerpts(path, frontend.spec.sample_rate, frontend.excerpts)) == frontend.excerpts.count
    monkeypatch.setattr("embeddings.excerpts.LARGEST_PIECE", 1000)
    assert len(decode_excerpts(path, frontend.spec.sample_rate, frontend.excerpts)) == 1
