"""Honest baselines: simple recommenders that every learned model stands beside, behind one protocol."""

from recommender.baselines.base import Context, Recommender
from recommender.baselines.content import ContentNeighbours
from recommender.baselines.counts import LikeRate, PersonalMostPlayed, Popularity
from recommender.baselines.random import RandomOrder

__all__ = ["ContentNeighbours", "Context", "LikeRate", "PersonalMostPlayed", "Popularity", "RandomOrder", "Recommender"]
