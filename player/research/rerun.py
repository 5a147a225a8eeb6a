"""Any run once more, from its record alone."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from player.errors import PlayerError
from player.research.datasets import Desk
from recommender.experiments.records import Record

HOMES = {"baselines": "baselines", "clep": "clep", "p-hard": "p_hard", "sequential": "sequential"}
"""Modules of this package whose ``repeat`` runs a kind again; imported when needed, for some import torch."""


def repeat(desk: Desk, record: Record) -> Record:
    """Run an experiment again; the new run says which it repeats.

    Raises:
        PlayerError: the run was never finished, is of a kind that is not known here, or its data have changed.
    """
    if not record.finished:
        raise PlayerError(f"Experiment {record.id} was interrupted: finish it first, by the command that began it.")
    if record.kind not in HOMES:
        raise PlayerError(f"Experiment {record.id} is of a kind that this version does not know, {record.kind!r}.")
    module = import_module(f"player.research.{HOMES[record.kind]}")
    return cast("Callable[[Desk, Record], Record]", module.repeat)(desk, record)
