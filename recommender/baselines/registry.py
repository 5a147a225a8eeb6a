"""All baselines by name: how each is made, what it needs, and where it comes from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from recommender.baselines.counts import (
    ArtistRate,
    BaseLevelActivation,
    LikeRate,
    PersonalMostPlayed,
    Popularity,
    RandomOrder,
)
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
ARTIST = "artists"
BEST_APPEAL = 16.0
BEST_HALF_LIFE = 100.0
BEST_DISLIKES = 0.5
"""Among what was ahead of its parts on earlier slices of MovieLens-100k and CM100k (``docs/research/baselines.md``)."""


@dataclass(frozen=True, slots=True)
class TrackFacts:
    """Facts about the tracks beside their feedback.

    Attributes:
        content: (n, dim) vectors, NaN rows where unknown; None where there are none.
        artist: (n,) codes of their artists, negative where unknown; None where nobody says.
    """

    content: Content | None = None
    artist: NDArray[np.int64] | None = None

    @property
    def lacking(self) -> Mapping[str, str]:
        """The baselines that cannot be made of these facts, each with the reason in a few words."""
        missing: dict[str, str] = {}
        if self.content is None:
            missing[CONTENT] = "needs content vectors and there are none; leave it out or give the audio"
        if self.artist is None:
            missing[ARTIST] = "needs the tracks' artists and the data name none"
        return missing


NO_FACTS = TrackFacts()


@dataclass(frozen=True, slots=True)
class Baseline:
    """One entry of the registry.

    Attributes:
        make: from what is known of the tracks and a seed; most need neither.
        seeded: whether it draws random numbers; without them every seed gives the same.
        needs_crowd: whether it learns from what different people like, so that one listener's history tells it nothing.
        at_gate: whether a new model is judged beside it: few are, because the best of many is best by luck, and quick ones,
            because listening waits.
    """

    make: Callable[[TrackFacts, int], Recommender]
    seeded: bool = False
    needs_crowd: bool = False
    at_gate: bool = False


def _neighbours(facts: TrackFacts, _seed: int) -> Recommender:
    assert facts.content is not None
    return ContentNeighbours(facts.content)


def _artists(facts: TrackFacts, _seed: int) -> Recommender:
    assert facts.artist is not None
    return ArtistRate(facts.artist)


def _vb_mf(seed: int) -> Factorisation:
    return Factorisation("vb-mf", posterior=True, seed=seed)


BASELINES: Mapping[str, Baseline] = MappingProxyType(
    {
        "random": Baseline(lambda _, seed: RandomOrder(seed), seeded=True, at_gate=True),
        "popularity": Baseline(lambda _, _seed: Popularity(), at_gate=True),
        "like-rate": Baseline(lambda _, _seed: LikeRate(), at_gate=True),
        ARTIST: Baseline(_artists),
        "personal-most-played": Baseline(lambda _, _seed: PersonalMostPlayed(), at_gate=True),
        "act-r": Baseline(lambda _, _seed: BaseLevelActivation()),
        CONTENT: Baseline(_neighbours, at_gate=True),
        "imms": Baseline(lambda _, _seed: ImmsRating()),
        "tunelog": Baseline(lambda _, _seed: TuneLogPoints()),
        "item-knn": Baseline(lambda _, _seed: ItemNeighbours(), needs_crowd=True),
        "ease": Baseline(lambda _, _seed: Ease(), needs_crowd=True),
        "ease-signed": Baseline(lambda _, _seed: SignedEase(), needs_crowd=True),
        "bpr": Baseline(lambda _, seed: Bpr(seed), seeded=True, needs_crowd=True),
        "als": Baseline(lambda _, seed: Als(seed), seeded=True, needs_crowd=True),
        "biased-mf": Baseline(
            lambda _, seed: Factorisation("biased-mf", posterior=False, seed=seed), seeded=True, needs_crowd=True
        ),
        "vb-mf": Baseline(lambda _, seed: _vb_mf(seed), seeded=True, needs_crowd=True),
        "stacked": Baseline(lambda _, seed: Stacked(seed), seeded=True, needs_crowd=True),
        "ease+vb-mf": Baseline(
            lambda _, seed: NextAndLiking(
                "ease+vb-mf", _vb_mf(seed), odds=2.0, appeal=7.0, half_life=np.inf, dislikes=0.0
            ),
            seeded=True,
            needs_crowd=True,
        ),
        "best": Baseline(
            lambda _, seed: NextAndLiking(
                "best", Stacked(seed), odds=1.0, appeal=BEST_APPEAL, half_life=BEST_HALF_LIFE, dislikes=BEST_DISLIKES
            ),
            seeded=True,
            needs_crowd=True,
        ),
    }
)
"""By name, in the order of tables: from what knows nothing to what measured strongest (``docs/research/baselines.md`` has sources)."""


def names(spec: str, facts: TrackFacts = NO_FACTS) -> list[str]:
    """The baselines asked for, without repeats, in the order asked for.

    Args:
        spec: ``all``, or names with commas between them. ``all`` leaves out what :attr:`TrackFacts.lacking` names.
        facts: what is known of the tracks.

    Raises:
        ValueError: for a name that is none, for no name at all, and for one that is lacking.
    """
    known = list(BASELINES)
    asked = list(dict.fromkeys(name.strip() for name in spec.split(",") if name.strip()))
    for name in asked:
        if name not in [*known, ALL]:
            raise ValueError(f"there is no model {name!r}; choose from {ALL}, {', '.join(known)}")
    if not asked:
        raise ValueError(f"no model is named; choose from {ALL}, {', '.join(known)}")
    for name in asked:
        _require(name, facts)
    return [name for name in known if name not in facts.lacking] if ALL in asked else asked


def _require(name: str, facts: TrackFacts) -> None:
    if name in facts.lacking:
        raise ValueError(f"{name} {facts.lacking[name]}")


def build(name: str, facts: TrackFacts = NO_FACTS, *, seed: int = 0) -> Recommender:
    """Make a baseline, not fitted yet.

    Args:
        name: one of :data:`BASELINES`.
        facts: what is known of the tracks.
        seed: of what is drawn at random; the same seed and log give the same scores.

    Raises:
        ValueError: for a name that is none, and for one that is lacking.
    """
    if name not in BASELINES:
        raise ValueError(f"there is no model {name!r}; choose from {', '.join(BASELINES)}")
    _require(name, facts)
    return BASELINES[name].make(facts, seed)
