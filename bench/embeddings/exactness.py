"""Exactness: how far each front-end's outputs are from the reference implementation's, as a table in Markdown.

The distance is the largest one, in standard deviations of the reference's output. Weights are made by the rule of
``tests/support/published.py``, except musicnn's own. With ``../shared`` all of the reference outputs are compared, else
the few that are kept with the tests. musicnn is compared in its exact setting; what its fast one changes, ``quality``
measures. Run as ``python -m bench.embeddings.exactness``.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from embeddings.networks.clmr import load_clmr
from embeddings.networks.mee import load_mee
from embeddings.networks.musicnn import EXACT, load_musicnn
from embeddings.networks.openl3 import VARIANTS, decibel_mel, load_openl3
from embeddings.networks.specs import MUSICNN, OPENL3_RATE
from embeddings.weights.files import ensure_weights
from player.folders import locate
from tests.support.published import DATA, SHARED_FIXTURES, furthest, reference, save_checkpoint, save_openl3

TOLERANCE = 1e-4


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    folder = SHARED_FIXTURES if SHARED_FIXTURES.is_dir() else DATA
    print(f"Reference outputs: {'all' if folder == SHARED_FIXTURES else 'the few kept with the tests'}\n")
    print("| front-end | output | shape | furthest, in standard deviations | within 1e-4 |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        for name, output, ours, theirs in _compared(folder, Path(scratch)):
            distance = furthest(ours, theirs)
            verdict = "yes" if distance < TOLERANCE else "**no**"
            print(f"| {name} | {output} | {' × '.join(map(str, ours.shape))} | {distance:.1e} | {verdict} |")


def _compared(folder: Path, scratch: Path) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
    """Name, output, what we get and what the reference got."""
    yield from _musicnn(folder)
    yield from _openl3(folder, scratch)
    clmr = load_clmr("clmr", save_checkpoint(scratch / "clmr.pt", "clmr", "encoder."))
    noise = (np.random.default_rng(1).standard_normal((2, 1, 59_049)) * 0.1).astype(np.float32)
    yield "clmr", "embedding", clmr.run(noise[:, 0]), reference("clmr", folder)["embedding"]
    outputs = load_mee("mee", save_checkpoint(scratch / "mee.pt", "mee", "module.", "model")).run(
        (np.random.default_rng(2).standard_normal((1, 2, 220_500)) * 0.1).astype(np.float32)
    )
    yield "mee", "pooled", outputs.pooled, reference("mee", folder)["pooled"]
    yield "mee", "projected", outputs.projected, reference("mee", folder)["projected"]


def _musicnn(folder: Path) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
    theirs = reference("musicnn", folder)
    prefix = "0." if "0.patches" in theirs else ""
    front = load_musicnn("musicnn", ensure_weights(MUSICNN.weights, named=None, cache=locate().cache), EXACT)
    ours = front.run(theirs[f"{prefix}patches"])
    yield "musicnn", "tags", ours.tags, theirs[f"{prefix}tags"]
    yield "musicnn", "mean_pool", ours.mean_pool, theirs[f"{prefix}mean_pool"]
    yield "musicnn", "max_pool", ours.max_pool, theirs[f"{prefix}max_pool"]


def _openl3(folder: Path, scratch: Path) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
    theirs = reference("openl3", folder)
    sound = theirs["audio_48k_int16"].reshape(-1, OPENL3_RATE).astype(np.float32) / 32768
    for bands in (256, 128):
        spectrogram = decibel_mel(sound, bands)
        kept = theirs[f"mel{bands}.spectrogram"].reshape(len(sound), bands, -1)
        step = -(-spectrogram.shape[2] // kept.shape[2])  # every eighth frame is kept with the tests
        yield "openl3", f"mel{bands} spectrogram", spectrogram[:, :, ::step], kept
        weights = save_openl3(scratch / f"openl3_mel{bands}.h5", bands)
        for name, variant in VARIANTS.items():
            if variant.bands == bands:
                ours = load_openl3(name, weights).run(spectrogram)
                yield name, "embedding", ours, theirs[f"mel{bands}.{variant.spec.dimension}"]


if __name__ == "__main__":
    main()
