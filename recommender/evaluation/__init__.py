"""Measuring recommenders: splits, one protocol, metrics, bootstrap intervals, paired tests.

from recommender.evaluation.metric_names import Measure
from recommender.evaluation.protocol import evaluate
from recommender.evaluation.splits import split_listener_last

evaluation = evaluate(recommenders, split_listener_last(log))
evaluation.report.mean("popularity", Measure.PAIR_AUC)
"""
