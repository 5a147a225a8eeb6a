import numpy as np
import pytest
import torch

from embeddings.errors import EmbeddingError
from embeddings.excerpts import ExcerptPlan, decode_excerpts
from embeddings.networks.specs import MEE, MEE_FILE
from embeddings.pipeline import embed_file
from embeddings.registry import load_frontend
from tests.support.published import TOLERANCE, furthest, layout, reference, save_checkpoint

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mee(tmp_path_factory):
    torch.set_num_threads(1)
    path = save_checkpoint(tmp_path_factory.mktemp("mee") / "music_effects_encoder.pt", "mee", "module.", "model")
    front = load_frontend("mee", path)
    path.unlink()  # a third of a gigabyte
    return front


@pytest.fixture(scope="module")
def window():
    return (np.random.default_rng(2).standard_normal((1, 2, MEE.window_samples)) * 0.1).astype(np.float32)


def test_the_network_equals_the_reference(mee, window):
    ours, theirs = mee.run(window), reference("mee")
    assert furthest(ours.pooled, theirs["pooled"]) < TOLERANCE
    assert furthest(ours.projected, theirs["projected"]) < TOLERANCE


def test_embedding_stereo_samples_equals_the_reference(mee, window):
    embedded = mee.embed(window[0])
    assert furthest(embedded.windows, reference("mee")["pooled"]) < TOLERANCE
    assert embedded.tags.shape == (1, 0)


def test_left_and_right_are_not_the_same(mee, window):
    swapped = mee.embed(window[0, ::-1]).windows
    assert np.abs(swapped - reference("mee")["pooled"]).max() > 1.0


def test_a_real_stereo_file_is_heard_in_stereo(mee, tmp_path, encode, sound):
    sides = np.stack([sound(5.5, MEE.sample_rate), sound(5.5, MEE.sample_rate, hertz=660, seed=1)])
    path = encode(tmp_path / "a.w64", sides, MEE.sample_rate)
    np.testing.assert_allclose(embed_file(path, mee).vector, mee.embed(sides).windows[0], atol=1e-3)


def test_a_long_file_is_heard_in_stereo_pieces_of_one_window(mee, tmp_path, encode, sound):
    sides = np.stack([sound(45.0, MEE.sample_rate), sound(45.0, MEE.sample_rate, hertz=660, seed=1)])
    path = encode(tmp_path / "long.flac", sides, MEE.sample_rate)
    pieces = decode_excerpts(path, MEE.sample_rate, ExcerptPlan(3, MEE.window_samples), MEE.channels)
    assert [piece.shape for piece in pieces] == [(2, MEE.window_samples)] * 3
    np.testing.assert_array_equal(mee.embed_excerpts(pieces).windows[1], mee.run(pieces[1][None]).pooled[0])


def test_mono_samples_are_refused(mee):
    with pytest.raises(EmbeddingError, match=r"shape is \(44100,\) where \(2, samples\) is wanted"):
        mee.embed(np.zeros(MEE.sample_rate, np.float32))
    with pytest.raises(EmbeddingError, match="no finite numbers"):
        mee.embed(np.full((2, MEE.sample_rate), np.inf, np.float32))


def test_the_card_knows_the_size_of_the_parameters():
    assert sum(4 * int(np.prod(shape)) for _, shape in layout("mee")) == MEE_FILE.parameter_bytes


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    with pytest.raises(EmbeddingError, match="it is not the Music Effects Encoder"):
        load_frontend("mee", save_checkpoint(tmp_path / "clmr.pt", "clmr", "encoder."))
