"""Shapes and scales of the sequential model's arrays, by its configuration; free of torch, for all who read a stored model."""

from recommender.configuration import BlockKind, SequentialConfig
from recommender.events import Outcome

GATED_EXPANSION = 2
"""Width of SwiGLU's inside over that of the block: with three matrices, half again the weights of a factor-2 perceptron."""
POOL_SCALE = 5.0
"""Factor of the vectors that a history is the sum of (:mod:`recommender.sequence.layers`): with Adam, whose steps do not know of it, they
start from and learn in steps five times as large as the embeddings, as a product of two small vectors else hardly leaves 0."""

MOST_SHALLOW = 5000
"""Tracks in the shallow set part's map, the most liked ones: 100 MB in float32."""
LIKED = (Outcome.THUMB_UP, Outcome.FINISH, Outcome.REPLAY)
"""What counts as a like there."""

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
    if config.set_weight:
        shapes |= {"worth": (len(Outcome),), "key": (tracks + 1, width), "next_bias": (tracks + 1,)}
        shapes["shrink"] = (tracks + 1,)
    if config.shallow:
        kept = min(tracks, MOST_SHALLOW) + 1
        shapes |= {"shallow": (kept, kept), "shallow_place": (tracks + 1,)}
    if config.liking_weight:
        shapes |= _taste_shapes(config, dimension, tracks)
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


def _taste_shapes(config: SequentialConfig, dimension: int, tracks: int) -> Shapes:
    width, rows = config.taste_width, tracks + 1
    return {
        "taste.tower": (dimension, width),
        "taste.own": (rows, width),
        "taste.worth": (len(Outcome),),
        "taste.own_bias": (rows,),
        "taste.level.weight": (1, width),
        "taste.level.bias": (1,),
        "shrink": (rows,),
    }
