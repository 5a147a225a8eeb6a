import itertools
import os
import random
import wave
from pathlib import Path
from threading import Timer

import av
import numpy as np
import pytest

from player.audio import source
from player.audio.source import AudioError, AudioSource, display_name
from tests.support.pulse import dominant_frequency, rms
from tests.support.tones import nothing_but_a_header, write_tones

RATE = 44_100
MUSIC = Path(__file__).parents[2].parent / "shared" / "music"


def decode(path, rate=RATE, start=0.0):
    with AudioSource(str(path)) as opened:
        blocks = list(opened.blocks(rate, start))
        return np.concatenate(blocks) if blocks else np.empty((0, 2), np.float32)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("stereo.wav", {}),
        ("stereo.flac", {}),
        ("stereo.mp3", {}),
        ("stereo.m4a", {}),
        ("stereo.opus", {"rate": 48_000}),
        ("mono.wav", {"layout": "mono"}),
        ("eight-kilohertz.wav", {"rate": 8_000, "layout": "mono"}),
        ("surround.flac", {"layout": "5.1"}),
        ("surround.wav", {"layout": "7.1"}),
        ("fine.flac", {"rate": 192_000}),
        ("24-bit.wav", {"codec": "pcm_s24le", "rate": 96_000}),
        ("float.wav", {"codec": "pcm_f32le"}),
    ],
)
def test_any_format_becomes_stereo_at_the_devices_rate_and_at_its_own_loudness(tmp_path, name, options):
    samples = decode(write_tones(tmp_path / name, [(440, 1.0)], **options))
    middle = samples[RATE // 4 : RATE * 3 // 4]
    assert len(samples) / RATE == pytest.approx(1.0, abs=0.03)
    assert dominant_frequency(middle) == pytest.approx(440, abs=2)
    for channel in range(2):  # 0.5 as amplitude; lossy encoders are a little off
        assert rms(middle[:, [channel]]) == pytest.approx(0.5 / 2**0.5, rel=0.06)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.m4a", "a.opus"])
def test_a_seek_lands_on_the_sample(tmp_path, name):
    path = write_tones(tmp_path / name, [(330, 1.5), (990, 1.5)], rate=48_000)
    whole, tail = decode(path, 48_000), decode(path, 48_000, 1.2)
    expected = whole[round(1.2 * 48_000) :]
    assert len(tail) == len(expected)
    assert np.abs(tail - expected).max() < 0.02


@pytest.mark.slow
@pytest.mark.shared
def test_seeks_in_real_music_land_on_the_sample():
    if not MUSIC.is_dir():
        pytest.skip(f"{MUSIC} is absent")
    chooser = random.Random(5)
    for suffix in ("mp3", "ogg", "opus", "flac"):
        path = chooser.choice(sorted(MUSIC.rglob(f"*.{suffix}")))
        whole, tail = decode(path), decode(path, start=10.0)
        assert np.abs(tail[:RATE] - whole[10 * RATE : 11 * RATE]).max() < 1e-3, path


def test_a_seek_past_the_end_gives_nothing(tmp_path):
    assert len(decode(write_tones(tmp_path / "a.flac", [(440, 1.0)]), start=50.0)) == 0


def fails_with(path):
    with pytest.raises(AudioError) as failure:
        decode(path)
    message = str(failure.value)
    assert "\n" not in message
    assert message.endswith((".", "?"))
    return message


def test_files_that_are_not_audio_each_get_a_sentence(tmp_path):
    (tmp_path / "text.mp3").write_text("This is not music.\n" * 500)
    (tmp_path / "empty.flac").touch()
    (tmp_path / "noise.ogg").write_bytes(random.Random(1).randbytes(50_000))
    assert "is not there any more" in fails_with(tmp_path / "gone.mp3")
    assert "is not a file" in fails_with(tmp_path)
    for name in ("text.mp3", "empty.flac", "noise.ogg"):
        assert fails_with(tmp_path / name).startswith(name)


def test_a_fifo_does_not_hang_the_player(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp3")
    assert "is not a file" in fails_with(tmp_path / "pipe.mp3")


def test_a_film_without_sound_is_refused(tmp_path):
    path = tmp_path / "silent.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    assert "holds no audio" in fails_with(path)


def test_a_playlist_dressed_up_as_music_opens_no_network_address(tmp_path):
    path = tmp_path / "song.mp3"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/track.mp3\n#EXT-X-ENDLIST\n")
    fails_with(path)


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile {name}\n",
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{name}\n#EXT-X-ENDLIST\n",
    ],
)
def test_a_playlist_dressed_up_as_music_opens_no_other_file(tmp_path, text):
    write_tones(tmp_path / "private.wav", [(440, 1.0)])
    path = tmp_path / "song.mp3"
    path.write_text(text.format(name="private.wav"))
    assert "another kind of file" in fails_with(path)


