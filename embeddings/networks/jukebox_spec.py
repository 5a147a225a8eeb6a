"""Jukebox's card; the front-end is in :mod:`embeddings.networks.jukebox`, its networks in the optional package ``jukebox-infer``."""

from pathlib import Path
from typing import TYPE_CHECKING

from embeddings.spec import FrontEndCard, FrontEndModule, OptionalPackage
from embeddings.weights.weights_folder import GIGABYTE, LargeFile, WeightsFolder

if TYPE_CHECKING:
    from embeddings.frontend import FrontEnd

SAMPLE_RATE = 44_100
WINDOW_SAMPLES = 25 * SAMPLE_RATE
"""Castellon et al. encode 25 s and keep the first 8192 codes, 23.8 s, so that the last ones do not hear the sound's end."""

VQVAE_FILE = LargeFile("vqvae.pth.tar", 7_800_000)
PRIOR_FILE = LargeFile("prior_level_2.pth.tar", 10_300_000_000)

RESIDENT_BYTES = 5_400_000_000
"""What is kept: 36 of the prior's 72 layers in half precision, 5.0 GB, and the embeddings of codes, places and artists."""
WORKING_BYTES = 1_600_000_000
"""For one window: some ten arrays of 8192 × 4800 numbers, and one layer's weights as float32."""
READING_SHARE = 1.1
"""Memory that reading a checkpoint takes, as a share of the file: it is in torch's old format, which is read whole."""

JUKEBOX_WEIGHTS = WeightsFolder(
    filename="jukebox-5b",
    address="https://openaipublic.azureedge.net/jukebox/models/5b",
    licence="LicenseRef-Jukebox-Noncommercial",
    files=(VQVAE_FILE, PRIOR_FILE),
    elsewhere="~/.cache/jukebox/models/5b",  # where jukebox-infer itself puts what it downloads
    demands=(
        f"reading them takes {PRIOR_FILE.size * READING_SHARE / GIGABYTE:.0f} GB of free memory, embedding about "
        f"{(RESIDENT_BYTES + WORKING_BYTES) / GIGABYTE:.0f} GB on a CUDA GPU, and without a GPU a track takes more than half "
        "an hour"
    ),
)

JUKEBOX = FrontEndCard(
    name="jukebox",
    version="5b-layer36-1",
    sample_rate=SAMPLE_RATE,
    channels=1,
    window_samples=WINDOW_SAMPLES,
    dimension=4800,
    weights=JUKEBOX_WEIGHTS,
    needs=OptionalPackage("jukebox_infer", "jukebox-infer"),
)


def _load(name: str, weights: Path) -> "FrontEnd":
    from embeddings.networks.jukebox import load_jukebox  # noqa: PLC0415 - imports torch, which only embedding needs

    del name  # it has no variants
    return load_jukebox(weights)


START_SECONDS = 1800.0
"""To read ten gigabytes from a slow disk."""
PATIENCE_SECONDS = 4 * 3600.0
"""Without a GPU."""

JUKEBOX_MODULE = FrontEndModule(
    (JUKEBOX,),
    _load,
    most_workers=1,  # a second one would read and keep it all again
    start_seconds=START_SECONDS,
    patience_seconds=PATIENCE_SECONDS,
)
