import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.decode import decode_mono
from embeddings.errors import EmbeddingError
from embeddings.networks.mel import SAMPLE_RATE
from embeddings.networks.musicnn import (
    BATCH_NORM_EPSILON,
    DATA_MEMBER,
    EXACT,
    INDEX_MEMBER,
    Arithmetic,
    Setting,
    fast,
    load_musicnn,
    network_from,
    spread,
)
from embeddings.networks.musicnn_bfloat16 import TorchFront
from embeddings.networks.specs import MSD_TAGS
from embeddings.registry import frontend_spec, load_frontend
from embeddings.weights.files import read_member
from embeddings.weights.tf_checkpoint import read_checkpoint


@pytest.fixture(scope="module")
def exact_musicnn(weights):
    torch.set_num_threads(1)
    return load_musicnn("musicnn", weights, EXACT)


@pytest.fixture(scope="module")
def half_musicnn(weights):
    torch.set_num_threads(1)
    return load_musicnn("musicnn", weights, Setting(EXACT.windows, Arithmetic.BFLOAT16))


@pytest.fixture(scope="module")
def variables(weights):
    wheel = weights.read_bytes()
    return read_checkpoint(read_member(wheel, INDEX_MEMBER), read_member(wheel, DATA_MEMBER))


def obvious_musicnn(variables, patches):
    """The network as its paper draws it: plain convolutions over images, in float64, every step in the drawn order."""
    v = {name: torch.from_numpy(array).double() for name, array in variables.items()}

    def norm(x, number):
        layer = f"batch_normalization_{number}" if number else "batch_normalization"
        return F.batch_norm(
            x,
            v[f"{layer}/moving_mean"],
            v[f"{layer}/moving_variance"],
            v[f"{layer}/gamma"],
            v[f"{layer}/beta"],
            eps=BATCH_NORM_EPSILON,
        )

    def conv(x, number):
        layer = f"conv2d_{number}" if number else "conv2d"
        return norm(F.relu(F.conv2d(x, v[f"{layer}/kernel"].permute(3, 2, 0, 1), v[f"{layer}/bias"])), number + 1)

    x = norm(torch.from_numpy(patches).double()[:, None], 0)  # (B, 1, time, frequency)
    timbral = [conv(F.pad(x, (0, 0, 3, 3)), number).amax(dim=3) for number in (0, 1)]
    paddings = {2: (63, 64), 3: (31, 32), 4: (15, 16)}
    temporal = [conv(F.pad(x, (0, 0, *padding)), number).amax(dim=3) for number, padding in paddings.items()]
    front = torch.cat([*timbral, *temporal], dim=1)  # (B, channels, time)

    def over_time(x, number):
        return conv(F.pad(x.transpose(1, 2)[:, None], (0, 0, 3, 3)), number)[..., 0]

    first = over_time(front, 5)
    second = over_time(first, 6) + first
    third = over_time(second, 7) + second
    features = torch.cat([front, first, second, third], dim=1)
    interleaved = torch.stack([features.amax(dim=2), features.mean(dim=2)], dim=2).flatten(1)
    hidden = norm(F.relu(norm(interleaved, 9) @ v["dense/kernel"] + v["dense/bias"]), 10)
    return hidden.numpy(), torch.sigmoid(hidden @ v["dense_1/kernel"] + v["dense_1/bias"]).numpy()


@pytest.mark.slow
def test_the_network_equals_the_reference(exact_musicnn, reference):
    ours = exact_musicnn.run(reference["patches"])
    np.testing.assert_allclose(ours.tags, reference["tags"], atol=1e-4, rtol=0)
    np.testing.assert_allclose(ours.mean_pool, reference["mean_pool"], atol=1e-4, rtol=0)
    # Maxima reach 100, where float32 itself is no finer: the reference's own distance from exact arithmetic is 3e-4.
    np.testing.assert_allclose(ours.max_pool, reference["max_pool"], atol=1e-4, rtol=1e-5)


