import contextlib
import os
import random

import numpy as np
import pytest
from scipy.signal import correlate

from embeddings import excerpts
from embeddings.decode import decode_channels, decode_mono
from embeddings.errors import EmbeddingError
from embeddings.excerpts import ExcerptPlan, decode_excerpts

pytestmark = pytest.mark.slow

RATE = 16_000
SECONDS = 60
PLAN = ExcerptPlan(count=5, samples=2 * RATE)
KINDS = ("flac", "wav", "mp3", "ogg", "opus", "m4a", "aac")


def rising(seconds, rate):
    """A tone that tells the time: 300 Hz, and 30 Hz more for every second that has passed."""
    passed = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * (300 * passed + 15 * passed**2))).astype(np.float32)


def told_time(samples):
    """The time in the middle of a piece of :func:`rising`, in seconds."""
    hertz = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))).argmax() * RATE / len(samples)
    return (hertz - 300) / 30


@pytest.fixture(scope="module")
def song(tmp_path_factory, encode):
    """A minute of rising tone, by kind of file; encoded when it is asked for."""
    folder = tmp_path_factory.mktemp("songs")
    made = {}

    def make(kind):
        if kind not in made:
            made[kind] = encode(folder / f"song.{kind}", np.stack([rising(SECONDS, 48_000)] * 2), 48_000)
        return made[kind]

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_come_from_where_they_are_wanted(song, kind):
    pieces = decode_excerpts(song(kind), RATE, PLAN)
    assert [len(piece) for piece in pieces] == [PLAN.samples] * PLAN.count
    assert {piece.dtype for piece in pieces} == {np.dtype(np.float32)}
    assert [told_time(piece) for piece in pieces] == pytest.approx([6, 18, 30, 42, 54], abs=1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_piece_sounds_as_it_does_in_the_whole_track(song, kind):
    """Its very first samples too: a decoder that has just been put somewhere else needs time to settle."""
    whole = decode_mono(song(kind), RATE)
    power = np.r_[0.0, np.cumsum(whole.astype(np.float64) ** 2)]
    for piece in decode_excerpts(song(kind), RATE, PLAN):
        head = piece[50:1050]  # the resampler's own start is left out
        products = correlate(whole, head, mode="valid", method="fft")
        loudness = np.sqrt(np.lib.stride_tricks.sliding_window_view(power, len(head) + 1)[:, [0, -1]] @ [-1, 1])
        assert (products / (loudness * np.linalg.norm(head) + 1e-3)).max() > 0.98


@pytest.fixture(scope="module")
def wide(tmp_path_factory, encode):
    """Half a minute with one tone on the left and another on the right, by kind of file."""
    folder = tmp_path_factory.mktemp("wide")
    time = np.arange(30 * 48_000) / 48_000
    sides = np.stack([0.4 * np.sin(2 * np.pi * hertz * time) for hertz in (400, 1000)])
    return lambda kind: encode(folder / f"wide.{kind}", sides, 48_000)


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_in_stereo_keep_their_sides(wide, kind):
    pieces = decode_excerpts(wide(kind), RATE, PLAN, channels=2)
    assert [piece.shape for piece in pieces] == [(2, PLAN.samples)] * PLAN.count
    for piece in pieces:
        spectrum = np.abs(np.fft.rfft(piece * np.hanning(PLAN.samples), axis=1))
        np.testing.assert_allclose(spectrum.argmax(axis=1) * RATE / PLAN.samples, [400, 1000], atol=2)


@pytest.mark.parametrize("kind", ["flac", "mp3", "opus"])
def test_pieces_in_stereo_average_to_the_pieces_in_mono(wide, kind):
    path = wide(kind)
    for both, one in zip(decode_excerpts(path, RATE, PLAN, channels=2), decode_excerpts(path, RATE, PLAN), strict=True):
        np.testing.assert_allclose(both.mean(axis=0), one, atol=1e-4)


def test_a_short_track_comes_back_whole_in_stereo(tmp_path, encode):
    path = encode(tmp_path / "short.flac", np.stack([rising(11.0, 48_000)] * 2), 48_000)
    (piece,) = decode_excerpts(path, RATE, PLAN, channels=2)
    np.testing.assert_array_equal(piece, decode_channels(path, RATE, 2))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_file_always_gives_the_same_pieces(song, kind):
    for one, other in zip(
        decode_excerpts(song(kind), RATE, PLAN), decode_excerpts(song(kind), RATE, PLAN), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_little_more_than_the_pieces_is_decoded(song, kind, monkeypatch):
    seconds = 0.0

    def counted(stream, packet, decode=excerpts.decoded):
        nonlocal seconds
        for frame in decode(stream, packet):
            seconds += frame.samples / frame.sample_rate
            yield frame

    monkeypatch.setattr(excerpts, "decoded", counted)
    assert len(decode_excerpts(song(kind), RATE, PLAN)) == PLAN.count
    assert PLAN.count * 2 <= seconds <= PLAN.count * 3.5


@pytest.mark.parametrize("kind", ["flac", "mp3", "ogg"])
def test_a_short_track_comes_back_whole(tmp_path, encode, kind):
    path = encode(tmp_path / f"short.{kind}", np.stack([rising(11.0, 48_000)] * 2), 48_000)
    (piece,) = decode_excerpts(path, RATE, PLAN)
    np.testing.assert_array_equal(piece, decode_mono(path, RATE))


@pytest.mark.parametrize("kind", ["flac", "wav", "m4a"])
def test_a_file_that_is_shorter_than_it_says_comes_back_whole(tmp_path, song, kind):
    contents = song(kind).read_bytes()
    cut = tmp_path / f"cut.{kind}"
    cut.write_bytes(contents[: len(contents) * 2 // 3])
    if kind == "m4a":  # its table of contents is at the end
        with pytest.raises(EmbeddingError, match="cannot be decoded"):
            decode_excerpts(cut, RATE, PLAN)
        return
    pieces = decode_excerpts(cut, RATE, PLAN)
    assert sum(map(len, pieces)) >= PLAN.count * PLAN.samples
    assert told_time(pieces[-1][-RATE:]) < SECONDS * 2 / 3 + 1


@pytest.mark.parametrize("kind", ["aac", "mp3", "ogg"])
def test_two_recordings_in_one_file_are_heard(tmp_path, encode, kind):
    parts = [encode(tmp_path / f"{rate}.{kind}", rising(20.0, rate)[None], rate) for rate in (48_000, 24_000)]
    joined = tmp_path / f"joined.{kind}"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    pieces = decode_excerpts(joined, RATE, PLAN)
    assert sum(map(len, pieces)) >= PLAN.count * PLAN.samples
    assert all(np.isfinite(piece).all() for piece in pieces)


def test_mp3_without_a_table_of_contents_is_sought_by_its_bit_rate(tmp_path, song):
    contents = song("mp3").read_bytes()
    tagless = contents.index(b"\xff\xfb", contents.index(b"Lavc") if b"Lavc" in contents else 0)
    path = tmp_path / "bare.mp3"
    path.write_bytes(contents[tagless:])
    pieces = decode_excerpts(path, RATE, PLAN)
    assert [told_time(piece) for piece in pieces] == pytest.approx([6, 18, 30, 42, 54], abs=1.5)


def test_any_damage_is_decoded_or_refused(tmp_path, encode):
    rng = random.Random(11)
    plan = ExcerptPlan(count=2, samples=RATE // 4)
    for kind in ("flac", "mp3", "m4a", "ogg", "opus", "wav"):
        whole = encode(tmp_path / f"a.{kind}", rising(3.0, 48_000)[None], 48_000).read_bytes()
        for _ in range(20):
            contents = bytearray(whole)
            for _ in range(rng.choice([1, 10, 200])):
                contents[rng.randrange(len(contents))] = rng.randrange(256)
            path = tmp_path / f"bad.{kind}"
            path.write_bytes(contents[: rng.randrange(len(contents))] if rng.random() < 0.3 else contents)
            with contextlib.suppress(EmbeddingError):  # any other exception fails the test
                assert all(len(piece) > 0 for piece in decode_excerpts(path, RATE, plan))


def test_what_is_no_audio_is_refused_with_the_decoders_reason(tmp_path, capfd):
    (tmp_path / "text.mp3").write_text("no music\n" * 5000)
    os.mkfifo(tmp_path / "pipe.mp3")
    for name, reason in (
        ("text.mp3", "cannot be decoded"),
        ("absent.mp3", "No such file"),
        ("pipe.mp3", "no regular file"),
    ):
        with pytest.raises(EmbeddingError, match=reason):
            decode_excerpts(tmp_path / name, RATE, PLAN)
    assert capfd.readouterr().err == ""
