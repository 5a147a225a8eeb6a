"""Loudness by BS.1770: known signals have known figures, in every format, and the meter never costs the embedding."""

import numpy as np
import pytest

from embeddings.decode import decode_channels, measure_loudness
from embeddings.errors import EmbeddingError
from embeddings.loudness import LoudnessMeter
from tests.support.tones import write_tones


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.opus", "a.m4a"])
def test_a_sine_has_the_loudness_of_the_recommendation(tmp_path, name):
    # BS.1770: 997 Hz at 0 dBFS in one channel is -3.01 LKFS; in both, at half the amplitude, 3.01 more and 6.02 less.
    rate = 48_000 if name.endswith("opus") else 44_100
    found = measure_loudness(write_tones(tmp_path / name, [(997, 3.0)], rate=rate))
    scaled = 0.45 if name.endswith("mp3") else 0.0  # LAME takes 5 % off the amplitude
    assert found.lufs == pytest.approx(-6.0 - scaled, abs=0.15)
    assert -6.1 - scaled < found.true_peak_db < -5.0  # an encoder overshoots where the tone begins


def test_mono_is_measured_as_it_is_heard_from_both_sides(tmp_path):
    mono = measure_loudness(write_tones(tmp_path / "m.wav", [(997, 2.0)], layout="mono"))
    stereo = measure_loudness(write_tones(tmp_path / "s.wav", [(997, 2.0)]))
    assert mono.lufs == pytest.approx(stereo.lufs, abs=0.05)


def test_a_peak_between_the_samples_is_found(tmp_path):
    # A quarter of the rate, 45° off: every sample is 3 dB below the peak of the wave.
    wave = np.round(0.5 * np.sin(np.pi / 2 * np.arange(88_200) + np.pi / 4) * 32767)
    path = write_tones(tmp_path / "a.wav", [(440, 2.0)])
    data = path.read_bytes()
    start = data.index(b"data") + 8
    path.write_bytes(data[:start] + np.repeat(wave, 2).astype("<i2").tobytes())
    assert -6.1 < measure_loudness(path).true_peak_db < -5.0  # the samples alone: -9


def test_a_change_of_format_midway_is_measured_on_both_sides(tmp_path):
    chain = tmp_path / "chain.opus"
    parts = [
        write_tones(tmp_path / f"{layout}.opus", [(997, 2.0)], rate=48_000, layout=layout)
        for layout in ("stereo", "mono")
    ]
    chain.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert measure_loudness(chain).lufs == pytest.approx(-6.0, abs=0.2)


def test_silence_has_no_loudness_and_noise_of_bytes_no_figures(tmp_path):
    found = measure_loudness(write_tones(tmp_path / "a.flac", [(0, 1.0)]))
    assert (found.lufs, found.true_peak_db) == (None, None)
    (tmp_path / "b.mp3").write_bytes(b"no sound" * 100)
    with pytest.raises(EmbeddingError):
        measure_loudness(tmp_path / "b.mp3")


def test_what_is_decoded_for_the_network_is_measured_by_the_way_and_only_as_a_whole(tmp_path):
    path = write_tones(tmp_path / "a.mp3", [(997, 3.0)])
    meter = LoudnessMeter()
    samples = decode_channels(path, 16_000, 1, meter=meter)
    np.testing.assert_array_equal(samples, decode_channels(path, 16_000, 1))
    assert meter.result == measure_loudness(path)
    part = LoudnessMeter()
    decode_channels(path, 16_000, 1, max_seconds=1.0, meter=part)
    assert part.result is None
