"""Jukebox (Dhariwal et al. 2020, arXiv 2005.00341) as a listener: the middle of a network that was made to compose.

Castellon, Donahue & Liang 2021 ("Codified audio language modeling learns useful representations for music information
retrieval", ISMIR) turn 24 s of sound into 8192 codes with Jukebox's VQ-VAE, let its prior of five billion parameters read
them, and average the activations of the 36th of its 72 layers over time: 4800 numbers. Park & Lee 2022 use these.

The networks come from the optional package ``jukebox-infer`` (MIT), which generates music; it offers no embedding, and the
methods that run its prior over known codes insist on a GPU (``assert isinstance(x, torch.cuda.LongTensor)``). So its modules
are called one by one here, in the order in which those methods call them: the same sums, on any device.
"""

import contextlib
import importlib
import io
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from embeddings.errors import EmbeddingError
from embeddings.frontend import Embedded
from embeddings.networks.specs import (
    JUKEBOX,
    JUKEBOX_RATE,
    JUKEBOX_WEIGHTS,
    JUKEBOX_WINDOW,
    PRIOR_FILE,
    READING_SHARE,
    VQVAE_FILE,
    WORKING_BYTES,
)
from embeddings.samples import checked_mono, spread_samples, untagged
from embeddings.weights.files import GIGABYTE

MAX_WINDOWS = 3
"""Of longer tracks, this many windows of 25 s spread evenly; Castellon et al. take the first alone, of excerpts."""
SAMPLES_PER_CODE = 128
"""Of the top level."""
SONG_SECONDS = 62
"""The prior is told how long the song is; Castellon et al. tell it this, always, and that the window is its start."""
PREFIX = "module."
"""Put before every name by the program that trained it."""


@dataclass(frozen=True, slots=True)
class JukeboxLayout:
    """The networks of the package that are built, and the share of the prior.

    Attributes:
        layer: how many of the prior's layers the sound goes through.
        context: how many codes the prior sees at once.
        window_samples: how much sound is encoded for them; the codes beyond the context are left out.
        vqvae, prior: what differs from the package's own settings of "vqvae" and "prior_5b".
    """

    layer: int = 36
    context: int = 8192
    window_samples: int = JUKEBOX_WINDOW
    vqvae: Mapping[str, object] = field(default_factory=dict[str, object])
    prior: Mapping[str, object] = field(default_factory=dict[str, object])


FIVE_BILLION = JukeboxLayout()
"""Castellon, Donahue & Liang 2021: layer 36 of the 72 of the prior with five billion parameters."""


class Jukebox:
    """The front-end: samples in, one vector per 25 s out."""

    spec = JUKEBOX

    def __init__(self, network: "JukeboxNetwork", layout: JukeboxLayout = FIVE_BILLION) -> None:
        self._network, self._window_samples = network, layout.window_samples

    def embed(self, samples: NDArray[np.float32]) -> Embedded:
        """See :meth:`embeddings.frontend.FrontEnd.embed`."""
        windows = spread_samples(full_scale(checked_mono(samples)), self._window_samples, MAX_WINDOWS)
        vectors = [self._network.mean_activation(torch.from_numpy(window)).numpy() for window in windows]
        return untagged(np.stack(vectors))


