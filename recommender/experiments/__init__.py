"""Experiments that are kept: a run with its configuration, data, versions, figures and pictures, and its repetition.

    from recommender.datasets import open_dataset
    from recommender.experiments import Question, RunStore, run_baselines

The names below are imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recommender.experiments.baselines import dataset_facts, run_baselines
    from recommender.experiments.config import Question, SplitName, ask_about
    from recommender.experiments.json_values import differences
    from recommender.experiments.provenance import fingerprint_of_dataset
    from recommender.experiments.records import ExperimentError, Record
    from recommender.experiments.store import Drawing, Finding, RunStore, Workspace, conduct

_HOMES = {
    "Drawing": "store",
    "ExperimentError": "records",
    "Finding": "store",
    "Question": "config",
    "Record": "records",
    "RunStore": "store",
    "SplitName": "config",
    "Workspace": "store",
    "ask_about": "config",
    "conduct": "store",
    "dataset_facts": "baselines",
    "differences": "json_values",
    "fingerprint_of_dataset": "provenance",
    "run_baselines": "baselines",
}

__all__ = [
    "Drawing",
    "ExperimentError",
    "Finding",
    "Question",
    "Record",
    "RunStore",
    "SplitName",
    "Workspace",
    "ask_about",
    "conduct",
    "dataset_facts",
    "differences",
    "fingerprint_of_dataset",
    "run_baselines",
]


def __getattr__(name: str) -> object:
    """A public name, from the module it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
