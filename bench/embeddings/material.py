"""Full-length tracks for the benchmarks, made from a folder of excerpts, and where to find the peer."""

import csv
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer

TRACK_SECONDS = 220
"""3:40, an ordinary song. It is no multiple of the excerpts' 30 s, so that windows spread evenly over a track made of one
excerpt fall on different parts of the excerpt."""

MUSIC_VARIABLE = "EMBED_BENCH_MUSIC"
MUSIC_DEFAULT = Path(__file__).parents[3] / "shared" / "music.csv"
BLISS_VARIABLE = "BLISS_PYTHON"


@dataclass(frozen=True, slots=True)
class BenchTrack:
    """One track whose genre and artist are known."""

    path: Path
    genre: str
    artist: str


def full_length_tracks() -> list[BenchTrack]:
    """Every excerpt of the collection, repeated to 3:40 in its own codec; made once, in the temporary folder.

    The collection is a table with the columns ``group`` and ``path`` (artist/album/title) beside a folder ``music``.
    Ogg Vorbis becomes MP3, as packets of Vorbis cannot be joined without decoding them.
    """
    table = Path(os.environ.get(MUSIC_VARIABLE, MUSIC_DEFAULT))
    if not table.is_file():
        sys.exit(f"There is no table of music at {table}; set {MUSIC_VARIABLE} to one.")
    folder = Path(tempfile.gettempdir()) / f"embed-bench-{TRACK_SECONDS}s"
    folder.mkdir(exist_ok=True)
    with table.open(encoding="utf-8", newline="") as rows:
        return [_track(folder, table.parent / "music", number, row) for number, row in enumerate(csv.DictReader(rows))]


def evenly(tracks: Sequence[BenchTrack], count: int) -> list[BenchTrack]:
    """``count`` of the tracks, evenly spread over the list and so over genres and codecs."""
    return [tracks[number * len(tracks) // count] for number in range(min(count, len(tracks)))]


def bliss_python() -> Path | None:
    """The interpreter of the environment that ``bliss-audio`` is installed in; says how to make one when there is none."""
    named = os.environ.get(BLISS_VARIABLE)
    if named and Path(named).exists():
        return Path(named)
    print(
        f"bliss-audio is left out: python3 -m venv DIR && DIR/bin/pip install bliss-audio && {BLISS_VARIABLE}=DIR/bin/python"
    )
    return None


def _track(folder: Path, music: Path, number: int, row: dict[str, str]) -> BenchTrack:
    excerpt = music / row["path"]
    ending = ".mp3" if excerpt.suffix == ".ogg" else excerpt.suffix
    path = folder / f"{number:03d}{ending}"
    if not path.exists():
        unfinished = path.with_name(f"unfinished{ending}")
        _repeat(_as_mp3(excerpt, folder / "excerpt.mp3") if excerpt.suffix == ".ogg" else excerpt, unfinished)
        unfinished.rename(path)
    return BenchTrack(path, row["group"], row["path"].split("/")[0])


def _repeat(excerpt: Path, path: Path) -> None:
    """The excerpt's packets again and again, as they are."""
    with av.open(str(path), "w") as target:
        stream, end = _append(excerpt, target, None, 0)
        while end < TRACK_SECONDS / _tick(stream):
            stream, end = _append(excerpt, target, stream, end)


def _append(excerpt: Path, target: OutputContainer, stream: AudioStream | None, offset: int) -> tuple[AudioStream, int]:
    """The excerpt's packets after what is there: the target's stream, and where it ends now."""
    with av.open(str(excerpt)) as source:
        template = source.streams.audio[0]
        if stream is None:
            stream = target.add_stream_from_template(template)
            stream.time_base = template.time_base
        first, end = None, offset
        for packet in source.demux(template):
            if packet.pts is None:
                continue
            first = packet.pts if first is None else first
            packet.pts = packet.dts = packet.pts - first + offset
            if packet.pts * _tick(template) >= TRACK_SECONDS:
                break
            end = packet.pts + (packet.duration or 0)
            packet.stream = stream
            target.mux(packet)
    return stream, end if end > offset else sys.maxsize


def _tick(stream: AudioStream) -> Fraction:
    """Seconds per unit of the stream's times."""
    return stream.time_base or Fraction(1, stream.rate)


def _as_mp3(excerpt: Path, path: Path) -> Path:
    """The excerpt encoded as MP3 of the usual quality."""
    with av.open(str(excerpt)) as source, av.open(str(path), "w") as target:
        rate = source.streams.audio[0].rate
        stream = target.add_stream("libmp3lame", rate=rate, layout="stereo")
        stream.bit_rate = 160_000
        resampler = AudioResampler("fltp", "stereo", rate, frame_size=stream.codec_context.frame_size)
        for frame in source.decode(audio=0):
            for piece in resampler.resample(frame):
                target.mux(stream.encode(piece))
        for piece in [*resampler.resample(None), None]:
            target.mux(stream.encode(piece))
    return path
