"""The cards of OpenL3's four music networks, which are in :mod:`embeddings.networks.openl3`."""

from pathlib import Path
from typing import TYPE_CHECKING

from embeddings.spec import FrontEndCard, FrontEndModule, OptionalPackage
from embeddings.weights.published_files import PublishedFile

if TYPE_CHECKING:
    from embeddings.frontend import FrontEnd

SAMPLE_RATE = 48_000
"""Hz."""
WINDOW_SAMPLES = SAMPLE_RATE
"""One second."""
KERAS_FILES = OptionalPackage("h5py", "h5py")


def _file(bands: int, git_blob: str) -> PublishedFile:
    """The music network of one spectrogram, as OpenL3's authors publish it."""
    name = f"openl3_audio_mel{bands}_music"
    return PublishedFile(
        filename=f"{name}-v0_4_0.h5.gz",
        address=f"https://github.com/marl/openl3/raw/models/{name}-v0_4_0.h5.gz",
        parameter_bytes=18_759_440,
        licence="CC-BY-4.0",
        git_blob=git_blob,
        other_names=(f"{name}-v0_4_0.h5", f"{name}.h5"),
        package="openl3",
    )


OPENL3_MEL256_FILE = _file(256, "15e483646fa3d4091a463f0affbb706e6bbbb098")
OPENL3_MEL128_FILE = _file(128, "73ff29de441865318c4b3a3f98c40763c4773e7c")


def _card(name: str, version: str, dimension: int, weights: PublishedFile) -> FrontEndCard:
    return FrontEndCard(name, version, SAMPLE_RATE, 1, WINDOW_SAMPLES, dimension, weights, needs=KERAS_FILES)


OPENL3_MEL256_512 = _card("openl3", "music-mel256-512-2", 512, OPENL3_MEL256_FILE)
OPENL3_MEL256_6144 = _card("openl3-6144", "music-mel256-6144-2", 6144, OPENL3_MEL256_FILE)
OPENL3_MEL128_512 = _card("openl3-mel128", "music-mel128-512-2", 512, OPENL3_MEL128_FILE)
OPENL3_MEL128_6144 = _card("openl3-mel128-6144", "music-mel128-6144-2", 6144, OPENL3_MEL128_FILE)


def _load(name: str, weights: Path) -> "FrontEnd":
    from embeddings.networks.openl3 import load_openl3  # noqa: PLC0415 - imports torch, which only embedding needs

    return load_openl3(name, weights)


OPENL3_MODULE = FrontEndModule((OPENL3_MEL256_512, OPENL3_MEL256_6144, OPENL3_MEL128_512, OPENL3_MEL128_6144), _load)
