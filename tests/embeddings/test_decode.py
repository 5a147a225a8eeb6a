import contextlib
import os
import random
import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from embeddings.decode import BLOCK_SAMPLES, decode_channels, decode_mono, mixed
from embeddings.errors import EmbeddingError

RATE = 16_000
FULL_RATE = 44_100
LOSSLESS = ("wav", "w32", "w64", "flac")
EVERY_KIND = (*LOSSLESS, "wave", "mp3", "opus", "ogg", "m4a")


def tone(seconds, rate, hertz=500.0, loudness=0.5):
    return (loudness * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def loudest_hertz(samples):
    return np.abs(np.fft.rfft(samples * np.hanning(len(samples)))).argmax() * RATE / len(samples)


@pytest.mark.slow
@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_kind_of_file_becomes_mono_at_the_rate_asked_for(tmp_path, encode, kind, channels):
    path = encode(tmp_path / f"tone.{kind}", np.stack([tone(2.0, 48_000)] * channels), 48_000)
    samples = decode_mono(path, RATE)
    assert samples.dtype == np.float32
    assert abs(len(samples) / RATE - 2.0) < 0.15  # MP3 and AAC pad by a frame or two
    assert abs(loudest_hertz(samples) - 500) < 2
    assert abs(np.abs(samples[RATE // 2 : RATE]).max() - 0.5) < 0.03


@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_files_come_back_as_they_were(tmp_path, encode, kind):
    original = tone(1.0, RATE)
    np.testing.assert_allclose(
        decode_mono(encode(tmp_path / f"a.{kind}", original[None], RATE), RATE), original, atol=4e-5
    )


def test_mono_is_the_mean_of_the_channels(tmp_path, encode):
    path = encode(tmp_path / "stereo.wav", np.stack([np.full(RATE, 0.5), np.full(RATE, -0.25)]), RATE)
    np.testing.assert_allclose(decode_mono(path, RATE), 0.125, atol=1e-4)


@pytest.mark.parametrize("kind", ["u8", "s16", "s32", "flt", "dbl"])
@pytest.mark.parametrize("planar", ["", "p"])
def test_every_sample_format_has_full_scale_one(kind, planar):
    dtype = {"u8": "u1", "s16": "i2", "s32": "i4", "flt": "f4", "dbl": "f8"}[kind]
    if dtype.startswith("f"):
        left, right = 1.0, -0.5
    else:
        middle = 128 if kind == "u8" else 0
        half = 2.0 ** (8 * np.dtype(dtype).itemsize - 1)
        left, right = middle - half, middle + half / 2
    planes = np.array([[left] * 4, [right] * 4]).astype(dtype)
    frame = av.AudioFrame.from_ndarray(planes if planar else planes.T.reshape(1, -1).copy(), kind + planar, "stereo")
    expected = 0.25 if dtype.startswith("f") else -0.25
    np.testing.assert_allclose(mixed(frame.to_ndarray(), frame, 1), [expected] * 4, atol=1e-6)


def test_whole_numbers_of_64_bits_have_full_scale_one_too(tmp_path):
    samples = np.array([-(2**63), 2**62] * RATE, "<i8").tobytes()
    header = struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", 36 + len(samples), b"WAVEfmt ", 16, 1, 2, RATE, RATE * 16, 16, 64, b"data", len(samples))  # fmt: skip
    (tmp_path / "64.wav").write_bytes(header + samples)
    np.testing.assert_allclose(decode_mono(tmp_path / "64.wav", RATE), -0.25, atol=1e-6)


def test_the_content_and_not_the_name_decides_the_format(tmp_path, encode):
    path = encode(tmp_path / "a.flac", tone(1.0, RATE)[None], RATE)
    lying = path.rename(tmp_path / "a.mp3")
    assert len(decode_mono(lying, RATE)) == RATE


def test_a_name_that_is_no_utf_8_or_looks_like_an_address_is_a_name(tmp_path, encode, monkeypatch):
    path = encode(tmp_path / "a.wav", tone(1.0, RATE)[None], RATE)
    odd = path.rename(tmp_path / os.fsdecode(b"n\xff\xe9 http:.wav"))
    assert len(decode_mono(odd, RATE)) == RATE
    monkeypatch.chdir(tmp_path)
    concat = odd.rename(tmp_path / "concat:b.wav").relative_to(tmp_path)
    assert len(decode_mono(concat, RATE)) == RATE


def test_a_long_file_is_cut(tmp_path, encode):
    path = encode(tmp_path / "long.flac", tone(20.0, RATE)[None], RATE)
    assert len(decode_mono(path, RATE, max_seconds=7.5)) == 7.5 * RATE


@pytest.mark.parametrize("kind", ["aac", "mp3", "opus"])
def test_a_stream_that_changes_its_rate_keeps_its_pitch_to_the_end(tmp_path, encode, kind):
    """As two recordings of internet radio, joined."""
    parts = [encode(tmp_path / f"{rate}.{kind}", tone(3.0, rate)[None], rate) for rate in (48_000, 24_000)]
    joined = tmp_path / f"joined.{kind}"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    samples = decode_mono(joined, RATE)
    assert abs(len(samples) / RATE - 6.0) < 0.3
    for second in (1, 4):
        assert abs(loudest_hertz(samples[second * RATE : (second + 1) * RATE]) - 500) < 2


def test_what_was_heard_counts_when_the_rest_is_beyond_the_decoder(tmp_path, encode):
    """Chained Ogg Vorbis whose second link has other headers, which FFmpeg does not know how to follow."""
    parts = [encode(tmp_path / f"{rate}.ogg", tone(3.0, rate)[None], rate) for rate in (48_000, 24_000)]
    chained = tmp_path / "chained.ogg"
    chained.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert len(decode_mono(chained, RATE)) / RATE >= 2.9


@pytest.mark.parametrize("kind", ["flac", "mp3", "ogg", "opus", "wav"])
def test_a_file_cut_in_the_middle_gives_what_is_left(tmp_path, encode, kind):
    whole = encode(tmp_path / f"a.{kind}", tone(4.0, 48_000)[None], 48_000).read_bytes()
    (tmp_path / f"cut.{kind}").write_bytes(whole[: len(whole) // 2])
    assert 0.5 < len(decode_mono(tmp_path / f"cut.{kind}", RATE)) / RATE < 3.5


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flac", "mp3", "m4a", "ogg", "opus"])
def test_damage_in_the_middle_loses_only_a_part(tmp_path, encode, sound, kind):
    contents = bytearray(encode(tmp_path / f"a.{kind}", sound(20.0, 48_000)[None], 48_000).read_bytes())
    middle = len(contents) // 2
    contents[middle : middle + 60] = random.Random(1).randbytes(60)
    (tmp_path / f"bad.{kind}").write_bytes(contents)
    samples = decode_mono(tmp_path / f"bad.{kind}", RATE)
    assert 15 * RATE < len(samples) <= 20.2 * RATE
    assert np.isfinite(samples).all()


@pytest.mark.slow
def test_any_damage_is_decoded_or_refused(tmp_path, encode, sound):
    rng = random.Random(7)
    for kind in ("flac", "mp3", "m4a", "ogg", "opus", "wav"):
        whole = encode(tmp_path / f"a.{kind}", sound(1.0, 48_000)[None], 48_000).read_bytes()
        for _ in range(15):
            contents = bytearray(whole)
            for _ in range(rng.choice([1, 10, 200])):
                contents[rng.randrange(len(contents))] = rng.randrange(256)
            path = tmp_path / f"bad.{kind}"
            path.write_bytes(contents[: rng.randrange(len(contents))] if rng.random() < 0.3 else contents)
            with contextlib.suppress(EmbeddingError):  # any other exception fails the test
                assert len(decode_mono(path, RATE, max_seconds=30)) > 0


def playlist(folder, encode):
    encode(folder / "real.mp3", tone(1.0, 48_000)[None], 48_000)
    return "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nreal.mp3\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        (b"", "cannot be decoded as audio"),
        (bytes(50_000), "cannot be decoded as audio"),
        (b"hello, this is no music\n" * 500, "cannot be decoded as audio"),
        (random.Random(3).randbytes(100_000), "audio"),
        (b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt ", "audio"),
    ],
)
def test_a_file_that_is_no_audio_is_refused(tmp_path, contents, reason, capfd):
    path = tmp_path / "file.mp3"
    path.write_bytes(contents)
    with pytest.raises(EmbeddingError, match=reason):
        decode_mono(path, RATE)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["list.m3u8", "list.mp3", "list.ffconcat"])
def test_a_playlist_posing_as_music_cannot_make_the_decoder_open_other_files(tmp_path, encode, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    text = playlist(tmp_path, encode)
    path = tmp_path / name
    path.write_text("ffconcat version 1.0\nfile 'real.mp3'\n" if name.endswith("ffconcat") else text)
    with pytest.raises(EmbeddingError):
        decode_mono(path, RATE)


def test_a_film_without_sound_is_refused(tmp_path):
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(EmbeddingError, match="no audio stream"):
        decode_mono(path, RATE)


def test_a_path_that_leads_to_no_file_is_refused(tmp_path):
    with pytest.raises(EmbeddingError, match="cannot be read: No such file"):
        decode_mono(tmp_path / "absent.mp3", RATE)
    os.mkfifo(tmp_path / "pipe.mp3")
    for path in (tmp_path, tmp_path / "pipe.mp3"):
        with pytest.raises(EmbeddingError, match="no regular file"):
            decode_mono(path, RATE)


# --- Stereo ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sides(sound):
    return np.stack([sound(2.0, FULL_RATE), sound(2.0, FULL_RATE, hertz=660.0, seed=1)])


@pytest.mark.parametrize("kind", ["w64", "w32", "wav", "flac"])
def test_lossless_files_keep_their_sides(tmp_path, encode, sides, kind):
    decoded = decode_channels(encode(tmp_path / f"a.{kind}", sides, FULL_RATE), FULL_RATE, 2)
    np.testing.assert_allclose(decoded, sides, atol=4e-5)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mp3", "opus", "ogg", "m4a"])
def test_lossy_files_average_to_what_the_mono_decoder_hears(tmp_path, encode, sides, kind):
    path = encode(tmp_path / f"a.{kind}", sides, 48_000)
    decoded = decode_channels(path, FULL_RATE, 2)
    assert decoded.shape[0] == 2
    assert decoded.dtype == np.float32
    np.testing.assert_allclose(decoded.mean(axis=0), decode_mono(path, FULL_RATE), atol=1e-3)
    assert np.corrcoef(decoded)[0, 1] < 0.9


def test_a_file_that_ends_with_a_full_block_ends_well(tmp_path, encode, sides):
    exact = sides[:, :BLOCK_SAMPLES]
    path = encode(tmp_path / "a.wav", exact, FULL_RATE)
    assert decode_channels(path, FULL_RATE, 2).shape == (2, BLOCK_SAMPLES)
    assert decode_mono(path, FULL_RATE).shape == (BLOCK_SAMPLES,)


def test_mono_is_heard_on_both_sides(tmp_path, encode, sides):
    decoded = decode_channels(encode(tmp_path / "a.w64", sides[:1], FULL_RATE), FULL_RATE, 2)
    np.testing.assert_allclose(decoded, np.repeat(sides[:1], 2, axis=0), atol=1e-6)


def test_only_the_start_is_decoded_when_that_is_asked(tmp_path, encode, sides):
    path = encode(tmp_path / "a.flac", np.tile(sides, 5), FULL_RATE)
    assert decode_channels(path, 22_050, 2, max_seconds=3.5).shape == (2, 77_175)


def test_what_cannot_be_decoded_in_stereo_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "text.mp3").write_text("no music\n" * 100)
    for path, reason in ((tmp_path / "text.mp3", "cannot be decoded"), (tmp_path / "absent.mp3", "No such file")):
        with pytest.raises(EmbeddingError, match=reason):
            decode_channels(path, FULL_RATE, 2)
    with pytest.raises(EmbeddingError, match="no regular file"):
        decode_channels(tmp_path, FULL_RATE, 2)
