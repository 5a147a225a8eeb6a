"""``player experiment``: recommenders measured on logged history, every run kept and repeatable to the last digit."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from player.cli.options import DataDir, Json, emit_json, opened, say
from player.errors import PlayerError

if TYPE_CHECKING:
    from rich.console import Console

    from player.research.opening import Desk
    from recommender.experiments.records import Record
    from recommender.experiments.store import RunStore

experiment_app = typer.Typer(help="Measure recommenders on logged history, keep every run, and repeat it.")


class SplitChoice(StrEnum):
    """Names of splits, here so that ``--help`` needs nothing heavy; a test holds them to the library's."""

    LISTENER_LAST = "listener-last"
    GLOBAL_TIME = "global-time"
    WALK_FORWARD = "walk-forward"
    RANDOM = "random"


class StateChoice(StrEnum):
    """Names of states; likewise."""

    FROZEN = "frozen"
    WALKING = "walking"


DatasetName = Annotated[
    str,
    typer.Option(
        "--dataset",
        metavar="KIND:PATH",
        help="log (your own), mssd:DIR, movielens:FILE, cm100k:FILE, emotify:FILE, csv:FILE or parquet:FILE.",
    ),
]
Columns = Annotated[
    str,
    typer.Option("--columns", metavar="KEY=COLUMN,…", help="Which column is what, as in listener=user,track=song,…"),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Read only about so many rows.", show_default=False)]
Music = Annotated[
    Path | None, typer.Option("--music", metavar="DIR", help="Folder of the tracks' audio.", show_default=False)
]
Index = Annotated[
    Path | None,
    typer.Option("--index", metavar="CSV", help="Table with track_id and path of the audio.", show_default=False),
]
Identity = Annotated[str, typer.Argument(metavar="ID", help="An experiment's id, or its first digits.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    from player.cli import (  # they take the options from this module
        experiment_clep,
        experiment_p_hard,
        experiment_sequential,
    )

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
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=1000, help="How many seeds to average over.")] = 5,
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
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Measure simple recommenders on a data set, each with its interval, and say which is best and how sure that is.

    Interrupted with Ctrl-C, the same command goes on where it was.
    """
    with at_desk(data_dir) as desk:
        from player.research.baselines import Wishes, measure
        from player.research.opening import source
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
            record = measure(desk, wanted, wishes)
        except KeyboardInterrupt:
            say("What was measured is kept: the same command goes on from there.")
            raise
        report(record, store_of(desk), json=json)


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
        from player.research.describing import describe
        from player.research.opening import source

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
    from player.research.comparing import compare as lay_beside
    from recommender.experiments.values import finite

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
        from player.research.comparing import compare as lay_beside
        from player.research.repeating import repeat as run_again
        from recommender.experiments.values import finite

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


@contextmanager
def at_desk(data_dir: Path | None) -> "Generator[Desk]":
    """The listener's data and a line of progress, for as long as an experiment takes."""
    from player.cli.jobs import reporting
    from player.research.opening import Desk

    with opened(data_dir) as home, reporting(attached=False) as (reporter, _):
        yield Desk(home.paths, home.settings, home.database, reporter.progress)


def report(record: "Record", store: "RunStore", *, json: bool) -> None:
    """Print a run."""
    if json:
        from player.research.documents import document

        emit_json(document(record, store))
        return
    from player.cli.experiment_tables import plain_console, print_figures, print_heading

    console = plain_console()
    print_heading(record, console)
    if not record.finished:
        console.print("It was interrupted; the command that began it goes on with it.")
    else:
        _printer(record.kind)(record, console)
    print_figures(record, store, console)


def _printer(kind: str) -> "Callable[[Record, Console], None]":
    """What prints the results of a kind of experiment; of an unknown kind, the names of its results."""
    from player.cli import experiment_clep, experiment_p_hard, experiment_sequential
    from player.cli.experiment_tables import print_baselines, print_unknown

    printers = {
        "baselines": print_baselines,
        "clep": experiment_clep.print_results,
        "p-hard": experiment_p_hard.print_results,
        "sequential": experiment_sequential.print_results,
    }
    return printers.get(kind, print_unknown)


def store_of(desk: "Desk") -> "RunStore":
    """Where the runs are kept."""
    from recommender.experiments.store import RunStore

    return RunStore(desk.paths.experiments)


def _store(data_dir: Path | None) -> "RunStore":
    """The same, without opening the listener's database."""
    from player.config import locate
    from recommender.experiments.store import RunStore

    return RunStore(locate(data_dir).experiments)


def _find(store: "RunStore", identity: str) -> "Record":
    from recommender.experiments.records import ExperimentError

    try:
        return store.find(identity)
    except ExperimentError as error:
        raise PlayerError(str(error)) from error
