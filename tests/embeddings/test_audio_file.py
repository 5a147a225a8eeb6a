"""Opening what may be anything: never waiting, never printing, never leading elsewhere."""

import io
import os

import av
import av.error
import pytest

from embeddings.audio_file import AUDIO_DEMUXERS, open_audio, open_regular


def test_a_pipe_a_folder_and_a_path_that_cannot_be_are_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp3")
    for path in (tmp_path, tmp_path / "pipe.mp3"):
        with pytest.raises(OSError, match="no regular file"):
            open_regular(path)
    with pytest.raises(OSError, match="no file can have that path"):
        open_regular(tmp_path / "a\0b.mp3")


def test_every_demuxer_that_is_let_in_is_one_of_ffmpegs():
    known = {alias for name in av.formats_available for alias in name.split(",")}
    assert set(AUDIO_DEMUXERS) <= known
    assert not {"hls", "concat", "concatf", "dash", "sdp", "rtsp", "applehttp"} & set(AUDIO_DEMUXERS)


@pytest.mark.parametrize(
    "text", ["ffconcat version 1.0\nfile 'a.wav'\n", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=audio 5004 RTP/AVP 0\n"]
)
def test_what_would_lead_elsewhere_is_not_opened_at_all(text):
    with pytest.raises((av.error.ArgumentError, av.error.InvalidDataError)), open_audio(io.BytesIO(text.encode())):
        pass


class FailingDisk(io.BytesIO):
    """Gives its first bytes; then reading fails, as from a disk with a bad sector."""

    def read(self, size=-1):
        if self.tell() > 60_000:
            raise OSError(5, "Input/output error")
        return super().read(size)


def decode_all(file):
    with open_audio(file) as container:
        for packet in container.demux(container.streams.audio[0]):
            packet.decode()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flac", "mp3", "wav"])
def test_a_disk_that_fails_is_told_as_such_and_prints_nothing(tmp_path, encode, sound, kind, capfd):
    contents = encode(tmp_path / f"a.{kind}", sound(20.0, 44_100)[None], 44_100).read_bytes()
    with pytest.raises(OSError, match="Input/output error"):
        decode_all(FailingDisk(contents))
    assert capfd.readouterr().err == ""
