"""The limiter: no peak above the ceiling, nothing else touched, no sample more or less, blocks and joins unheard."""

from fractions import Fraction

import numpy as np
import pytest
from av.audio.frame import AudioFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.loudness import LoudnessMeter
from player.audio.limiter import MARGIN_DB, MOST_DB, Limiter
from player.audio.messages import CEILING_DB

NOTHING = np.zeros((0, 2), np.float32)
RATES = (44_100, 48_000)
ONSET_SECONDS = 0.002
"""A jump from one sample to the next would be sound up to half the sample rate, where meters differ."""


def true_peak(samples, rate):
    """As FFmpeg's ebur128 finds it."""
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format="flt", layout="stereo")
    frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), 0
    meter = LoudnessMeter()
    assert list(meter.watch(iter([frame])))
    return meter.result.true_peak_db


def limited(samples, rate, cuts=()):
    limiter = Limiter(rate)
    pieces = [limiter.convert(piece) for piece in np.split(samples, sorted(cuts))]
    return np.concatenate([*pieces, limiter.flush(NOTHING)[0]])


def music(seed, rate, seconds=0.5, loudest_db=6.0):
    """Tones below 16 kHz that begin one after the other, in both channels differently; its peak is ``loudest_db``."""
    rng = np.random.default_rng(seed)
    times = np.arange(int(seconds * rate)) / rate
    sound = np.zeros((len(times), 2))
    for _ in range(12):
        tone = np.sin(2 * np.pi * (rng.uniform(30, 16_000) * times + rng.uniform()))
        envelope = rng.uniform() + np.clip((times - rng.uniform(0, seconds)) / ONSET_SECONDS, 0, 1) * rng.uniform()
        sound += (tone * envelope)[:, np.newaxis] * rng.uniform(size=2)
    sound *= np.clip(np.minimum(times, times[::-1]) / ONSET_SECONDS, 0, 1)[:, np.newaxis]
    return (sound * 10 ** (loudest_db / 20) / np.abs(sound).max()).astype(np.float32)


@given(st.integers(0, 10_000), st.sampled_from(RATES), st.lists(st.integers(0, 22_000), max_size=12))
@settings(max_examples=25, deadline=None)
def test_no_peak_is_above_the_ceiling_however_the_sound_is_cut_into_blocks(seed, rate, cuts):
    sound = music(seed, rate)
    out = limited(sound, rate, cuts)
    assert len(out) == len(sound)
    assert true_peak(out, rate) <= CEILING_DB + 0.05
    assert np.abs(out - limited(sound, rate)).max() < 1e-6
    assert (np.abs(out) <= np.abs(sound)).all()


def test_what_stays_below_the_ceiling_comes_out_as_it_is():
    sound = music(1, 48_000, loudest_db=CEILING_DB - MARGIN_DB - 1.5)
    assert np.array_equal(limited(sound, 48_000, range(0, 20_000, 1024)), sound)


def test_a_peak_is_turned_down_alone_and_the_sound_before_and_after_it_is_untouched():
    rate = 48_000
    sound = 0.2 * np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate).astype(np.float32)[:, np.newaxis].repeat(
        2, axis=1
    )
    sound[rate : rate + 20] *= 8
    touched = np.flatnonzero((limited(sound, rate) != sound).any(axis=1))
    assert rate - touched[0] < 0.005 * rate
    assert touched[-1] - rate < 0.3 * rate


def test_one_wild_sample_does_not_silence_what_follows():
    sound = np.full((48_000, 2), 0.25, np.float32)
    sound[100] = 1e30
    sound[200] = np.nan
    out = limited(sound, 48_000)
    assert out[300:].min() > 0.25 * 10 ** (-(MOST_DB + 0.1) / 20)
    assert np.array_equal(out[-1000:], sound[-1000:])


@pytest.mark.parametrize("cut", [5, 3_000, 11_111])
def test_two_tracks_that_join_are_limited_as_if_they_were_one(cut):
    sound = music(3, 44_100)
    first = Limiter(44_100)
    before = first.convert(sound[:cut])
    rest, tail = first.flush(sound[cut : cut + 512])
    second = Limiter(44_100, tail)
    after = second.convert(sound[cut:])
    joined = np.concatenate([before, rest, after, second.flush(NOTHING)[0]])
    assert np.abs(joined - limited(sound, 44_100)).max() < 1e-6
