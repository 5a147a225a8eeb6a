"""``player experiment sequential``: the sequential model's modes and ablations beside the baselines."""

from typing import TYPE_CHECKING, Annotated

import typer

from player.cli.experiment import (
    Columns,
    DatasetName,
    Index,
    Limit,
    Music,
    SplitChoice,
    StateChoice,
    at_desk,
    report,
    store_of,
)
from player.cli.experiment_p_hard import MOST_JOBS
from player.cli.options import DataDir, Json, say

if TYPE_CHECKING:
    from rich.console import Console

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
    split: Annotated[
        SplitChoice | None,
        typer.Option(
            "--split", help="How past and test are divided; what fits the data if absent.", show_default=False
        ),
    ] = None,
    state: Annotated[
        StateChoice | None,
        typer.Option("--state", help="Whether earlier test rows are input (walking).", show_default=False),
    ] = None,
    columns: Columns = "",
    limit: Limit = None,
    listeners: Annotated[
        int | None,
        typer.Option("--listeners", min=1, help="Measure on a sample of so many listeners.", show_default=False),
    ] = None,
    music: Music = None,
    index: Index = None,
    frontend: Annotated[str, typer.Option("--frontend", help="What makes vectors of the audio.")] = "musicnn",
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=64, help="Trainings at once.")] = MOST_JOBS,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Train the sequential model, whole and with one element left out, and measure it beside the baselines.

    Interrupted with Ctrl-C, the same command goes on where it was.
    """
    with at_desk(data_dir) as desk:
        from player.research.baselines import Wishes
        from player.research.opening import source
        from player.research.sequential import measure
        from recommender.evaluation.states import State
        from recommender.experiments.question import SplitName

        wanted = source(dataset, columns, limit, music, index, frontend)
        wishes = Wishes(
            models=models,
            seeds=seeds,
            split=None if split is None else SplitName(split),
            state=None if state is None else State(state),
            most_listeners=listeners,
        )
        try:
            record = measure(desk, wanted, wishes, jobs)
        except KeyboardInterrupt:
            say("What was trained is kept: the same command goes on from there.")
            raise
        report(record, store_of(desk), json=json)


def print_results(record: "Record", console: "Console") -> None:
    """The tables of the baselines, and how far the best mode is ahead of each other model."""
    from player.cli.experiment_tables import print_baselines, print_differences_to

    print_baselines(record, console)
    print_differences_to(record, console)
