import numpy as np
import pytest

from embeddings.decode import decode_mono
from embeddings.networks.mel import (
    FRAMES_AT_ONCE,
    HOP,
    MEL_BANDS,
    SAMPLE_RATE,
    hz_to_mel,
    log_mel,
    mel_filters,
    mel_to_hz,
    samples_for,
)


def obvious_log_mel(samples):
    """One frame and one frequency at a time, in float64, from the definitions."""
    padded = np.pad(samples.astype(np.float64), 256, mode="reflect")
    n = np.arange(512)
    window = np.sin(np.pi * n / 512) ** 2
    edges = mel_to_hz(np.linspace(0, hz_to_mel(np.array(8000.0)), 98))
    rows = []
    for start in range(0, len(samples) + 1, 256):
        frame = padded[start : start + 512] * window
        power = [abs(np.sum(frame * np.exp(-2j * np.pi * k * n / 512))) ** 2 for k in range(257)]
        bands = []
        for low, centre, high in zip(edges[:-2], edges[1:-1], edges[2:], strict=True):
            triangle = np.interp(np.arange(257) * 16000 / 512, [low, centre, high], [0, 2 / (high - low), 0])
            bands.append(np.sum(triangle * power))
        rows.append(np.log10(10000 * np.array(bands) + 1))
    return np.array(rows)


def test_log_mel_equals_the_definition():
    samples = (np.random.default_rng(3).standard_normal(2000) * 0.2).astype(np.float32)
    np.testing.assert_allclose(log_mel(samples), obvious_log_mel(samples), atol=2e-5)


def test_the_mel_scale_is_linear_to_1_khz_and_grows_by_6_4_every_27_mels_above():
    np.testing.assert_allclose(hz_to_mel(np.array([0.0, 500.0, 1000.0, 6400.0])), [0, 7.5, 15, 42])


def test_mel_to_hz_is_the_inverse_of_hz_to_mel():
    hertz = np.linspace(0, 8000, 100)
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(hertz)), hertz, atol=1e-9)


def test_every_band_hears_something():
    assert mel_filters().shape == (96, 257)
    assert (mel_filters().sum(axis=1) > 0).all()


def test_a_tone_is_loudest_in_the_band_around_it():
    tone = np.sin(2 * np.pi * 2000 * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    centres = mel_to_hz(np.linspace(0, hz_to_mel(np.array(8000.0)), 98))[1:-1]
    assert abs(centres[log_mel(tone)[30].argmax()] - 2000) < 80


def test_silence_is_exactly_zero():
    assert not log_mel(np.zeros(4000, np.float32)).any()


def test_pieces_transformed_apart_join_without_a_seam():
    samples = np.random.default_rng(4).standard_normal(HOP * (FRAMES_AT_ONCE + 50)).astype(np.float32)
    whole = log_mel(samples)
    around = slice((FRAMES_AT_ONCE - 10) * HOP, (FRAMES_AT_ONCE + 10) * HOP)
    np.testing.assert_allclose(
        whole[FRAMES_AT_ONCE - 9 : FRAMES_AT_ONCE + 9], log_mel(samples[around])[1:19], atol=1e-5
    )


@pytest.mark.parametrize("samples", [257, 1000, 47_615, 47_616, 47_617])
def test_the_number_of_frames_is_as_announced(samples):
    assert log_mel(np.zeros(samples, np.float32)).shape == (1 + samples // HOP, MEL_BANDS)


def test_samples_for_is_the_fewest_that_give_so_many_frames():
    assert [len(log_mel(np.zeros(samples_for(187) - short, np.float32))) for short in (0, 1)] == [187, 186]


def test_too_few_samples_for_a_frame_are_refused():
    with pytest.raises(ValueError, match="256 samples are fewer than the 257"):
        log_mel(np.zeros(256, np.float32))


@pytest.mark.slow
@pytest.mark.shared
def test_log_mel_of_a_lossless_file_equals_the_reference_but_for_its_float16(shared_music, shared_reference):
    patches = shared_reference["0.patches"].reshape(-1, 96)
    ours = log_mel(decode_mono(shared_music / str(shared_reference["0.path"]), SAMPLE_RATE))[: len(patches)]
    # Half a unit in the last place of float16 is 2^-11 of the power, which is log10(1 + 2^-11) after the logarithm;
    # the smallest powers are subnormal there.
    np.testing.assert_allclose(ours, patches, atol=3e-4)
