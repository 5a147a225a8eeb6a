"""Who takes part, in which environment, and which configurations of each are tried: as many for every peer."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Configuration = Mapping[str, object]
"""A contender's own options by its own names, and the little that its script adds (``rows``, ``model``, ``dislikes``)."""

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Contender:
    """A model that is trained in a process of its own.

    Attributes:
        name: what tables call it.
        command: that runs it; the folder of the exchange is appended.
        configurations: that are tried; one alone is taken as it is.
    """

    name: str
    command: tuple[str, ...]
    configurations: tuple[Configuration, ...]

    @property
    def is_ours(self) -> bool:
        """Whether it is a model of this project."""
        return self.name in OURS


@dataclass(frozen=True, slots=True)
class Environment:
    """Another environment: the variable that names its interpreter, what is installed there, and who runs in it."""

    variable: str
    install: str
    script: str
    models: Mapping[str, tuple[Configuration, ...]]


OURS = ("faithful", "esasrec")
"""By their names in ``ABLATIONS``; shipped as they are, so nothing of them is tuned here."""

_SIZES = {"n_factors": 64, "n_blocks": 2, "n_heads": 2}
"""Those of our model; RecBole has them by default."""
_RECTOOLS = (
    _SIZES | {"rows": "likes", "loss": "softmax", "session_max_len": 50, "batch_size": 32},
    _SIZES | {"rows": "likes", "loss": "softmax", "session_max_len": 100, "batch_size": 16, "dropout_rate": 0.5},
    # What its guide recommends for large catalogues: Petrov & Macdonald 2023.
    _SIZES
    | {"rows": "likes", "loss": "gBCE", "n_negatives": 64, "gbce_t": 0.75, "session_max_len": 50, "batch_size": 32},
    # Its examples take every rating for an interaction.
    _SIZES | {"rows": "all", "loss": "softmax", "session_max_len": 100, "batch_size": 32},
)
_DROPOUT = {"hidden_dropout_prob": 0.2, "attn_dropout_prob": 0.2}
_RECBOLE = (
    # Its default batch is 2,048, which is 20 steps an epoch; with few epochs in the time there is, smaller ones get further.
    {"rows": "likes", "MAX_ITEM_LIST_LENGTH": 20, "train_batch_size": 256},
    {"rows": "likes", "MAX_ITEM_LIST_LENGTH": 20, "train_batch_size": 256} | _DROPOUT,
    {"rows": "likes", "MAX_ITEM_LIST_LENGTH": 10, "train_batch_size": 128} | _DROPOUT,
    # Its examples take every rating for an interaction.
    {"rows": "all", "MAX_ITEM_LIST_LENGTH": 20, "train_batch_size": 256} | _DROPOUT,
)
# Of both, the best of a grid (48 and 72 configurations) on the same validation rows: a fit takes a second.
_ALS = (
    {"model": "als", "factors": 64, "regularization": 20.0, "alpha": 10.0, "iterations": 15},
    {"model": "als", "factors": 64, "regularization": 20.0, "alpha": 5.0, "iterations": 15},
    {"model": "als", "factors": 32, "regularization": 60.0, "alpha": 20.0, "iterations": 15},
    {"model": "als", "factors": 64, "regularization": 20.0, "alpha": 10.0, "iterations": 15, "dislikes": True},
)
_BPR = (
    {"model": "bpr", "factors": 64, "learning_rate": 0.01, "regularization": 0.001, "iterations": 50},
    {"model": "bpr", "factors": 64, "learning_rate": 0.01, "regularization": 0.01, "iterations": 100},
    {"model": "bpr", "factors": 32, "learning_rate": 0.005, "regularization": 0.001, "iterations": 100},
    {"model": "bpr", "factors": 128, "learning_rate": 0.01, "regularization": 0.01, "iterations": 50},
)
ENVIRONMENTS = (
    Environment(
        "RECTOOLS_PYTHON",
        "torch==2.13.0 && DIR/bin/pip install 'rectools[torch]==0.19.0'",
        "contender_rectools.py",
        {"RecTools SASRec": _RECTOOLS},
    ),
    Environment(
        "RECBOLE_PYTHON",
        "torch==2.13.0 'numpy<2' && DIR/bin/pip install --no-deps recbole==1.2.1 (docs/research/sequential-model.md lists the rest)",
        "contender_recbole.py",
        {"RecBole SASRec": _RECBOLE},
    ),
    Environment(
        "IMPLICIT_PYTHON",
        "implicit==0.7.3 threadpoolctl",
        "contender_implicit.py",
        {"implicit ALS": _ALS, "implicit BPR": _BPR},
    ),
)


def contenders() -> list[Contender]:
    """Ours, and every peer whose environment there is; says of the others how to make one."""
    command = (sys.executable, "-m", "bench.training.contender_ours")
    found = [Contender(name, command, ({"model": name},)) for name in OURS]
    for environment in ENVIRONMENTS:
        python = os.environ.get(environment.variable, "")
        if Path(python).is_file():
            command = (python, str(HERE / environment.script))
            found += [Contender(name, command, tried) for name, tried in environment.models.items()]
        else:
            why = f"{environment.variable} names no file ({python})" if python else f"{environment.variable} is not set"
            print(
                f"{' and '.join(environment.models)}: left out, {why}. "
                f"python3.11 -m venv DIR && DIR/bin/pip install {environment.install}; then {environment.variable}=DIR/bin/python"
            )
    return found
