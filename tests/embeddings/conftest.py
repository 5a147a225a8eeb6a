"""Real weights, real files: what the tests of the embeddings share."""

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy and torch are loaded: one thread is faster here than two

import av
import numpy as np
import pytest
import torch

from embeddings.errors import EmbeddingError
from embeddings.registry import load_frontend
from embeddings.weights.files import MUSICNN_WHEEL, ensure_weights

SHARED_MUSIC = Path(__file__).parents[3] / "shared" / "music"

CODECS = {
    "wav": ("pcm_s16le", "s16"),
    "wave": ("pcm_u8", "u8"),
    "w32": ("pcm_s32le", "s32"),
    "w64": ("pcm_f64le", "dbl"),
    "flac": ("flac", "s16"),
    "mp3": ("libmp3lame", "fltp"),
    "opus": ("libopus", "flt"),
    "ogg": ("vorbis", "fltp"),
    "m4a": ("aac", "fltp"),
    "aac": ("aac", "fltp"),
}
CONTAINERS = {"wave": "wav", "w32": "wav", "w64": "w64", "opus": "ogg", "m4a": "mp4", "aac": "adts"}


def encode(path: Path, planes: np.ndarray, rate: int) -> Path:
    """Write (channels, N) float samples as a real file, in the codec that the name's ending stands for."""
    kind = path.suffix.removeprefix(".")
    codec, sample_format = CODECS[kind]
    if codec == "vorbis" and len(planes) == 1:  # FFmpeg's own encoder knows nothing but stereo
        planes = np.concatenate([planes, planes])
    layout = "stereo" if len(planes) == 2 else "mono"
    with av.open(str(path), "w", format=CONTAINERS.get(kind, kind)) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout, options={"strict": "experimental"})
        stream.format = sample_format
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(planes, dtype=np.float32), "fltp", layout)
        frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), 0
        resampler = av.AudioResampler(sample_format, layout, rate, frame_size=stream.codec_context.frame_size or 1024)
        for piece in [*resampler.resample(frame), *resampler.resample(None), None]:
            container.mux(stream.encode(piece))
    return path


def sound(seconds: float, rate: int, hertz: float = 440.0, seed: int = 0) -> np.ndarray:
    """A decaying, repeated tone over soft noise: (N,) float32 that no two windows hear alike."""
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal(len(time))
    return (0.4 * np.sin(2 * np.pi * hertz * time) * np.exp(-2 * (time % 0.7)) + 0.01 * noise).astype(np.float32)


@pytest.fixture(name="encode", scope="session")
def encode_fixture() -> Callable[[Path, np.ndarray, int], Path]:
    return encode


@pytest.fixture(name="sound", scope="session")
def sound_fixture() -> Callable[..., np.ndarray]:
    return sound


@pytest.fixture(scope="session")
def weights(tmp_path_factory) -> Path:
    try:
        return ensure_weights(MUSICNN_WHEEL, named=None, cache=tmp_path_factory.mktemp("weights"))
    except EmbeddingError as error:
        pytest.skip(f"needs the weights of musicnn: {error}")


@pytest.fixture(scope="session")
def musicnn(weights):
    torch.set_num_threads(1)
    return load_frontend("musicnn", weights)


@pytest.fixture(scope="session")
def reference():
    with np.load(Path(__file__).parent / "data" / "musicnn_reference.npz", allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.fixture(scope="session")
def shared_music() -> Path:
    if not SHARED_MUSIC.is_dir():
        pytest.skip(f"needs the development data at {SHARED_MUSIC}")
    return SHARED_MUSIC


@pytest.fixture(scope="session")
def shared_reference(shared_music):
    with np.load(shared_music.parent / "fixtures" / "musicnn_reference.npz", allow_pickle=False) as arrays:
        return dict(arrays)
