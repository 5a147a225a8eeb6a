"""What is known of each front-end without loading it: enough to find its vectors, name its tags and fetch its weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from embeddings.errors import EmbeddingError
from embeddings.published import PublishedFile
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
        needs: the optional Python package it cannot do without.
    """

    name: str
    version: str
    dimension: int
    tag_names: tuple[str, ...]
    weights: WeightsFile | PublishedFile
    needs: str | None = None


@dataclass(frozen=True, slots=True)
class ExternalCard:
    """A network that is known here but not run.

    Attributes:
        name: as its papers call it.
        dimension: length of one vector.
        package: the Python package that runs it, to be installed by the user in an environment of its own.
        module: what that package is imported as.
        weights: what it would download.
        licence: SPDX identifier of its weights' licence.
        remark: why it is not run here, as a sentence without its first capital and full stop.
    """

    name: str
    dimension: int
    package: str
    module: str
    weights: str
    licence: str
    remark: str


def _openl3_file(bands: int, git_blob: str) -> PublishedFile:
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


OPENL3_MEL256_FILE = _openl3_file(256, "15e483646fa3d4091a463f0affbb706e6bbbb098")
OPENL3_MEL128_FILE = _openl3_file(128, "73ff29de441865318c4b3a3f98c40763c4773e7c")
CLMR_FILE = PublishedFile(
    filename="clmr_checkpoint_10000.zip",
    address="https://github.com/Spijkervet/CLMR/releases/download/2.0/clmr_checkpoint_10000.zip",
    parameter_bytes=9_497_600,
    licence="MIT",
    other_names=("clmr_checkpoint_10000.pt", "clmr_checkpoint_10000.safetensors"),
)
MEE_FILE = PublishedFile(
    filename="music_effects_encoder_1000.pt",
    address="https://github.com/jhtonyKoo/e2e_music_remastering_system (its README links to the file)",
    parameter_bytes=329_877_432,
    licence="MIT",
    other_names=("music_effects_encoder_1000.safetensors",),
)

MUSICNN = FrontEndCard("musicnn", "msd-2", 200, MSD_TAGS, MUSICNN_WHEEL)

OPENL3_MEL256_512 = FrontEndCard("openl3", "music-mel256-512-1", 512, (), OPENL3_MEL256_FILE, "h5py")
OPENL3_MEL256_6144 = FrontEndCard("openl3-6144", "music-mel256-6144-1", 6144, (), OPENL3_MEL256_FILE, "h5py")
OPENL3_MEL128_512 = FrontEndCard("openl3-mel128", "music-mel128-512-1", 512, (), OPENL3_MEL128_FILE, "h5py")
OPENL3_MEL128_6144 = FrontEndCard("openl3-mel128-6144", "music-mel128-6144-1", 6144, (), OPENL3_MEL128_FILE, "h5py")
CLMR = FrontEndCard("clmr", "samplecnn-1", 512, (), CLMR_FILE)
MEE = FrontEndCard("mee", "fx-1", 2048, (), MEE_FILE)

FRONTENDS: Mapping[str, FrontEndCard] = MappingProxyType(
    {
        card.name: card
        for card in (
            MUSICNN,
            OPENL3_MEL256_512,
            OPENL3_MEL256_6144,
            OPENL3_MEL128_512,
            OPENL3_MEL128_6144,
            CLMR,
            MEE,
        )
    }
)
"""The front-ends there are."""

JUKEBOX = ExternalCard(
    name="jukebox",
    dimension=4800,
    package="jukebox-infer",
    module="jukebox_infer",
    weights="the 5b prior and VQ-VAE of OpenAI's Jukebox, about 10 GB",
    licence="LicenseRef-Jukebox-Noncommercial",
    remark="it needs about 10 GB of weights and a GPU, and jukebox-infer offers no embedding of a file",
)
MULE = ExternalCard(
    name="mule",
    dimension=1728,
    package="mule-torch",
    module="mule_torch",
    weights="model.safetensors of matteospanio/mule, 267 MB",
    licence="CC-BY-NC-4.0",
    remark="mule-torch is GPL-3.0-only, so it is never imported here, and it has no command that could be run instead",
)
EXTERNALS: Mapping[str, ExternalCard] = MappingProxyType({card.name: card for card in (JUKEBOX, MULE)})
"""Networks that the papers use and that are not run here."""


def frontend_card(name: str) -> FrontEndCard:
    """The card of the front-end ``name``.

    Raises:
        EmbeddingError: there is no front-end of that name, or it is one that is not run here.
    """
    if name in EXTERNALS:
        external = EXTERNALS[name]
        raise EmbeddingError(f"{name} ({external.package}) is not run by this player: {external.remark}")
    if name not in FRONTENDS:
        raise EmbeddingError(f'there is no front-end "{name}"; choose one of: {", ".join(FRONTENDS)}')
    return FRONTENDS[name]
