"""Everything that has no fast parser here, through FFmpeg: WMA, APE, WavPack, Musepack, ADTS, Matroska, odd MP4 and Ogg."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from embeddings.audio_file import open_audio
from player.library.containers.base import AudioInfo, NotAudioError, Probe, edges_of

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet

_ADTS = (b"\xff\xf0", b"\xff\xf1", b"\xff\xf8", b"\xff\xf9")
_TRIED_PACKETS = 64
"""A decoder that gives no sound for that many packets will give none."""


@dataclass(frozen=True, slots=True)
class DemuxedPayload:
    """The packets of the first audio stream. There is no cheap way to the middle, so all of them are the sample."""

    file: BinaryIO
    container: str

    def sample(self) -> Iterator[bytes]:
        """All packets."""
        return self.blocks()

    def edges(self) -> Iterator[bytes]:
        """The first and the last of them."""
        return edges_of(map(_without_adts, self.blocks()) if self.container == "aac" else self.blocks())

    def blocks(self) -> Iterator[bytes]:
        """All packets."""
        with open_container(self.file) as container:
            yield from map(bytes, _packets(container, container.streams.audio[0]))


def _without_adts(packet: bytes) -> bytes:
    """AAC without the header that frames have in a stream and not in MP4."""
    return packet[7 if packet[1] & 1 else 9 :] if packet.startswith(_ADTS) else packet


@contextmanager
def open_container(file: BinaryIO) -> "Generator[InputContainer]":
    """Open ``file`` as the player's decoder does, with the demuxers of audio alone: no playlist leads elsewhere.

    Raises:
        NotAudioError: FFmpeg cannot read it.
    """
    from av.error import FFmpegError  # noqa: PLC0415 - FFmpeg loads in a tenth of a second; most libraries never need it here

    file.seek(0)
    try:
        with open_audio(file) as container:
            if not container.streams.audio:
                raise NotAudioError("it holds no sound")
            # A codec that FFmpeg does not know has no context.
            if getattr(container.streams.audio[0], "codec_context", None) is None:
                raise NotAudioError("it is in a format that FFmpeg cannot decode")
            yield container
    except FFmpegError as error:
        raise NotAudioError("it is damaged, or in a format that FFmpeg does not know") from error
    except (ValueError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise NotAudioError(f"it cannot be read ({reason})") from error


def probe(file: BinaryIO) -> Probe:
    """Understand a file by demuxing all of it and decoding its beginning.

    Raises:
        NotAudioError: FFmpeg cannot read it, or no sound comes out of it.
    """
    with open_container(file) as container:
        name = container.format.name.split(",")[0]
        stream = container.streams.audio[0]
        codec = stream.codec_context.codec.canonical_name
        rate, channels = _decode_start(container, stream)
    with open_container(file) as container:
        duration = _measure(container, container.streams.audio[0])
    if duration <= 0 or rate <= 0 or channels <= 0:
        raise NotAudioError("it holds no audio")
    return Probe(AudioInfo(codec, duration, rate, channels), DemuxedPayload(file, name), name)


def metadata(file: BinaryIO) -> dict[str, str]:
    """The tags FFmpeg finds, keys in lower case; those of the stream where the container has none.

    Raises:
        NotAudioError: FFmpeg cannot read it.
    """
    with open_container(file) as container:
        found = {**container.streams.audio[0].metadata, **container.metadata}
        return {key.lower(): value for key, value in found.items()}


def _packets(container: "InputContainer", stream: "AudioStream") -> "Iterator[Packet[AudioStream]]":
    """The packets up to where the container breaks off, as before a second tag: the player plays what is before that."""
    from av.error import InvalidDataError  # noqa: PLC0415 - loaded only where it is used

    read = False
    try:
        for packet in container.demux(stream):
            yield packet
            read = True
    except InvalidDataError:
        if not read:
            raise


def _decode_start(container: "InputContainer", stream: "AudioStream") -> tuple[int, int]:
    """Sample rate and channels of the first sound that is decoded (headers may lie)."""
    from av.error import FFmpegError  # noqa: PLC0415 - loaded only where it is used

    for count, packet in enumerate(_packets(container, stream)):
        try:
            for frame in packet.decode():
                return frame.sample_rate, frame.layout.nb_channels
        except FFmpegError:
            pass  # damage at the start; what follows may be sound
        if count >= _TRIED_PACKETS:
            break
    raise NotAudioError("nothing in it can be decoded")


def _measure(container: "InputContainer", stream: "AudioStream") -> float:
    """Seconds from the first packet's start to the last one's end."""
    first, last, total = None, 0, 0
    for packet in _packets(container, stream):
        if packet.size == 0:
            continue
        length = packet.duration or 0
        total += length
        if packet.pts is not None:
            first = packet.pts if first is None else min(first, packet.pts)
            last = max(last, packet.pts + length)
    ticks = last - first if first is not None else total
    return float(ticks * stream.time_base) if stream.time_base else 0.0
