"""Music files whose sound is known: sine tones encoded by real encoders."""

import os
from pathlib import Path

import av
import numpy as np

ENCODERS = {".wav": "pcm_s16le", ".flac": "flac", ".mp3": "mp3", ".opus": "libopus", ".m4a": "aac"}


def write_tones(
    path: Path,
    tones: list[tuple[float, float]],
    *,
    rate: int = 44_100,
    layout: str = "stereo",
    codec: str | None = None,
) -> Path:
    """Write one tone after the other, each (Hz, seconds), at amplitude 0.5 on every channel; returns ``path``."""
    parts = [0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate) for hertz, seconds in tones]
    mono = np.concatenate(parts).astype(np.float32)
    codec = codec or ENCODERS[path.suffix]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        channels = stream.layout.nb_channels
        step = stream.frame_size or 1024
        for start in range(0, len(mono), step):
            samples = np.repeat(mono[start : start + step], channels)[np.newaxis]
            frame = av.AudioFrame.from_ndarray(samples, format="flt", layout=layout)
            frame.sample_rate = rate
            frame.pts = start
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path


def nothing_but_a_header(path: Path, size: int = 1 << 36) -> Path:
    """A FLAC file whose sound is zeros (a hole, so it takes no room): the decoder searches it for ages in vain."""
    whole = write_tones(path, [(440, 0.5)]).read_bytes()
    block, last = 4, 0
    while not last:  # the metadata: a flag and a kind, three bytes of length, the block
        last = whole[block] & 0x80
        block += 4 + int.from_bytes(whole[block + 1 : block + 4])
    path.write_bytes(whole[:block])
    os.truncate(path, size)
    return path
