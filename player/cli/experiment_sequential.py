"""``player experiment sequential``: the sequential model's modes and ablations beside the baselines."""

from typing import TYPE_CHECKING, Annotated

import typer

from player.cli.experiment_options import (
    MOST_JOBS,
    Columns,
    DatasetName,
    Frontend,
    Index,
    Jobs,
    Limit,
    Listeners,
    Music,
    Split,
    State,
)
from player.cli.experiment_running import conduct, wishes_for
from player.cli.options import DataDir, Json

if TYPE_CHECKING:
    from rich.console import Console

    from player.research.datasets import Desk
    from recommender.experiments.records import Record


def register(app: typer.Typer) -> None:
    """Add the command to ``player experiment``."""
    app.command("sequential")(sequential)


def sequential(
    dataset: DatasetName,
    models: Annotated[
        str,
        typer.Option(
            "--models", metavar="NAME,…", help="best, faithful, 'best - LiGR', …; ablations, all; any baseline."
        ),
    ] = "ablations",
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=1000, help="Trainings of each model.")] = 3,
    split: Split = None,
    state: State = None,
    columns: Columns = "",
    limit: Limit = None,
    listeners: Listeners = None,
    music: Music = None,
    index: Index = None,
    frontend: Frontend = "musicnn",
    jobs: Jobs = MOST_JOBS,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Train the sequential model, whole and with one element left out, and measure it beside the baselines.

    Interrupted with Ctrl-C, the same command goes on where it was.
    """

    def trained(desk: "Desk") -> "Record":
        from player.research.datasets import source
        from player.research.sequential import measure

        wanted = source(dataset, columns, limit, music, index, frontend)
        return measure(desk, wanted, wishes_for(models, seeds, split, state, listeners), jobs)

    conduct(trained, "trained", data_dir, json=json)


def print_results(record: "Record", console: "Console") -> None:
    """The tables of the baselines, and how far the best mode is ahead of each other model."""
    from player.cli.experiment_tables import print_baselines, print_differences_to

    print_baselines(record, console)
    print_differences_to(record, console)
