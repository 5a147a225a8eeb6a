import numpy as np
import pytest

from embeddings.decode import BLOCK_SAMPLES, decode_mono
from embeddings.decode_stereo import decode_stereo
from embeddings.errors import EmbeddingError

RATE = 44_100


@pytest.fixture(scope="module")
def sides(sound):
    return np.stack([sound(2.0, RATE), sound(2.0, RATE, hertz=660.0, seed=1)])


@pytest.mark.parametrize("kind", ["w64", "w32", "wav", "flac"])
def test_lossless_files_keep_their_sides(tmp_path, encode, sides, kind):
    decoded = decode_stereo(encode(tmp_path / f"a.{kind}", sides, RATE), RATE)
    np.testing.assert_allclose(decoded, sides, atol=4e-5)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mp3", "opus", "ogg", "m4a"])
def test_lossy_files_average_to_what_the_mono_decoder_hears(tmp_path, encode, sides, kind):
    path = encode(tmp_path / f"a.{kind}", sides, 48_000)
    decoded = decode_stereo(path, RATE)
    assert decoded.shape[0] == 2
    assert decoded.dtype == np.float32
    np.testing.assert_allclose(decoded.mean(axis=0), decode_mono(path, RATE), atol=1e-3)
    assert np.corrcoef(decoded)[0, 1] < 0.9


def test_a_file_that_ends_with_a_full_block_ends_well(tmp_path, encode, sides):
    exact = sides[:, :BLOCK_SAMPLES]
    path = encode(tmp_path / "a.wav", exact, RATE)
    assert decode_stereo(path, RATE).shape == (2, BLOCK_SAMPLES)
    assert decode_mono(path, RATE).shape == (BLOCK_SAMPLES,)


def test_mono_is_heard_on_both_sides(tmp_path, encode, sides):
    decoded = decode_stereo(encode(tmp_path / "a.w64", sides[:1], RATE), RATE)
    np.testing.assert_allclose(decoded, np.repeat(sides[:1], 2, axis=0), atol=1e-6)


def test_only_the_start_is_decoded_when_that_is_asked(tmp_path, encode, sides):
    path = encode(tmp_path / "a.flac", np.tile(sides, 5), RATE)
    assert decode_stereo(path, 22_050, max_seconds=3.5).shape == (2, 77_175)


def test_what_cannot_be_decoded_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "text.mp3").write_text("no music\n" * 100)
    for path, reason in ((tmp_path / "text.mp3", "cannot be decoded"), (tmp_path / "absent.mp3", "No such file")):
        with pytest.raises(EmbeddingError, match=reason):
            decode_stereo(path, RATE)
    with pytest.raises(EmbeddingError, match="no regular file"):
        decode_stereo(tmp_path, RATE)
