"""What is known of each front-end without loading it: enough to find its vectors, name its tags and fetch its weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from embeddings.errors import EmbeddingError
from embeddings.weights import MUSICNN_WHEEL, WeightsFile

DEFAULT_FRONTEND = "musicnn"

MSD_TAGS = (
    "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s", "alternative rock", "jazz",
    "beautiful", "metal", "chillout", "male vocalists", "classic rock", "soul", "indie rock", "Mellow", "electronica", "80s",
    "folk", "90s", "chill", "instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic",
    "experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country", "easy listening", "sexy", "catchy",
    "funk", "electro", "heavy metal", "Progressive rock", "60s", "rnb", "indie pop", "sad", "House", "happy",
)  # fmt: skip
"""The 50 Last.fm tags of the Million Song Dataset, in the order of the network's outputs."""


@dataclass(frozen=True, slots=True)
class FrontEndCard:
    """A front-end, as far as it is known before it is loaded.

    Attributes:
        name: what settings and the database call it.
        version: changes whenever its vectors do, so that stored ones are made anew.
        dimension: length of one vector.
        tag_names: what the columns of its tags mean; empty for a front-end that does not tag.
        weights: the file of weights it needs.
    """

    name: str
    version: str
    dimension: int
    tag_names: tuple[str, ...]
    weights: WeightsFile


MUSICNN = FrontEndCard("musicnn", "msd-1", 200, MSD_TAGS, MUSICNN_WHEEL)

FRONTENDS: Mapping[str, FrontEndCard] = MappingProxyType({MUSICNN.name: MUSICNN})
"""The front-ends there are."""


def frontend_card(name: str) -> FrontEndCard:
    """The card of the front-end ``name``.

    Raises:
        EmbeddingError: there is no front-end of that name.
    """
    if name not in FRONTENDS:
        raise EmbeddingError(f'there is no front-end "{name}"; choose one of: {", ".join(FRONTENDS)}')
    return FRONTENDS[name]