@pytest.mark.parametrize(("offset", "value"), [(24, 0x7FFFFFFF), (24, 7), (22, 0xFFFF)])
def test_a_header_that_promises_the_impossible_gets_a_sentence(tmp_path, offset, value):
    path = write_tones(tmp_path / "a.wav", [(440, 0.5)])
    data = bytearray(path.read_bytes())
    width = 4 if offset == 24 else 2
    data[offset : offset + width] = value.to_bytes(width, "little")
    path.write_bytes(data)
    assert fails_with(path).startswith("a.wav")


def test_a_codec_that_nobody_knows_gets_a_sentence(tmp_path):
    path = write_tones(tmp_path / "a.wav", [(440, 0.5)])
    data = bytearray(path.read_bytes())
    data[20:22] = b"\x77\x77"  # WAVE's number of the codec
    path.write_bytes(data)
    assert fails_with(path).startswith("a.wav")


@pytest.mark.slow
def test_a_search_for_sound_can_be_cancelled(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "OPEN_SECONDS", 1.0)
    with AudioSource(str(nothing_but_a_header(tmp_path / "a.flac"))) as opened:
        Timer(0.2, opened.cancel).start()
        with pytest.raises(AudioError):
            list(opened.blocks(RATE, 0.0))


def test_damage_in_the_middle_costs_only_the_damaged_part(tmp_path):
    path = write_tones(tmp_path / "a.flac", [(440, 6.0)])
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = random.Random(2).randbytes(3000)
    path.write_bytes(data)
    with AudioSource(str(path)) as opened:
        samples = np.concatenate(list(opened.blocks(RATE, 0.0)))
        assert 0 < opened.lost_seconds < 1
    assert len(samples) > 4 * RATE
    assert dominant_frequency(samples[-RATE:]) == pytest.approx(440, abs=2)


def test_a_file_name_that_is_not_utf8_plays(tmp_path):
    path = write_tones(tmp_path / "a.wav", [(440, 0.2)])
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9:%20?.wav")
    path.rename(odd)
    assert len(decode(odd)) == pytest.approx(0.2 * RATE, abs=2)


def test_a_file_name_shown_holds_no_control_characters():
    assert display_name("/m/a\x1b[31mred\n\udce9.mp3") == "a?[31mred??.mp3"


@pytest.mark.parametrize("rate", [32_000, 44_100])
def test_the_parts_of_a_file_join_as_if_it_had_never_been_divided(tmp_path, rate):
    noise = np.random.default_rng(1).integers(-9000, 9000, (rate * 4, 2), dtype=np.int16)
    path = tmp_path / "album.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(noise.tobytes())

    def part(start, end, begin=0.0):
        with AudioSource(str(path), start, end) as opened:
            return opened.duration, np.concatenate([samples for _, samples in opened.native(begin)])

    _, whole = part(0, 0)
    cuts = (0, 1 + 13 / 75, 2 + 74 / 75, 0)
    parts = [part(start, end) for start, end in itertools.pairwise(cuts)]
    assert np.array_equal(np.concatenate([samples for _, samples in parts]), whole)
    assert [seconds for seconds, _ in parts] == pytest.approx([1 + 13 / 75, 1 + 61 / 75, 4 - cuts[2]])
    # A seek is within the part, and ends with it.
    assert len(part(cuts[1], cuts[2], begin=1.0)[1]) == round(cuts[2] * rate) - round((cuts[1] + 1) * rate)


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_samples_that_are_no_sound_are_silence_and_spoil_none_of_the_others(tmp_path, rate):
    path = tmp_path / "a.wav"
    samples = np.full((48_000, 2), 0.25, np.float32)
    samples[20_000:20_100], samples[30_000], samples[30_001] = np.nan, 1e30, -np.inf
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=48_000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="stereo")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame) + stream.encode(None))
    with AudioSource(str(path)) as source:
        found = np.concatenate(list(source.blocks(rate, 0.0)))
    assert np.abs(found).max() < 0.4
    assert np.median(found) == pytest.approx(0.25, abs=1e-4)
