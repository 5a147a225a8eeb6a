"""The sequential model, faithful, modern and with one element left out, beside any baseline: the table of ablations.

It is the experiment of the baselines with more names.
"""

from collections.abc import Sequence

from recommender.baselines import BASELINES, TrackFacts, build, names
from recommender.experiments.run_config import Roster, Settings
from recommender.interfaces import Recommender
from recommender.training.sequential_recommender import ABLATIONS, SequentialRecommender

MODERN = "esasrec"
ABLATED = "ablations"
ALL = "all"
BESIDE = ("like-rate", "popularity", "stacked", "best")
"""What stands beside the ablations unless others are named: the bar, the crowd, and the strongest plain models."""


def sequential_names(models: str, facts: TrackFacts) -> Sequence[str]:
    """The models a text names, each once: ``ablations`` are all sequential ones and a few beside, ``all`` all there are.

    Raises:
        ValueError: a name is none.
    """
    chosen: list[str] = []
    for name in (part.strip() for part in models.split(",") if part.strip()):
        plain = name.replace("-", "−") if name not in BASELINES else name
        if name in (ABLATED, ALL):
            chosen += [*ABLATIONS, *(BESIDE if name == ABLATED else names(ALL, facts))]
        elif name in ABLATIONS or plain in ABLATIONS:
            chosen.append(name if name in ABLATIONS else plain)
        elif name in BASELINES:
            chosen += names(name, facts)
        else:
            known = ", ".join([ABLATED, ALL, *ABLATIONS, *BASELINES])
            raise ValueError(f"there is no model {name!r}; choose from {known}")
    if not chosen:
        raise ValueError("no model is named; ablations are all of the sequential ones")
    return tuple(dict.fromkeys(chosen))


def _make(name: str, facts: TrackFacts, seed: int, settings: Settings) -> Recommender:
    for own, config in settings:
        if own == name:
            return SequentialRecommender(config, seed=seed, content=facts.content, name=name)
    return build(name, facts, seed=seed)


def _settings(models: Sequence[str]) -> Settings:
    return tuple((name, ABLATIONS[name]) for name in models if name in ABLATIONS)


SEQUENTIAL = Roster("sequential", MODERN, sequential_names, _make, _settings)
"""The sequential model and the baselines. A record holds the configurations, for what is best today may not be tomorrow."""
