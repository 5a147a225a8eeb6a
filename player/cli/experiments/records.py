"""``player experiment list``, ``show``, ``compare`` and ``repeat``: the runs that were kept."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from player.cli.options import DataDir, Json, emit_json, opened, say
from player.errors import PlayerError

if TYPE_CHECKING:
    from player.research.datasets import Desk
    from recommender.experiments.records import Record
    from recommender.experiments.store import RunStore

Identity = Annotated[str, typer.Argument(metavar="ID", help="An experiment's id, or its first digits.")]


def register_records(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("list")(list_experiments)
    app.command("show")(show)
    app.command("compare")(compare)
    app.command("repeat")(repeat)


@contextmanager
def at_desk(data_dir: Path | None) -> "Generator[Desk]":
    """The listener's data and a line of progress, for as long as an experiment takes."""
    from player.cli.progress import reporting
    from player.research.datasets import Desk

    with opened(data_dir) as home, reporting(attached=False) as (reporter, _):
        yield Desk(home.paths, home.settings, home.database, reporter.progress)


def report(record: "Record", store: "RunStore", *, json: bool) -> None:
    """Print a run."""
    if json:
        from player.research.results import document

        emit_json(document(record, store))
        return
    from player.cli.experiments.tables import print_run

    print_run(record, store)


def list_experiments(data_dir: DataDir = None, json: Json = False) -> None:
    """List every run, newest first."""
    from player.cli.experiments.tables import plain_console, print_listing
    from player.research.results import summary

    listing = store_of(data_dir).listing()
    for problem in listing.problems:
        say(problem)
    if json:
        emit_json([summary(record) for record in listing.records])
        return
    print_listing(listing, plain_console())


def show(identity: Identity, data_dir: DataDir = None, json: Json = False) -> None:
    """Show a run: its figures with their intervals, its conclusion, and where its pictures lie."""
    store = store_of(data_dir)
    report(_find(store, identity), store, json=json)


def compare(
    first: Identity,
    second: Annotated[str, typer.Argument(metavar="ID", help="Another one's.")],
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Lay two runs beside each other: what was asked differently, and what came out differently."""
    from player.cli.experiments.tables import plain_console, print_comparison
    from player.research.results import compare as lay_beside
    from recommender.experiments.json_values import finite

    store = store_of(data_dir)
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
        from player.research.results import compare as lay_beside
        from player.research.runs import repeat as run_again
        from recommender.experiments.json_values import finite

        record = _find(store_of(data_dir), identity)
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
        from player.cli.experiments.tables import plain_console, print_differences

        if compared.agree:
            print(f"Experiment {record.id} was repeated as {again.id}: every result agrees to the last digit.")
        else:
            print(f"Experiment {record.id} was repeated as {again.id}: {len(compared.results)} results differ.")
            print_differences(compared, plain_console())
    if not compared.agree:
        raise typer.Exit(1)


def store_of(data_dir: Path | None) -> "RunStore":
    """The store of the runs, without opening the listener's database."""
    from player.folders import locate
    from recommender.experiments.store import RunStore

    return RunStore(locate(data_dir).experiments)


def _find(store: "RunStore", identity: str) -> "Record":
    from recommender.experiments.records import ExperimentError

    try:
        return store.find(identity)
    except ExperimentError as error:
        raise PlayerError(str(error)) from error