def full_scale(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The samples with the loudest at 1 or -1, as Castellon et al. do before encoding; silence stays as it is."""
    loudest = np.abs(samples).max()
    return samples / loudest if loudest > np.finfo(np.float32).tiny else samples


def load_jukebox(_name: str, folder: Path, layout: JukeboxLayout = FIVE_BILLION) -> Jukebox:
    """Read the two checkpoints in ``folder``; the spec says what that asks of the machine.

    Raises:
        EmbeddingError: the package or a checkpoint is missing, damaged or another one, or there is too little memory.
    """
    JUKEBOX_WEIGHTS.check(folder)
    return Jukebox(load_network(folder, layout), layout)


# --- The networks ------------------------------------------------------------------------------------------------


class JukeboxNetwork:
    """From sound to the activations of one layer of the prior."""

    def __init__(self, vqvae: Any, prior: Any, layout: JukeboxLayout) -> None:
        self._vqvae, self._prior, self._context = vqvae, prior.prior, layout.context
        self._top = len(vqvae.encoders) - 1
        self._start, self._places = conditions(prior)
        self.width = int(prior.prior.width)

    def codes(self, window: Tensor) -> Tensor:
        """The top-level codes of (N,) float32 samples: (1, context) integers.

        Only the top level is computed: of the lowest the distances to all codes would take a gigabyte.
        """
        encoded = self._vqvae.encoders[self._top](window[None, None])[-1]
        return self._vqvae.bottleneck.level_blocks[self._top].encode(encoded)[:, : self._context]

    def activations(self, codes: Tensor) -> Tensor:
        """Activations of the last of the layers kept for (1, context) codes: (context, width) float32."""
        net = self._prior
        x = torch.cat((self._start, net.x_emb(codes)[:, :-1]), dim=1)  # each place sees the codes before it
        x = x + net.pos_emb() + self._places
        for block in net.transformer._attn_mods:  # noqa: SLF001 - the package's Transformer offers no layer by number
            x = block(x, encoder_kv=None)
        x = x + self._places if net.add_cond_after_transformer else x
        return x[0].float()

    def mean_activation(self, window: Tensor) -> Tensor:
        """The mean over time of the activations for (N,) float32 samples: (width,) float32."""
        with torch.inference_mode():
            codes = self.codes(window.to(self._start.device))
            return self.activations(codes).mean(dim=0).cpu()


def conditions(prior: Any) -> tuple[Tensor, Tensor]:
    """The conditions of the prior besides codes: (1, 1, width) for artist and genre, (1, context, width) for the time.

    The artist and the genre are "unknown", whatever the tags say: vectors are of the sound alone.
    """
    length = SONG_SECONDS * JUKEBOX_RATE // SAMPLES_PER_CODE * SAMPLES_PER_CODE
    about = {"artist": "unknown", "genre": "unknown", "lyrics": "", "total_length": length, "offset": 0}
    labels = prior.get_y(prior.labeller.get_batch_labels([about], next(prior.parameters()).device), 0)
    net = prior.y_emb
    total, start, heard, artist = (labels[:, place : place + 1] for place in range(4))
    genres = labels[:, 4 : 4 + net.max_bow_genre_size]
    with torch.inference_mode():
        known = (genres >= 0).float().unsqueeze(2)  # unused places hold -1
        genre = (net.bow_genre_emb.emb(genres.clamp(0)) * known).sum(dim=1, keepdim=True)
        total, start, end = total.float(), start.float(), (start + heard).float()
        places = net.total_length_emb(total) + net.absolute_pos_emb(start, end)
        places = places + net.relative_pos_emb(start / total, end / total)
        return genre + net.artist_emb.emb(artist), places


def load_network(folder: Path, layout: JukeboxLayout = FIVE_BILLION) -> JukeboxNetwork:
    """Build the networks and read both checkpoints of ``folder``; on a CUDA GPU where there is one.

    Raises:
        EmbeddingError: the package is not installed, a checkpoint is missing, damaged or another network's, or there is
            not enough memory.
    """
    vqvae, prior = build(layout)
    fill(vqvae, folder / VQVAE_FILE.filename)
    fill(prior, folder / PRIOR_FILE.filename)
    needed = sum(parameter.nbytes for module in (vqvae, prior) for parameter in module.parameters())
    device = _device(needed)
    try:
        return JukeboxNetwork(vqvae.to(device), prior.to(device), layout)
    except torch.OutOfMemoryError as error:
        raise EmbeddingError(f"the GPU has not enough free memory for Jukebox ({needed / 1e9:.1f} GB)") from error


def build(layout: JukeboxLayout) -> tuple[Any, Any]:
    """The VQ-VAE and the prior without numbers, and without the layers above the one that is wanted.

    Raises:
        EmbeddingError: ``jukebox-infer`` is not installed, or is another version that is built differently.
    """
    try:
        settings: Any = importlib.import_module("jukebox_infer.hparams")
        models: Any = importlib.import_module("jukebox_infer.make_models")
    except ImportError as error:
        raise EmbeddingError(
            f"Jukebox needs the Python package jukebox-infer, which cannot be imported ({error}): pip install jukebox-infer"
        ) from error
    encoding = {**layout.vqvae, "restore_vqvae": "", "sample_length": layout.context * SAMPLES_PER_CODE}
    listening = {**layout.prior, "restore_prior": ""}  # no name, so that the package downloads nothing
    try:
        # The package prints as it builds; standard output belongs to the command. "meta" tensors take no memory.
        with contextlib.redirect_stdout(io.StringIO()), torch.device("meta"):
            vqvae = models.make_vqvae(settings.setup_hparams("vqvae", encoding), "meta")
            prior = models.make_prior(settings.setup_hparams("prior_5b", listening), vqvae, "meta")
        blocks = prior.prior.transformer._attn_mods  # noqa: SLF001 - as above
        prior.prior.transformer._attn_mods = blocks[: layout.layer]  # noqa: SLF001
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise EmbeddingError(
            f"the installed jukebox-infer is not the version that this front-end knows, 0.1.2 ({type(error).__name__}: "
            f"{error}): pip install jukebox-infer==0.1.2"
        ) from error
    return vqvae, prior


def fill(network: nn.Module, checkpoint: Path) -> None:
    """Put a checkpoint's numbers into a network that has none; parameters of layers left out are passed over.

    Raises:
        EmbeddingError: the checkpoint cannot be read, or lacks a parameter, or has one of another shape or not finite.
    """
    try:
        needed = round(checkpoint.stat().st_size * READING_SHARE)
    except OSError as error:
        raise EmbeddingError(f"the weights {checkpoint} cannot be read: {error.strerror or error}") from error
    check_memory(str(checkpoint), needed, available_memory())
    found = _read(checkpoint)
    ready = {name: _fitting(found, name, wanted, checkpoint) for name, wanted in network.state_dict().items()}
    network.load_state_dict(ready, assign=True)
    network.requires_grad_(requires_grad=False).eval()


def _fitting(found: Mapping[str, Tensor], name: str, wanted: Tensor, checkpoint: Path) -> Tensor:
    tensor = found.get(name, found.get(PREFIX + name))
    if tensor is None:
        raise EmbeddingError(
            f'{checkpoint} has no parameter "{name}"; it is not the checkpoint of Jukebox that is wanted'
        )
    if tensor.shape != wanted.shape or not tensor.is_floating_point() or not bool(torch.isfinite(tensor).all()):
        raise EmbeddingError(
            f'{checkpoint}: the parameter "{name}" is not a finite array of shape {tuple(wanted.shape)}'
        )
    return tensor.to(wanted.dtype)


def _read(checkpoint: Path) -> Mapping[str, Tensor]:
    """The tensors of a checkpoint by name, through torch's restricted reader: it makes numbers, it runs nothing."""
    try:
        lazily = zipfile.is_zipfile(checkpoint)  # only torch's new format can be read piece by piece
        loaded: object = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=lazily)
    except pickle.UnpicklingError as error:
        raise EmbeddingError(f"{checkpoint} holds more than numbers, or is no checkpoint; it is not read") from error
    except Exception as error:  # a damaged file fails in torch's reader in every way there is
        raise EmbeddingError(
            f"{checkpoint} cannot be read ({type(error).__name__}); it is damaged or incomplete: download it again"
        ) from error
    inner = loaded.get("model") if isinstance(loaded, dict) else None
    if not isinstance(inner, dict):
        raise EmbeddingError(f'{checkpoint} has no "model" inside; it is not a checkpoint of Jukebox')
    return {str(name): value for name, value in inner.items() if isinstance(value, Tensor)}


