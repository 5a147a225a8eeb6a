"""Specs of the built-in front-ends: what is known of each network without loading torch."""

from embeddings.spec import FrontEndSpec, OptionalPackage
from embeddings.weights.files import GIGABYTE, MUSICNN_WHEEL, LargeFile, PackageWeights, PublishedFile, WeightsFolder

# --- musicnn -----------------------------------------------------------------------------------------------------

MSD_TAGS = (
    "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s", "alternative rock", "jazz",
    "beautiful", "metal", "chillout", "male vocalists", "classic rock", "soul", "indie rock", "Mellow", "electronica", "80s",
    "folk", "90s", "chill", "instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic",
    "experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country", "easy listening", "sexy", "catchy",
    "funk", "electro", "heavy metal", "Progressive rock", "60s", "rnb", "indie pop", "sad", "House", "happy",
)  # fmt: skip
"""The 50 Last.fm tags of the Million Song Dataset, in the order of the network's outputs."""

MUSICNN = FrontEndSpec(
    name="musicnn",
    version="msd-2",
    sample_rate=16_000,
    channels=1,
    window_samples=47_616,
    dimension=200,
    weights=MUSICNN_WHEEL,
    tag_names=MSD_TAGS,
)

# --- OpenL3: two spectrograms, two sizes -------------------------------------------------------------------------

OPENL3_RATE = 48_000
"""Hz."""
OPENL3_WINDOW = OPENL3_RATE
"""One second."""
KERAS_FILES = OptionalPackage("h5py", "h5py")


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


def _openl3(name: str, version: str, dimension: int, weights: PublishedFile) -> FrontEndSpec:
    return FrontEndSpec(name, version, OPENL3_RATE, 1, OPENL3_WINDOW, dimension, weights, needs=KERAS_FILES)


OPENL3_MEL256_512 = _openl3("openl3", "music-mel256-512-2", 512, OPENL3_MEL256_FILE)
OPENL3_MEL256_6144 = _openl3("openl3-6144", "music-mel256-6144-2", 6144, OPENL3_MEL256_FILE)
OPENL3_MEL128_512 = _openl3("openl3-mel128", "music-mel128-512-2", 512, OPENL3_MEL128_FILE)
OPENL3_MEL128_6144 = _openl3("openl3-mel128-6144", "music-mel128-6144-2", 6144, OPENL3_MEL128_FILE)

# --- CLMR --------------------------------------------------------------------------------------------------------

CLMR_FILE = PublishedFile(
    filename="clmr_checkpoint_10000.zip",
    address="https://github.com/Spijkervet/CLMR/releases/download/2.0/clmr_checkpoint_10000.zip",
    parameter_bytes=9_497_600,
    licence="MIT",
    other_names=("clmr_checkpoint_10000.pt", "clmr_checkpoint_10000.safetensors"),
)

CLMR = FrontEndSpec(
    name="clmr",
    version="samplecnn-2",
    sample_rate=22_050,
    channels=1,
    window_samples=59_049,
    dimension=512,
    weights=CLMR_FILE,
)

# --- MEE, the Music Effects Encoder ------------------------------------------------------------------------------

MEE_FILE = PublishedFile(
    filename="music_effects_encoder_1000.pt",
    address="https://github.com/jhtonyKoo/e2e_music_remastering_system (its README links to the file)",
    parameter_bytes=329_877_432,
    licence="MIT",
    other_names=("music_effects_encoder_1000.safetensors",),
)

MEE = FrontEndSpec(
    name="mee",
    version="fx-2",
    sample_rate=44_100,
    channels=2,
    window_samples=5 * 44_100,  # the length at which its authors use it
    dimension=2048,
    weights=MEE_FILE,
)

# --- Jukebox -----------------------------------------------------------------------------------------------------

JUKEBOX_RATE = 44_100
JUKEBOX_WINDOW = 25 * JUKEBOX_RATE
"""Castellon et al. encode 25 s and keep the first 8192 codes, 23.8 s, so that the last ones do not hear the sound's end."""

VQVAE_FILE = LargeFile("vqvae.pth.tar", 7_800_000)
PRIOR_FILE = LargeFile("prior_level_2.pth.tar", 10_300_000_000)

RESIDENT_BYTES = 5_400_000_000
"""Memory that is kept: 36 of the prior's 72 layers in half precision, 5.0 GB, and the embeddings of codes, places and artists."""
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

JUKEBOX = FrontEndSpec(
    name="jukebox",
    version="5b-layer36-1",
    sample_rate=JUKEBOX_RATE,
    channels=1,
    window_samples=JUKEBOX_WINDOW,
    dimension=4800,
    weights=JUKEBOX_WEIGHTS,
    needs=OptionalPackage("jukebox_infer", "jukebox-infer"),
)

# --- MULE (McCallum et al. 2022, arXiv 2210.03799) -----------------------------------------------------------------

MULE = FrontEndSpec(
    name="mule",
    version="sf-nfnet-f0-1",
    sample_rate=16_000,
    channels=1,
    window_samples=3 * 16_000,
    dimension=1728,
    weights=PackageWeights(
        filename="model.safetensors of matteospanio/mule, 267 MB",
        address="https://huggingface.co/matteospanio/mule",
        licence="CC-BY-NC-4.0",
    ),
)
