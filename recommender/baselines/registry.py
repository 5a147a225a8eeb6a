"""All baselines by name: how each is made, what it needs, and where it comes from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from recommender.baselines.counts import BaseLevelActivation, LikeRate, PersonalMostPlayed, Popularity, RandomOrder
from recommender.baselines.ease import Ease, SignedEase
from recommender.baselines.factorisation import Factorisation
from recommender.baselines.factors import Als, Bpr
from recommender.baselines.neighbours import ContentNeighbours, ItemNeighbours
from recommender.baselines.next_and_liking import NextAndLiking
from recommender.baselines.other_players import ImmsRating, TuneLogPoints
from recommender.baselines.stacked import Stacked
from recommender.interfaces import Recommender

Content = NDArray[np.float32]
ALL = "all"
CONTENT = "content-knn"
BEST_APPEAL = 16.0
BEST_HALF_LIFE = 100.0
BEST_DISLIKES = 0.5
"""Among what was ahead of its parts on earlier slices of MovieLens-100k and CM100k (``docs/research/baselines.md``)."""
NO_CONTENT = f"{CONTENT} needs content vectors and there are none; leave it out or give the audio"


@dataclass(frozen=True, slots=True)
class Baseline:
    """One entry of the registry.

    Attributes:
        make: from content vectors (``None`` where there are none) and a seed; most need neither.
        knows: what it looks at, in a line.
        source: where the idea comes from.
        seeded: whether it draws random numbers; without them every seed gives the same.
        needs_crowd: whether it learns from what different people like, so that one listener's history tells it nothing.
        needs_content: whether it cannot be made without content vectors.
        at_gate: whether a new model is judged beside it: few are, because the best of many is best by luck, and quick ones,
            because listening waits.
    """

    make: Callable[[Content | None, int], Recommender]
    knows: str
    source: str
    seeded: bool = False
    needs_crowd: bool = False
    needs_content: bool = False
    at_gate: bool = False


def _neighbours(content: Content | None, _seed: int) -> Recommender:
    if content is None:
        raise ValueError(NO_CONTENT)
    return ContentNeighbours(content)


BASELINES: Mapping[str, Baseline] = MappingProxyType(
    {
        "random": Baseline(lambda _, seed: RandomOrder(seed), "nothing", "chance", seeded=True, at_gate=True),
        "popularity": Baseline(
            lambda _, _seed: Popularity(), "how often anybody liked a track", "common practice", at_gate=True
        ),
        "like-rate": Baseline(
            lambda _, _seed: LikeRate(),
            "the share of likes among all labels of a track",
            "common practice",
            at_gate=True,
        ),
        "personal-most-played": Baseline(
            lambda _, _seed: PersonalMostPlayed(),
            "how often the listener played a track",
            "Abbattista et al. 2024",
            at_gate=True,
        ),
        "act-r": Baseline(
            lambda _, _seed: BaseLevelActivation(),
            "how often and how lately the listener heard a track",
            "Anderson & Schooler 1991; Tran et al. 2024",
        ),
        CONTENT: Baseline(
            _neighbours,
            "how near a track sounds to the listener's last likes",
            "common practice",
            needs_content=True,
            at_gate=True,
        ),
        "imms": Baseline(
            lambda _, _seed: ImmsRating(), "the listener's skips and finishes in their order", "IMMS, Grigoriev"
        ),
        "tunelog": Baseline(lambda _, _seed: TuneLogPoints(), "how much of a track the listener played", "TuneLog"),
        "item-knn": Baseline(
            lambda _, _seed: ItemNeighbours(),
            "which tracks are liked and disliked by the same people",
            "Koren 2008",
            needs_crowd=True,
        ),
        "ease": Baseline(
            lambda _, _seed: Ease(), "which tracks are liked by the same people", "Steck 2019", needs_crowd=True
        ),
        "ease-signed": Baseline(
            lambda _, _seed: SignedEase(),
            "which tracks are liked and disliked by the same people",
            "after Steck 2019",
            needs_crowd=True,
        ),
        "bpr": Baseline(
            lambda _, seed: Bpr(seed),
            "which tracks are liked by the same people",
            "Rendle et al. 2009; implicit",
            seeded=True,
            needs_crowd=True,
        ),
        "als": Baseline(
            lambda _, seed: Als(seed),
            "likes and dislikes as confident 1 and 0",
            "Hu et al. 2008; implicit",
            seeded=True,
            needs_crowd=True,
        ),
        "biased-mf": Baseline(
            lambda _, seed: Factorisation("biased-mf", posterior=False, seed=seed),
            "biases and a few factors of likes and dislikes",
            "Koren, Bell & Volinsky 2009",
            seeded=True,
            needs_crowd=True,
        ),
        "vb-mf": Baseline(
            lambda _, seed: Factorisation("vb-mf", posterior=True, seed=seed),
            "biases and a few factors, each with its uncertainty",
            "Lim & Teh 2007",
            seeded=True,
            needs_crowd=True,
        ),
        "stacked": Baseline(
            lambda _, seed: Stacked(seed),
            "vb-mf, ease-signed and als together",
            "Wolpert 1992; Breiman 1996",
            seeded=True,
            needs_crowd=True,
        ),
        "ease+vb-mf": Baseline(
            lambda _, seed: NextAndLiking(
                "ease+vb-mf",
                Factorisation("vb-mf", posterior=True, seed=seed),
                odds=2.0,
                appeal=7.0,
                half_life=np.inf,
                dislikes=0.0,
            ),
            "what the same people like, and how sure a like is",
            "this project: ease + 7 log σ(2 vb-mf)",
            seeded=True,
            needs_crowd=True,
        ),
        "best": Baseline(
            lambda _, seed: NextAndLiking(
                "best",
                Stacked(seed),
                odds=1.0,
                appeal=BEST_APPEAL,
                half_life=BEST_HALF_LIFE,
                dislikes=BEST_DISLIKES,
            ),
            "what the same people liked lately, and how sure a like is",
            "this project: fading ease + 16 log σ(stacked)",
            seeded=True,
            needs_crowd=True,
        ),
    }
)
"""By name, in the order of tables: from what knows nothing to what measured strongest."""


def names(spec: str, *, content: bool) -> list[str]:
    """The baselines asked for, without repeats, in the order asked for.

    Args:
        spec: ``all``, or names with commas between them. ``all`` leaves ``content-knn`` out where there is no content.
        content: whether the tracks have content vectors.

    Raises:
        ValueError: for a name that is none, for no name at all, and for ``content-knn`` without content.
    """
    known = list(BASELINES)
    asked = list(dict.fromkeys(name.strip() for name in spec.split(",") if name.strip()))
    for name in asked:
        if name not in [*known, ALL]:
            raise ValueError(f"there is no model {name!r}; choose from {ALL}, {', '.join(known)}")
    if not asked:
        raise ValueError(f"no model is named; choose from {ALL}, {', '.join(known)}")
    if CONTENT in asked and not content:
        raise ValueError(NO_CONTENT)
    if ALL in asked:
        return [name for name in known if content or not BASELINES[name].needs_content]
    return asked


def build(name: str, *, content: Content | None = None, seed: int = 0) -> Recommender:
    """Make a baseline, not fitted yet.

    Args:
        name: one of :data:`BASELINES`.
        content: (tracks, dim) vectors, NaN rows where unknown; only ``content-knn`` looks at them.
        seed: of what is drawn at random; the same seed and log give the same scores.

    Raises:
        ValueError: for a name that is none, and for ``content-knn`` without content.
    """
    if name not in BASELINES:
        raise ValueError(f"there is no model {name!r}; choose from {', '.join(BASELINES)}")
    return BASELINES[name].make(content, seed)
