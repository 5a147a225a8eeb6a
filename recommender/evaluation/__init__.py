"""Measuring recommenders: splits, one protocol, metrics, bootstrap intervals, paired tests.

    from recommender.evaluation import Measure, evaluate, split_listener_last

    evaluation = evaluate(recommenders, split_listener_last(log))
    evaluation.report.mean("popularity", Measure.PAIR_AUC)

The names below are imported when they are first used: a command line that only lists measures loads no numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recommender.evaluation.bootstrap import Difference, Interval
    from recommender.evaluation.metric_names import Measure
    from recommender.evaluation.metric_runner import Candidates, StatesProbability
    from recommender.evaluation.protocol import StopsEarly, count_pairs, evaluate, evaluate_seeds
    from recommender.evaluation.query_states import State
    from recommender.evaluation.report import Evaluation, Figure, Report, Row
    from recommender.evaluation.splits import (
        Part,
        Split,
        default_split,
        split_at,
        split_global_time,
        split_listener_last,
        split_random,
        walk_forward,
    )
    from recommender.evaluation.statistics import (
        Friedman,
        Pair,
        friedman,
        paired_bootstrap,
        wilcoxon_holm,
    )

_HOMES = {
    "bootstrap": ("Difference", "Interval"),
    "metric_names": ("Measure",),
    "metric_runner": ("Candidates", "StatesProbability"),
    "protocol": ("StopsEarly", "count_pairs", "evaluate", "evaluate_seeds"),
    "report": ("Evaluation", "Figure", "Report", "Row"),
    "splits": (
        "Part",
        "Split",
        "default_split",
        "split_at",
        "split_global_time",
        "split_listener_last",
        "split_random",
        "walk_forward",
    ),
    "query_states": ("State",),
    "statistics": ("Friedman", "Pair", "friedman", "paired_bootstrap", "wilcoxon_holm"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Candidates",
    "Difference",
    "Evaluation",
    "Figure",
    "Friedman",
    "Interval",
    "Measure",
    "Pair",
    "Part",
    "Report",
    "Row",
    "Split",
    "State",
    "StatesProbability",
    "StopsEarly",
    "count_pairs",
    "default_split",
    "evaluate",
    "evaluate_seeds",
    "friedman",
    "paired_bootstrap",
    "split_at",
    "split_global_time",
    "split_listener_last",
    "split_random",
    "walk_forward",
    "wilcoxon_holm",
]


def __getattr__(name: str) -> object:
    """A public name, from the module it lives in."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