def _device(needed: int) -> torch.device:
    """The GPU if there is one, else the processor.

    Raises:
        EmbeddingError: there is a GPU, and the network does not fit on it.
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    free, _ = torch.cuda.mem_get_info()
    check_gpu_memory("Jukebox", needed + WORKING_BYTES, free)
    return torch.device("cuda")


# --- Memory ------------------------------------------------------------------------------------------------------


def check_memory(what: str, needed: int, free: int | None) -> None:
    """Make sure that reading something will not drive the machine out of memory.

    Args:
        what: what is read, for the message.
        needed: bytes it takes.
        free: bytes there are; None if the system does not say, which is let pass.

    Raises:
        EmbeddingError: there are fewer.
    """
    if free is not None and free < needed:
        raise EmbeddingError(
            f"reading {what} takes {needed / GIGABYTE:.1f} GB of memory and {free / GIGABYTE:.1f} GB are free; close other "
            "programs, or use another front-end"
        )


def check_gpu_memory(what: str, needed: int, free: int) -> None:
    """Make sure that a network fits on the GPU.

    Raises:
        EmbeddingError: it does not.
    """
    if free < needed:
        raise EmbeddingError(
            f"{what} takes {needed / GIGABYTE:.1f} GB on the GPU and {free / GIGABYTE:.1f} GB are free there; close other "
            'programs that use it, or compute on the processor, which is slow: CUDA_VISIBLE_DEVICES="" player embed …'
        )


def available_memory(meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """Bytes that a program could take now, or None where the system does not say."""
    try:
        lines = meminfo.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    found: list[str] = next((line.split() for line in lines if line.startswith("MemAvailable:")), [])
    try:
        return int(found[1]) * 1024  # it says "kB" and means KiB
    except (IndexError, ValueError):
        return None
