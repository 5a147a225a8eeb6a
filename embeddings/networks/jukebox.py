"""Jukebox (Dhariwal et al. 2020, arXiv 2005.00341) as a listener: the middle of a network that was made to compose.

Castellon, Donahue & Liang 2021 ("Codified audio language modeling learns useful representations for music information
retrieval", ISMIR) turn 24 s of sound into 8192 codes with Jukebox's VQ-VAE, let its prior of five billion parameters read
them, and average the activations of the 36th of its 72 layers over time: 4800 numbers. Park & Lee 2022 use these.

The networks come from the optional package ``jukebox-infer`` (MIT); see :mod:`embeddings.networks.jukebox_network`.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from embeddings.frontend import Embedded, checked_mono
from embeddings.networks.jukebox_network import FIVE_BILLION, JukeboxNetwork, Layout, load_network
from embeddings.networks.jukebox_spec import JUKEBOX, JUKEBOX_WEIGHTS
from embeddings.networks.windows import spread_samples

MAX_WINDOWS = 3
"""Of longer tracks, this many windows of 25 s spread evenly; Castellon et al. take the first alone, of excerpts."""


class Jukebox:
    """The front-end: samples in, one vector per 25 s out."""

    card = JUKEBOX

    def __init__(self, network: JukeboxNetwork, layout: Layout = FIVE_BILLION) -> None:
        self._network, self._window_samples = network, layout.window_samples

    def embed(self, samples: NDArray[np.float32]) -> Embedded:
        """See :meth:`embeddings.frontend.FrontEnd.embed`."""
        windows = spread_samples(full_scale(checked_mono(samples)), self._window_samples, MAX_WINDOWS)
        vectors = [self._network.mean_activation(torch.from_numpy(window)).numpy() for window in windows]
        return Embedded(np.stack(vectors), np.empty((len(vectors), 0), np.float32))


def full_scale(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The samples with the loudest at 1 or -1, as Castellon et al. do before encoding; silence stays as it is."""
    loudest = np.abs(samples).max()
    return samples / loudest if loudest > np.finfo(np.float32).tiny else samples


def load_jukebox(folder: Path, layout: Layout = FIVE_BILLION) -> Jukebox:
    """Read the two checkpoints in ``folder``; the card says what that asks of the machine.

    Raises:
        EmbeddingError: the package or a checkpoint is missing, damaged or another one, or there is too little memory.
    """
    JUKEBOX_WEIGHTS.check(folder)
    return Jukebox(load_network(folder, layout), layout)
