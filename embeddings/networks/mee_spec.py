"""The Music Effects Encoder's card; the network is in :mod:`embeddings.networks.mee`."""

from pathlib import Path
from typing import TYPE_CHECKING

from embeddings.spec import FrontEndCard, FrontEndModule
from embeddings.weights.published_files import PublishedFile

if TYPE_CHECKING:
    from embeddings.frontend import FrontEnd

MEE_FILE = PublishedFile(
    filename="music_effects_encoder_1000.pt",
    address="https://github.com/jhtonyKoo/e2e_music_remastering_system (its README links to the file)",
    parameter_bytes=329_877_432,
    licence="MIT",
    other_names=("music_effects_encoder_1000.safetensors",),
)

MEE = FrontEndCard(
    name="mee",
    version="fx-2",
    sample_rate=44_100,
    channels=2,
    window_samples=5 * 44_100,  # the length at which its authors use it
    dimension=2048,
    weights=MEE_FILE,
)


def _load(name: str, weights: Path) -> "FrontEnd":
    from embeddings.networks.mee import load_mee  # noqa: PLC0415 - imports torch, which only embedding needs

    del name  # it has no variants
    return load_mee(weights)


MEE_MODULE = FrontEndModule((MEE,), _load)
