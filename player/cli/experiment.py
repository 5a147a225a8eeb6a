"""``player experiment``: recommenders measured on logged history, every run kept and repeatable to the last digit."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from player.cli import experiment_clep, experiment_p_hard, experiment_sequential
from player.cli.experiment_options import (
    Columns,
    DatasetName,
    Frontend,
    Index,
    Limit,
    Listeners,
    Music,
    Seeds,
    Split,
    State,
)
from player.cli.experiment_running import at_desk, conduct, report, store_of, wishes_for
from player.cli.options import DataDir, Json, emit_json, say
from player.errors import PlayerError

if TYPE_CHECKING:
    from player.research.datasets import Desk
    from recommender.experiments.records import Record
    from recommender.experiments.store import RunStore

experiment_app = typer.Typer(help="Measure recommenders on logged history, keep every run, and repeat it.")

Identity = Annotated[str, typer.Argument(metavar="ID", help="An experiment's id, or its first digits.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    experiment_app.command("baselines")(baselines)
    experiment_clep.register(experiment_app)
    experiment_p_hard.register(experiment_app)
    experiment_sequential.register(experiment_app)
    experiment_app.command("dataset")(dataset_statistics)
    experiment_app.command("list")(list_experiments)
    experiment_app.command("show")(show)
    experiment_app.command("compare")(compare)
    experiment_app.command("repeat")(repeat)
    app.add_typer(experiment_app, name="experiment")


def baselines(
    dataset: DatasetName,
    models: Annotated[str, typer.Option("--models", metavar="NAME,…", help="Names of baselines, or all.")] = "all",
    seeds: Seeds = 5,
    split: Split = None,
    state: State = None,
    columns: Columns = "",
    limit: Limit = None,
    listeners: Listeners = None,
    music: Music = None,
    index: Index = None,
    frontend: Frontend = "musicnn",
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Measure simple recommenders on a data set, each with its interval, and say which is best and how sure that is.

    Interrupted with Ctrl-C, the same command goes on where it was.
    """

    def measured(desk: "Desk") -> "Record":
        from player.research.baselines import measure
        from player.research.datasets import source

        wanted = source(dataset, columns, limit, music, index, frontend)
        return measure(desk, wanted, wishes_for(models, seeds, split, state, listeners))

    conduct(measured, "measured", data_dir, json=json)


def dataset_statistics(
    dataset: DatasetName,
    columns: Columns = "",
    limit: Limit = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Describe a data set: listeners, tracks, likes and dislikes, lengths, and what was wrong with its rows.

    A set of any size is read in constant memory.
    """
    with at_desk(data_dir) as desk:
        from player.research.datasets import source
        from player.research.describe import describe

        facts = describe(desk, source(dataset, columns, limit))
        if json:
            emit_json({"dataset": facts})
            return
        from player.cli.experiment_tables import plain_console, print_dataset

        print_dataset(facts, plain_console())


def list_experiments(data_dir: DataDir = None, json: Json = False) -> None:
    """List every run, newest first."""
    from player.cli.experiment_tables import plain_console, print_listing
    from player.research.documents import summary

    listing = _store(data_dir).listing()
    for problem in listing.problems:
        say(problem)
    if json:
        emit_json([summary(record) for record in listing.records])
        return
    print_listing(listing, plain_console())


def show(identity: Identity, data_dir: DataDir = None, json: Json = False) -> None:
    """Show a run: its figures with their intervals, its conclusion, and where its pictures lie."""
    store = _store(data_dir)
    report(_find(store, identity), store, json=json)


def compare(
    first: Identity,
    second: Annotated[str, typer.Argument(metavar="ID", help="Another one's.")],
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Lay two runs beside each other: what was asked differently, and what came out differently."""
    from player.cli.experiment_tables import plain_console, print_comparison
    from player.research.compare import compare as lay_beside
    from recommender.experiments.json_values import finite

    store = _store(data_dir)
    one, other = _find(store, first), _find(store, second)
    compared = lay_beside(one, other)
    if json:
        emit_json({"first": one.id, "second": other.id, "agree": compared.agree, "comparison": finite(compared)})
        return
    print_comparison(one, other, compared, plain_console())


def repeat(identity: Identity, data_dir: DataDir = None, json: Json = False) -> None:
    """Run an experiment again from its record, and say whether every figure agrees to the last digit.

    The exit code is 0 when all agree and 1 when one does not.
    """
    with at_desk(data_dir) as desk:
        from player.research.compare import compare as lay_beside
        from player.research.rerun import repeat as run_again
        from recommender.experiments.json_values import finite

        record = _find(store_of(desk), identity)
        again = run_again(desk, record)
        compared = lay_beside(record, again)
    if json:
        emit_json(
            {
                "id": record.id,
                "repetition": again.id,
                "agree": compared.agree,
                "differences": finite(compared.results),
                "versions": finite(compared.versions),
            }
        )
    else:
        from player.cli.experiment_tables import plain_console, print_differences

        if compared.agree:
            print(f"Experiment {record.id} was repeated as {again.id}: every result agrees to the last digit.")
        else:
            print(f"Experiment {record.id} was repeated as {again.id}: {len(compared.results)} results differ.")
            print_differences(compared, plain_console())
    if not compared.agree:
        raise typer.Exit(1)


def _store(data_dir: Path | None) -> "RunStore":
    """Where the runs are kept, without opening the listener's database."""
    from player.config import locate
    from recommender.experiments.store import RunStore

    return RunStore(locate(data_dir).experiments)


def _find(store: "RunStore", identity: str) -> "Record":
    from recommender.experiments.records import ExperimentError

    try:
        return store.find(identity)
    except ExperimentError as error:
        raise PlayerError(str(error)) from error