@pytest.mark.slow
def test_the_network_equals_a_slow_and_obvious_one(exact_musicnn, variables):
    patches = np.random.default_rng(5).uniform(0, 4, (2, 187, 96)).astype(np.float32)
    ours, (penultimate, tags) = exact_musicnn.run(patches), obvious_musicnn(variables, patches)
    np.testing.assert_allclose(ours.penultimate, penultimate, atol=1e-4)
    np.testing.assert_allclose(ours.tags, tags, atol=1e-5)


def test_the_real_network_has_filters_whose_order_batch_normalisation_reverses(exact_musicnn):
    """Else the comparisons above would not test that pooling before it is allowed."""
    timbral = exact_musicnn._network.front.timbral
    assert all((block.sign < 0).any() and (block.sign > 0).any() for block in timbral)


@pytest.mark.slow
def test_products_in_bfloat16_change_the_vectors_by_less_than_anyone_can_hear(half_musicnn, exact_musicnn, reference):
    """The precision of bfloat16 is 1/256; neighbours are found by the angle between vectors."""
    half, exact = half_musicnn.run(reference["patches"]), exact_musicnn.run(reference["patches"])
    cosines = (half.penultimate * exact.penultimate).sum(axis=1)
    cosines /= np.linalg.norm(half.penultimate, axis=1) * np.linalg.norm(exact.penultimate, axis=1)
    assert cosines.min() > 0.999
    np.testing.assert_allclose(half.tags, exact.tags, atol=0.03)
    assert (half.penultimate != exact.penultimate).any()


@pytest.mark.slow
def test_products_made_at_once_equal_those_made_one_by_one(exact_musicnn):
    """The front for bfloat16 arranges the work in another way, which float32 proves to be the same work."""
    front = exact_musicnn._network.front
    x = np.random.default_rng(3).standard_normal((50, 96)).astype(np.float32)
    np.testing.assert_allclose(TorchFront(front, torch.float32)(x), front(x), atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize(
    ("abilities", "arithmetic"),
    [
        ({"amx_bf16": True, "avx512_bf16": True}, Arithmetic.BFLOAT16),
        ({"amx_bf16": False, "avx512_bf16": True}, Arithmetic.BFLOAT16),
        ({"avx2": True}, Arithmetic.FLOAT32),
    ],
)
def test_bfloat16_is_used_where_the_processor_has_it(monkeypatch, abilities, arithmetic):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: abilities)
    assert fast().arithmetic == arithmetic


@pytest.mark.slow
def test_pieces_of_a_track_are_windows_of_it(exact_musicnn, sound):
    pieces = [sound(186 * 256 / SAMPLE_RATE, SAMPLE_RATE, hertz) for hertz in (200.0, 400.0, 800.0)]
    embedded = exact_musicnn.embed_excerpts(pieces)
    for piece, window in zip(pieces, embedded.windows, strict=True):
        np.testing.assert_array_equal(exact_musicnn.embed(piece).windows[0], window)


def test_the_tags_are_named_as_in_the_reference(reference):
    assert tuple(reference["tag_names"]) == MSD_TAGS


@pytest.mark.slow
def test_one_window_alone_and_among_others_has_the_same_outputs(musicnn, reference):
    together = musicnn.run(reference["patches"]).penultimate
    np.testing.assert_array_equal(musicnn.run(reference["patches"][2:3]).penultimate[0], together[2])


@pytest.mark.slow
def test_embed_gives_one_vector_and_one_row_of_tags_for_each_three_seconds(musicnn, sound):
    embedded = musicnn.embed(sound(10.0, SAMPLE_RATE))
    assert embedded.windows.shape == (3, musicnn.spec.dimension)
    assert embedded.tags.shape == (3, len(musicnn.spec.tag_names))
    assert embedded.windows.dtype == embedded.tags.dtype == np.float32
    assert ((embedded.tags > 0) & (embedded.tags < 1)).all()


