"""The fast parsers against FFmpeg: the same facts, the same bytes."""

import contextlib
import itertools
import random
import resource
import struct

import av
import pytest

from embeddings.audio_file import open_audio
from player.library import containers
from player.library.containers import NotAudioError, flac, mpeg, ogg
from player.library.containers.base import find_tags
from player.library.containers.demuxed import DemuxedPayload
from player.library.tags import read_tags
from tests.library.audio_files import FORMATS, RATE, REQUIRED, decoded_seconds, encode, remux, without_table

ENCODER_EDGES = 0.05
"""Seconds of encoder delay and padding that FFmpeg's decoders sometimes leave in (AAC, WMA)."""


def probe(path):
    with path.open("rb") as file:
        return containers.probe(file, path.stat().st_size)


def payload(path):
    with path.open("rb") as file:
        return b"".join(containers.probe(file, path.stat().st_size).payload.blocks())


def packets(path):
    with av.open(str(path)) as container:
        return b"".join(bytes(packet) for packet in container.demux(audio=0))


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
def test_facts_are_those_of_the_decoded_sound(kind, originals):
    path = originals(kind)
    info = probe(path).info
    assert (info.codec, info.sample_rate, info.channels) == (FORMATS[kind].codec, FORMATS[kind].rate, 2)
    assert info.duration == pytest.approx(decoded_seconds(path), abs=ENCODER_EDGES)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_payload_is_what_ffmpeg_demuxes(kind, originals):
    assert payload(originals(kind)) == packets(originals(kind))


@pytest.mark.parametrize("kind", [kind for kind in REQUIRED if kind != "wma"])
def test_common_formats_need_no_ffmpeg(kind, originals):
    path = originals(kind)
    with path.open("rb") as file:
        assert not isinstance(containers.probe(file, path.stat().st_size).payload, DemuxedPayload)


