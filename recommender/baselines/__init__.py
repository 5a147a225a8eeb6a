"""Honest baselines: simple recommenders that every learned model stands beside, behind one protocol.

By name: ``names("all")``, ``build("vb-mf", seed=1)``. ``docs/research/baselines.md`` has the table.
"""

from recommender.baselines.counts import LikeRate, PersonalMostPlayed, Popularity, RandomOrder
from recommender.baselines.neighbours import ContentNeighbours
from recommender.baselines.registry import ARTIST, BASELINES, Baseline, TrackFacts, build, names
from recommender.interfaces import Context, Recommender

__all__ = [
    "ARTIST",
    "BASELINES",
    "Baseline",
    "ContentNeighbours",
    "Context",
    "LikeRate",
    "PersonalMostPlayed",
    "Popularity",
    "RandomOrder",
    "Recommender",
    "TrackFacts",
    "build",
    "names",
]