def test_silence_has_a_finite_vector(musicnn):
    embedded = musicnn.embed(np.zeros(5 * SAMPLE_RATE, np.float32))
    assert np.isfinite(embedded.windows).all()
    assert np.isfinite(embedded.tags).all()


@pytest.mark.slow
@pytest.mark.parametrize("samples", [1, 2, 300, SAMPLE_RATE])
def test_audio_shorter_than_a_window_is_repeated(musicnn, sound, samples):
    short = sound(2.0, SAMPLE_RATE)[:samples]
    repeated = np.tile(short, 4 * SAMPLE_RATE // samples)[: 4 * SAMPLE_RATE]
    embedded = musicnn.embed(short)
    assert embedded.windows.shape == (1, 200)
    # Only the last frame differs: there the short sound is mirrored and the long one goes on.
    np.testing.assert_allclose(embedded.tags[0], musicnn.embed(repeated).tags[0], atol=0.02)


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.empty(0, np.float32), "the audio is empty"),
        (np.full(SAMPLE_RATE, np.nan, np.float32), "no finite numbers"),
        (np.array([0.0, np.inf], np.float32), "no finite numbers"),
        (np.zeros((2, SAMPLE_RATE), np.float32), "2 dimensions"),
        (np.tile(np.array([1e30, -1e30], np.float32), SAMPLE_RATE), "too loud"),
    ],
)
def test_audio_that_cannot_be_embedded_is_refused_with_the_reason(musicnn, samples, reason):
    with pytest.raises(EmbeddingError, match=reason):
        musicnn.embed(samples)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(width=32, min_value=-1e6, max_value=1e6), min_size=1, max_size=50))
def test_any_finite_audio_has_a_finite_vector(musicnn, samples):
    embedded = musicnn.embed(np.array(samples, np.float32))
    assert np.isfinite(embedded.windows).all()


@pytest.mark.slow
@given(st.integers(1, 400), st.integers(1, 40))
@settings(max_examples=50, deadline=None)
def test_windows_are_in_order_and_spread_over_the_whole_track(count, most):
    starts = spread(np.arange(count, dtype=np.float32), most)
    assert len(starts) == min(count, most)
    assert (np.diff(starts) >= 1).all()
    gap = count / len(starts)
    assert starts[0] <= gap / 2
    assert count - 1 - starts[-1] <= gap / 2


@pytest.mark.parametrize("name", ["conv2d_3/kernel", "batch_normalization/gamma", "dense_1/bias"])
def test_a_checkpoint_of_another_network_is_refused_by_the_variables_name(variables, name):
    without = {key: value for key, value in variables.items() if key != name}
    with pytest.raises(EmbeddingError, match=f'no variable "{name}"'):
        network_from(without)
    with pytest.raises(EmbeddingError, match=f'"{name}" is not a finite array'):
        network_from(variables | {name: variables[name][..., None]})
    with pytest.raises(EmbeddingError, match=f'"{name}" is not a finite array'):
        network_from(variables | {name: np.full_like(variables[name], np.nan)})


def test_a_front_end_that_does_not_exist_is_refused_by_name(tmp_path):
    with pytest.raises(EmbeddingError, match='no front-end "openearth"; choose one of: musicnn'):
        load_frontend("openearth", tmp_path / "x")


def test_a_wrong_file_of_weights_is_refused_before_it_is_read(tmp_path):
    wrong = tmp_path / frontend_spec("musicnn").weights.filename
    wrong.write_bytes(b"not a wheel")
    with pytest.raises(EmbeddingError, match="another or a damaged file"):
        load_frontend("musicnn", wrong)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("track", range(4))
def test_from_file_to_tags_equals_the_reference_whatever_the_decoder(
    exact_musicnn, shared_music, shared_reference, track
):
    samples = decode_mono(shared_music / str(shared_reference[f"{track}.path"]), SAMPLE_RATE)
    np.testing.assert_allclose(exact_musicnn.embed(samples).tags, shared_reference[f"{track}.tags"], atol=0.02)