@pytest.mark.parametrize("kind", ["mp3", "vorbis", "opus", "flac", "wav", "aiff"])
def test_a_file_cut_in_half_claims_half_its_length(kind, originals, tmp_path):
    whole = originals(kind).read_bytes()
    path = tmp_path / originals(kind).name
    path.write_bytes(whole[: len(whole) // 2])
    assert probe(path).info.duration == pytest.approx(1.5, abs=0.55)  # Ogg pages hold up to a second


def test_an_mp4_cut_behind_its_index_claims_what_is_left(originals, tmp_path):
    fast = remux(originals("aac"), tmp_path / "fast.m4a", "aac", {}, {"movflags": "faststart"})
    data = fast.read_bytes()
    start = data.index(b"mdat")
    fast.write_bytes(data[: start + (len(data) - start) // 2])
    assert probe(fast).info.duration == pytest.approx(1.5, abs=0.2)


def test_an_mp4_without_its_index_says_so(originals, tmp_path):
    data = originals("aac").read_bytes()
    path = tmp_path / "cut.m4a"
    path.write_bytes(data[: data.index(b"moov") - 4])
    with pytest.raises(NotAudioError, match="moov"):
        probe(path)


def test_an_mp3_of_constant_bitrate_without_a_table_is_timed_by_its_bitrate(originals, tmp_path):
    path = tmp_path / "cbr.mp3"
    path.write_bytes(without_table(originals("mp3").read_bytes()))
    assert probe(path).info.duration == pytest.approx(decoded_seconds(path), abs=ENCODER_EDGES)


@pytest.mark.slow
def test_an_mp3_of_varying_bitrate_without_a_table_is_counted(originals, tmp_path):
    slow = encode(tmp_path / "slow.mp3", "mp3", seconds=4, seed=2)
    frames = without_table(slow.read_bytes())
    with av.open(str(tmp_path / "fast.mp3"), "w") as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout="stereo")
        stream.bit_rate = 320_000
        frame = av.AudioFrame(format="s16p", layout="stereo", samples=1152)
        frame.rate = RATE
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        for index in range(100):
            frame.pts = index * 1152
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    path = tmp_path / "both.mp3"
    path.write_bytes(frames + without_table((tmp_path / "fast.mp3").read_bytes()))
    by_first_bitrate = path.stat().st_size * 8 / 128_000
    assert probe(path).info.duration == pytest.approx(decoded_seconds(path), abs=ENCODER_EDGES)
    assert by_first_bitrate > 1.3 * probe(path).info.duration


def test_a_table_that_lies_about_the_length_is_not_believed(originals, tmp_path):
    data = bytearray(originals("mp3").read_bytes())
    table = data.index(b"Xing") if b"Xing" in data else data.index(b"Info")
    struct.pack_into(">II", data, table + 8, 1_000_000, 400_000_000)
    path = tmp_path / "lie.mp3"
    path.write_bytes(data)
    assert probe(path).info.duration == pytest.approx(3.0, abs=0.1)


def test_a_table_whose_time_is_wrong_though_its_bytes_are_right_is_not_believed(originals, tmp_path):
    data = bytearray(originals("mp3").read_bytes())
    table = data.index(b"Xing") if b"Xing" in data else data.index(b"Info")
    struct.pack_into(">I", data, table + 8, 1_000_000)
    path = tmp_path / "lie.mp3"
    path.write_bytes(data)
    assert probe(path).info.duration == pytest.approx(3.0, abs=0.1)


def test_flac_frames_are_believed_before_the_header(originals, tmp_path):
    data = bytearray(originals("flac").read_bytes())
    data[8:12] = b"\xff\xfe\xff\xfe"  # the block sizes
    data[18:20] = b"\x01\xf4"  # the high bits of the rate
    path = tmp_path / "damaged.flac"
    path.write_bytes(data)
    info = probe(path).info
    assert (info.sample_rate, info.duration) == (RATE, pytest.approx(3.0, abs=1e-6))


@pytest.mark.parametrize("kind", ["vorbis", "opus"])
def test_an_ogg_whose_first_page_is_damaged_is_refused(kind, originals, tmp_path):
    data = bytearray(originals(kind).read_bytes())
    data[41] ^= 0x55  # in the sample rate
    path = tmp_path / "damaged.ogg"
    path.write_bytes(data)
    with pytest.raises(NotAudioError, match="first Ogg page"):
        probe(path)


def test_a_length_tag_that_lies_changes_nothing(originals, tmp_path):
    frame = b"TLEN" + struct.pack(">IH", 8, 0) + b"\x009999999"
    path = tmp_path / "lie.mp3"
    path.write_bytes(b"ID3\x03\0\0\0\0\0" + bytes([len(frame)]) + frame + originals("mp3").read_bytes())
    assert probe(path).info.duration == pytest.approx(3.0, abs=0.01)


def test_a_flac_header_that_lies_about_the_length_is_not_believed(originals, tmp_path):
    data = bytearray(originals("flac").read_bytes())
    data[22:26] = b"\x7f\xff\xff\xff"  # the low 32 bits of the number of samples
    path = tmp_path / "lie.flac"
    path.write_bytes(data)
    assert probe(path).info.duration == pytest.approx(3.0, abs=1e-6)


def test_a_wav_header_that_promises_more_than_the_file_is_not_believed(originals, tmp_path):
    data = bytearray(originals("wav").read_bytes())
    struct.pack_into("<I", data, data.index(b"data") + 4, 0x7FFFFFFF)
    path = tmp_path / "lie.wav"
    path.write_bytes(data)
    assert probe(path).info.duration == pytest.approx(3.0, abs=1e-6)


def test_an_opus_stream_cut_out_of_a_longer_one_lasts_as_long_as_it_sounds(tmp_path):
    data = encode(tmp_path / "long.opus", "opus", seconds=6).read_bytes()
    pages, offset = [], 0
    while page := ogg.parse_page(data, offset, 0):
        pages.append(data[page.start : page.end])
        offset = page.end
    path = tmp_path / "late.opus"
    path.write_bytes(b"".join([*pages[:2], *pages[5:]]))  # the headers, then from the fourth second on
    assert probe(path).info.duration == pytest.approx(decoded_seconds(path), abs=0.05)


def test_two_ogg_streams_one_after_another_count_together(originals, tmp_path):
    second = encode(tmp_path / "second.ogg", "vorbis", seconds=2, seed=9).read_bytes()
    path = tmp_path / "chained.ogg"
    path.write_bytes(originals("vorbis").read_bytes() + second)
    assert probe(path).info.duration > 2.9  # FFmpeg's demuxer says how much of it will be heard


@pytest.mark.parametrize("kind", FORMATS)
def test_the_content_decides_not_the_extension(kind, originals, tmp_path):
    wrong = tmp_path / ("song.mp3" if kind != "mp3" else "song.ogg")
    wrong.write_bytes(originals(kind).read_bytes())
    assert probe(wrong).info.codec == FORMATS[kind].codec


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\0" * 100_000, "zeros"),
        (b"These are only words.\n" * 500, "text"),
        ("Viele Wörter – ohne Musik.\n".encode() * 500, "text"),
        (b"#EXTM3U\nhttp://example.org/stream.mp3\n", "text"),
        (random.Random(1).randbytes(200_000), "no MPEG audio frames"),
        (b"ID3\x04\0\0\0\0\x0f\x7f" + b"\0" * 5000, "no MPEG audio frames"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 50, "a picture"),
        (b"fLaC", "inside its FLAC header"),
        (b"OggS" + b"\0" * 60, "damaged"),
        (b"RIFF\x24\0\0\0WAVE", "missing"),
        (b"FORM\0\0\0\x04AIFF", "missing"),
        (b"\0\0\0\x18ftypM4A " + b"\0" * 100, "moov"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + b"\0" * 100, "FFmpeg"),
    ],
)
def test_what_is_not_audio_is_refused_with_a_reason(content, reason, tmp_path):
    path = tmp_path / "song.mp3"
    path.write_bytes(content)
    with pytest.raises(NotAudioError, match=reason):
        probe(path)


def test_an_mp3_whose_most_is_overwritten_is_left_to_the_decoder_which_plays_the_rest(originals, tmp_path):
    data = originals("mp3").read_bytes()
    path = tmp_path / "damaged.mp3"
    path.write_bytes(data[: len(data) // 4] + random.Random(2).randbytes(3 * len(data) // 4))
    whole = probe(originals("mp3")).info
    assert probe(path).info.codec == "mp3"
    assert 0 < probe(path).info.duration < whole.duration


def test_an_encrypted_mp4_is_refused_as_such(originals, tmp_path):
    path = tmp_path / "bought.m4a"
    path.write_bytes(originals("aac").read_bytes().replace(b"mp4a", b"drms"))
    with pytest.raises(NotAudioError, match="encrypted"):
        probe(path)


def test_every_mpeg_header_agrees_with_the_formula_of_the_standard():
    valid = 0
    for second, third in itertools.product(range(0xE0, 0x100), range(256)):
        frame = mpeg.frame_at(bytes((0xFF, second, third, 0)), 0)
        if frame is None:
            continue
        valid += 1
        padding = third >> 1 & 1
        if frame.layer == 1:
            expected = (12 * frame.bitrate // frame.sample_rate + padding) * 4
        elif frame.layer == 3 and frame.version > 1:
            expected = 72 * frame.bitrate // frame.sample_rate + padding
        else:
            expected = 144 * frame.bitrate // frame.sample_rate + padding
        assert frame.length == expected, (second, third)
    assert valid == 2 * 9 * 14 * 3 * 2 * 2, "protection, version and layer, bitrate, rate, padding, private bit"


def test_flac_frame_checksums_agree_with_long_division():
    for data in (b"\xff\xf8\xc9\x18\x00", bytes(range(40))):
        remainder = 0
        for bit in (byte >> shift & 1 for byte in data for shift in range(7, -1, -1)):
            remainder = (remainder << 1 | bit) ^ (0x107 if remainder & 0x80 else 0)
        for _ in range(8):  # the division's eight trailing zeros
            remainder = remainder << 1 ^ (0x107 if remainder & 0x80 else 0)
        crc = 0
        for byte in data:
            crc = flac._CRC8[crc ^ byte]
        assert crc == remainder & 0xFF


@pytest.mark.parametrize(
    "trailer",
    [
        b"TAG" + b"x" * 125,
        b"TAG+" + b"x" * 223 + b"TAG" + b"x" * 125,
        b"y" * 40 + b"APETAGEX" + struct.pack("<IIII", 2000, 72, 1, 0) + b"\0" * 8,
        b"LYRICSBEGINabc000014LYRICS200",
        b"3DI\x04\0\x10\0\0\0\x00",
    ],
    ids=["ID3v1", "ID3v1+", "APEv2", "Lyrics3", "ID3v2.4 footer"],
)
def test_tags_behind_the_audio_are_taken_off(trailer, tmp_path):
    path = tmp_path / "x.mp3"
    body = b"a" * 1000
    begins = b"ID3\x04\0\x10\0\0\0\0" if trailer.startswith(b"3DI") else b""
    path.write_bytes(body + begins + trailer)
    with path.open("rb") as file:
        span = find_tags(file, path.stat().st_size).audio
    assert (span.start, span.length) == (0, 1000)


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def alac(sizes: bytes, runs: bytes, offsets: bytes) -> bytes:
    """An MP4 file of a thousand bytes of sound, with these tables."""
    entry = box(b"alac", bytes(16) + struct.pack(">HHHHI", 2, 16, 0, 0, 44_100 << 16))
    stsd = box(b"stsd", struct.pack(">II", 0, 1) + entry)
    stts = box(b"stts", struct.pack(">IIII", 0, 1, 10, 4096))
    tables = stsd + stts + box(b"stsz", sizes) + box(b"stsc", runs) + box(b"stco", offsets)
    mdhd = box(b"mdhd", struct.pack(">IIIIIHH", 0, 0, 0, 44_100, 40_960, 0, 0))
    media = mdhd + box(b"hdlr", bytes(8) + b"soun" + bytes(12)) + box(b"minf", box(b"stbl", tables))
    moov = box(b"moov", box(b"trak", box(b"mdia", media)))
    return box(b"ftyp", b"M4A \0\0\0\0") + box(b"mdat", bytes(1000)) + moov


ONE_RUN = struct.pack(">IIIII", 0, 1, 1, 10, 1)
ONE_CHUNK = struct.pack(">III", 0, 1, 24)


def test_an_mp4_index_takes_no_memory_on_its_word(tmp_path):
    """Of 50 million samples of one size there is one number in the file, and there were two lists in memory."""
    path = tmp_path / "a.m4a"
    path.write_bytes(alac(struct.pack(">III", 0, 100, 50_000_000), ONE_RUN, ONE_CHUNK))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert probe(path).info.duration == pytest.approx(10 * 4096 / 44_100)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


@pytest.mark.parametrize(
    ("runs", "offsets"),
    [
        (ONE_RUN, struct.pack(">II", 0, 500) + struct.pack(">I", 24) * 500),
        (
            struct.pack(">II", 0, 1000) + b"".join(struct.pack(">III", 1 + 900 * (n % 2), 1, 1) for n in range(1000)),
            struct.pack(">II", 0, 1000) + struct.pack(">I", 24) * 1000,
        ),
    ],
    ids=["the same bytes again and again", "the same chunks again and again"],
)
def test_an_mp4_index_that_multiplies_its_file_is_refused(tmp_path, runs, offsets):
    path = tmp_path / "a.m4a"
    path.write_bytes(alac(struct.pack(">III", 0, 100, 1_000_000), runs, offsets))
    with pytest.raises(NotAudioError, match="index is damaged"):
        probe(path)


@pytest.mark.parametrize("kind", ["wma", "wavpack", "adts"])
def test_damage_that_ffmpeg_meets_prints_nothing(originals, tmp_path, kind, capfd):
    data = bytearray(originals(kind).read_bytes())
    rng = random.Random(5)
    for cut in (len(data), len(data) // 2, 300):
        for _ in range(40):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path = tmp_path / "damaged"
        path.write_bytes(data[:cut])
        with contextlib.suppress(NotAudioError):
            probe(path)
    assert capfd.readouterr().err == ""


def test_a_codec_that_nobody_knows_is_no_audio(tmp_path):
    path = encode(tmp_path / "a.wma", "wma", 0.5)
    data = path.read_bytes().replace(b"\x61\x01\x02\x00\x44\xac\x00\x00", b"\x77\x77\x02\x00\x44\xac\x00\x00")
    assert data != path.read_bytes()
    path.write_bytes(data)
    with path.open("rb") as file, pytest.raises(NotAudioError):
        containers.probe(file, len(data))


ID3 = b"ID3\x03\0\0\0\0\0\x15TIT2\0\0\0\x0b\0\0\0IdTitle123"


@pytest.mark.parametrize("front", [ID3, bytes(3000), ID3 + bytes(100)], ids=["tag", "zeros", "both"])
@pytest.mark.parametrize("kind", ["mp3", "flac", "vorbis", "wav", "aiff", "wma", "wavpack", "adts"])
def test_what_lies_in_front_of_a_container_is_stepped_over_by_scan_and_decoder(kind, front, originals, tmp_path):
    path = tmp_path / "song"
    path.write_bytes(front + originals(kind).read_bytes())
    found = probe(path)
    assert found.info.codec == FORMATS[kind].codec
    with path.open("rb") as file, open_audio(file) as container:
        heard = sum(frame.samples for frame in container.decode(audio=0)) / found.info.sample_rate
    assert heard == pytest.approx(found.info.duration, abs=0.1)


def test_what_lies_between_the_pages_of_an_ogg_is_stepped_over(originals, tmp_path):
    data = originals("vorbis").read_bytes()
    pages = [b"OggS" + page for page in data.split(b"OggS")[1:]]
    path = tmp_path / "padded.ogg"
    path.write_bytes(bytes(50).join(pages) + b"junk" * 20)
    assert probe(path).info == probe(originals("vorbis")).info


def test_a_chain_lasts_as_long_as_its_links_also_where_they_differ(originals, tmp_path):
    path = tmp_path / "chain.ogg"
    other = encode(tmp_path / "other.opus", "opus", seconds=1.0)
    path.write_bytes(originals("vorbis").read_bytes() + other.read_bytes())
    assert probe(path).info.duration == pytest.approx(4.0, abs=0.05)


def test_raw_frames_are_believed_without_a_name_only_where_their_first_bytes_say_so(originals, tmp_path):
    path = tmp_path / "song.bin"
    path.write_bytes(originals("adts").read_bytes())
    with path.open("rb") as file:
        assert containers.probe(file, path.stat().st_size, named=False).info.codec == "aac"


def test_a_second_tag_behind_packets_ends_the_sound_as_it_does_for_the_player(originals, tmp_path):
    """FFmpeg steps over one APEv2 tag and calls what is before it damage."""
    tag = originals("wavpack").read_bytes()
    tag = tag[tag.index(b"APETAGEX") :]
    path = tmp_path / "two.wv"
    path.write_bytes(originals("wavpack").read_bytes() + tag)
    assert probe(path).info.duration == pytest.approx(probe(originals("wavpack")).info.duration, abs=0.1)


def test_the_own_tags_of_a_container_count_before_what_was_put_in_front(tmp_path):
    path = encode(tmp_path / "a.m4a", "aac", tags={"title": "New"})
    body = b"TIT2\0\0\0\4\0\0\0Old"
    path.write_bytes(b"ID3\3\0\0\0\0\0" + bytes([len(body)]) + body + path.read_bytes())
    with path.open("rb") as file:
        assert read_tags(file, path.stat().st_size, str(path), str(tmp_path)).title == "New"
