"""Embeds the files named on standard input in the setting named as the argument; prints one JSON list per file."""

import json
import sys
from pathlib import Path

import torch

from embeddings.decode import decode_mono
from embeddings.networks.musicnn import EXACT, load_musicnn
from embeddings.pipeline import embed_file
from embeddings.pooling import pool
from embeddings.weights.files import MUSICNN_WHEEL, ensure_weights
from player.folders import locate


def main() -> None:
    """``fast`` is what the player does; ``plain`` decodes the whole track and looks at 20 windows in float32."""
    torch.set_num_threads(1)
    weights = ensure_weights(MUSICNN_WHEEL, named=None, cache=locate().cache)
    if sys.argv[1] == "plain":
        exact = load_musicnn("musicnn", weights, EXACT)
        for line in sys.stdin:
            samples = decode_mono(Path(line.rstrip("\n")), exact.spec.sample_rate)
            print(json.dumps(pool(exact.embed(samples)).vector.tolist()))
    else:
        fast = load_musicnn("musicnn", weights)
        for line in sys.stdin:
            print(json.dumps(embed_file(Path(line.rstrip("\n")), fast).vector.tolist()))


main()
