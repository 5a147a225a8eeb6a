"""All metrics under one name, by their ideas: ranking, exposure, classification, calibration."""

from recommender.evaluation.calibration import brier_score, expected_calibration_error, reliability
from recommender.evaluation.classification import accuracy, false_positive_rate, precision, recall
from recommender.evaluation.exposure import (
    artist_spread,
    coverage,
    entropy,
    gini,
    intra_list_distance,
    novelty,
    self_information,
    unit_vectors,
)
from recommender.evaluation.ranking import (
    full_rank,
    full_ranks,
    hit_rate_of_ranks,
    ndcg,
    ndcg_of_ranks,
    pair_auc,
    recall_of_ranks,
    reciprocal_rank,
    same_state_wins,
    top,
)

__all__ = [
    "accuracy",
    "artist_spread",
    "brier_score",
    "coverage",
    "entropy",
    "expected_calibration_error",
    "false_positive_rate",
    "full_rank",
    "full_ranks",
    "gini",
    "hit_rate_of_ranks",
    "intra_list_distance",
    "ndcg",
    "ndcg_of_ranks",
    "novelty",
    "pair_auc",
    "precision",
    "recall",
    "recall_of_ranks",
    "reciprocal_rank",
    "reliability",
    "same_state_wins",
    "self_information",
    "top",
    "unit_vectors",
]
