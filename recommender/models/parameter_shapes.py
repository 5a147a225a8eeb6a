"""Shapes and scales of the sequential model's arrays, by its configuration; free of torch, for all who read a stored model."""

from recommender.configuration import BlockKind, SequentialConfig
from recommender.events import Outcome

GATED_EXPANSION = 2
"""Width of SwiGLU's inside over that of the block: with three matrices, half again the weights of a factor-2 perceptron."""
Shapes = dict[str, tuple[int, ...]]


def sequence_shapes(config: SequentialConfig, dimension: int, tracks: int, stations: int) -> Shapes:
    """The arrays of a model by their configuration: what is exported, checked on loading, and served.

    Args:
        config: of the network.
        dimension: of the content vectors.
        tracks: with an embedding of their own.
        stations: that the training knew.
    """
    width = config.width
    shapes: Shapes = {
        "tower": (dimension, width),
        "own": (tracks + 1, width),
        "outcome": (len(Outcome), width),
        "position": (config.length, width),
        "station": (stations + 1, width),
        "asked": (stations + 1, width),
        "norm.weight": (width,),
        "norm.bias": (width,),
    }
    for block in range(config.blocks):
        shapes |= {f"blocks.{block}.{name}": shape for name, shape in _block_shapes(config).items()}
    return {f"sequence.{name}": shape for name, shape in shapes.items()}


def _block_shapes(config: SequentialConfig) -> Shapes:
    width, gated = config.width, config.block is BlockKind.LIGR
    inner = GATED_EXPANSION * width if gated else width
    shapes: Shapes = {
        f"{norm}.{kind}": (width,) for norm in ("norm_attention", "norm_mlp") for kind in ("weight", "bias")
    }
    layers = [
        ("qkv", width, 3 * width),
        ("out", width, width),
        ("up", width, 2 * inner if gated else inner),
        ("down", inner, width),
    ]
    layers += [("gate_attention", width, width), ("gate_mlp", width, width)] if gated else []
    for layer, inputs, outputs in layers:
        shapes |= {f"{layer}.weight": (outputs, inputs), f"{layer}.bias": (outputs,)}
    return shapes
