"""CLMR's card; the network is in :mod:`embeddings.networks.clmr`."""

from pathlib import Path
from typing import TYPE_CHECKING

from embeddings.spec import FrontEndCard, FrontEndModule
from embeddings.weights.published_files import PublishedFile

if TYPE_CHECKING:
    from embeddings.frontend import FrontEnd

CLMR_FILE = PublishedFile(
    filename="clmr_checkpoint_10000.zip",
    address="https://github.com/Spijkervet/CLMR/releases/download/2.0/clmr_checkpoint_10000.zip",
    parameter_bytes=9_497_600,
    licence="MIT",
    other_names=("clmr_checkpoint_10000.pt", "clmr_checkpoint_10000.safetensors"),
)

CLMR = FrontEndCard(
    name="clmr",
    version="samplecnn-2",
    sample_rate=22_050,
    channels=1,
    window_samples=59_049,
    dimension=512,
    weights=CLMR_FILE,
)


def _load(name: str, weights: Path) -> "FrontEnd":
    from embeddings.networks.clmr import load_clmr  # noqa: PLC0415 - imports torch, which only embedding needs

    del name  # it has no variants
    return load_clmr(weights)


CLMR_MODULE = FrontEndModule((CLMR,), _load)
