"""musicnn's card; the network is in :mod:`embeddings.networks.musicnn`."""

from pathlib import Path
from typing import TYPE_CHECKING

from embeddings.spec import FrontEndCard, FrontEndModule
from embeddings.weights.weight_files import MUSICNN_WHEEL

if TYPE_CHECKING:
    from embeddings.frontend import FrontEnd

MSD_TAGS = (
    "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s", "alternative rock", "jazz",
    "beautiful", "metal", "chillout", "male vocalists", "classic rock", "soul", "indie rock", "Mellow", "electronica", "80s",
    "folk", "90s", "chill", "instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic",
    "experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country", "easy listening", "sexy", "catchy",
    "funk", "electro", "heavy metal", "Progressive rock", "60s", "rnb", "indie pop", "sad", "House", "happy",
)  # fmt: skip
"""The 50 Last.fm tags of the Million Song Dataset, in the order of the network's outputs."""

MUSICNN = FrontEndCard(
    name="musicnn",
    version="msd-2",
    sample_rate=16_000,
    channels=1,
    window_samples=47_616,
    dimension=200,
    weights=MUSICNN_WHEEL,
    tag_names=MSD_TAGS,
)


def _load(name: str, weights: Path) -> "FrontEnd":
    from embeddings.networks.musicnn import load_musicnn  # noqa: PLC0415 - imports torch, which only embedding needs

    del name  # it has no variants
    return load_musicnn(weights)


MUSICNN_MODULE = FrontEndModule((MUSICNN,), _load)
