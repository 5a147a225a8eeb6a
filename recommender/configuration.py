"""How the models are built and trained, as frozen values; free of torch, so that any process may read a model's card."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

MARGIN = 7.0
"""Distance at which a pair that does not belong together stops being pushed apart (Park & Lee 2022, section 3.2)."""


class ClepVariant(StrEnum):
    """Which pairs of songs belong together (Park & Lee 2022, section 3.2)."""

    PN = "pn"
    """like-like and dislike-dislike."""
    P = "p"
    """like-like only."""
    N = "n"
    """dislike-dislike only."""


class ClepMode(StrEnum):
    """How the content model learns."""

    FAITHFUL = "faithful"
    """The networks of the paper."""
    BEST = "best"
    """What measured best for few opinions (:mod:`recommender.models.bayesian_taste`): convex, and trained in a moment."""


BEST_AXES = 32
"""Main axes of the content that the best mode works on; 16 to 64 measure alike (``docs/research/clep.md``)."""
FOUR_LAYERS = (128, 64, 64, 32)
FIVE_LAYERS = (512, 256, 128, 64, 32)
"""Outputs of the embedding's layers. The paper names their number (section 4.1), not their widths; these are ours."""
MOST_FOR_FOUR_LAYERS = 512
"""The paper's front-end of 512 dimensions has four layers, those of 2,048 and 4,800 have five."""


@dataclass(frozen=True, slots=True)
class ClepConfig:
    """The contrastive content model; the numbers are the paper's (section 4.1) where it names them."""

    mode: ClepMode = ClepMode.FAITHFUL
    variant: ClepVariant = ClepVariant.PN
    widths: tuple[int, ...] = FOUR_LAYERS
    """Outputs of the embedding's layers: four, as the paper has for its smallest front-end."""
    head_widths: tuple[int, ...] = (32, 16, 1)
    """Outputs of the three layers that predict the preference."""
    margin: float = MARGIN
    batch: int = 16
    epochs: int = 20
    learning_rate: float = 0.01
    head_epochs: int = 30
    head_learning_rate: float = 0.001
    patience: int = 2
    """Epochs without a better validation loss that are let pass before the rate is reduced."""
    rate_factor: float = 0.1
    """What the rate is then multiplied by: the paper does not say, so it is the default of torch's plateau scheduler."""
    most_songs: int = 2000
    """Newest opinions learned from: thirteen times the paper's, and what a retraining has time for."""

    @staticmethod
    def for_dimension(dimension: int, variant: ClepVariant = ClepVariant.PN) -> "ClepConfig":
        """As in the paper for a front-end of so many dimensions: five layers above 512, else four."""
        return ClepConfig(variant=variant, widths=FOUR_LAYERS if dimension <= MOST_FOR_FOUR_LAYERS else FIVE_LAYERS)

    @staticmethod
    def best() -> "ClepConfig":
        """The best mode: one linear layer to the main axes, and one from there to the logit of P(like)."""
        return ClepConfig(mode=ClepMode.BEST, widths=(BEST_AXES,), head_widths=(1,))


class Negatives(StrEnum):
    """Which feedback counts as a real negative (Mei et al. 2024 compare implicit and explicit ones)."""

    EXPLICIT = "explicit"
    """What was said: a thumb down, a low rating."""
    IMPLICIT = "implicit"
    """What was shown: a skip."""
    BOTH = "both"


class SequenceLoss(StrEnum):
    """What tells the sequential model's next like from the tracks that were not it."""

    PAIR = "pair"
    """One negative a position and binary cross-entropy, as Mei et al. 2024; ``p_hard`` of them real."""
    SOFTMAX = "softmax"
    """Cross-entropy among negatives that a batch shares; real negatives in a pairwise term of their own."""


class BlockKind(StrEnum):
    """What the transformer is built of."""

    PLAIN = "plain"
    """SASRec's (Kang & McAuley 2018)."""
    LIGR = "ligr"
    """Pre-norm, gated residual, SwiGLU, as LinkedIn's LiGR and eSASRec have it."""


REMOVED: Mapping[str, object] = {
    "target": "next",
    "popularity_share": 0.0,
    "share_token": False,
    "gap_token": False,
    "hour_token": False,
    "unheard_prior": False,
    "quality": False,
    "temperature": 0.0,
    "weight_decay": 0.0,
    "warm_up": 0,
    "set_weight": 0.0,
    "shallow": 0.0,
    "liking_weight": 0.0,
    "choose_weights": False,
}
"""Elements that their ablations took out (``docs/research/sequential-model.md``), and the value that says they are off: stored
configurations may still name them, but none may switch one on."""


@dataclass(frozen=True, slots=True)
class SequentialConfig:
    """The causal transformer over what was heard and what was thought of it (Kang & McAuley 2018; Mei et al. 2024).

    The fields from ``loss`` on are what eSASRec adds and more, each off by default; what is off leaves no trace, so
    an ablation is a configuration.
    """

    width: int = 64
    blocks: int = 2
    heads: int = 2
    length: int = 64
    """Tokens of history seen at once."""
    dropout: float = 0.2
    p_hard: float = 0.4
    """Share of negative targets that are the listener's real negatives; .4 is what Mei et al. shipped."""
    negatives: Negatives = Negatives.BOTH
    """Which feedback counts as such."""
    epochs: int = 40
    patience: int = 6
    """Epochs without a better validation AUC before training stops."""
    batch: int = 32
    learning_rate: float = 0.001
    id_shrinkage: float = 5.0
    """Rows a track needs before its own embedding counts half; a track never heard is its content alone. 0: all count in full."""
    loss: SequenceLoss = SequenceLoss.PAIR
    shared_negatives: int = 256
    """Negatives that all positions of a batch share (softmax only); a catalogue no larger is used whole."""
    hard_weight: float = 0.0
    """Weight of the pairwise term between a like and a real negative (softmax only); ``p_hard`` positions have one."""
    block: BlockKind = BlockKind.PLAIN
    refit: bool = False
    """Whether the recommender, once the validation part has chosen the number of epochs, is trained anew on both parts."""


def removed_element(document: object) -> str | None:
    """The element there no longer is that a sequential configuration anywhere within a stored document switches on, if any."""
    if isinstance(document, dict):
        stored = cast("dict[str, object]", document)
        if {"blocks", "p_hard"} <= stored.keys():
            return next((name for name, off in REMOVED.items() if stored.get(name, off) != off), None)
        document = list(stored.values())
    within = cast("list[object]", document) if isinstance(document, list) else []
    return next(filter(None, map(removed_element, within)), None)


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything a retraining is determined by, beside its data."""

    clep: ClepConfig = field(default_factory=ClepConfig)
    sequential: SequentialConfig = field(default_factory=SequentialConfig)
    seed: int = 0
