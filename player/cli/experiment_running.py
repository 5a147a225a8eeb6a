"""What every experiment does on the command line: it opens the listener's data, runs, and shows its record."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from player.cli.experiment_options import SplitChoice, StateChoice
from player.cli.options import emit_json, opened, say

if TYPE_CHECKING:
    from rich.console import Console

    from player.research.baselines import Wishes
    from player.research.datasets import Desk
    from recommender.experiments.records import Record
    from recommender.experiments.store import RunStore


def conduct(measure: "Callable[[Desk], Record]", done: str, data_dir: Path | None, *, json: bool) -> None:
    """Run an experiment and print its record.

    Args:
        measure: runs it.
        done: what it does to its models, as in "measured", for whoever ends it with Ctrl-C.
        data_dir: where the listener's data are.
        json: print a document rather than tables.
    """
    with at_desk(data_dir) as desk:
        try:
            record = measure(desk)
        except KeyboardInterrupt:
            say(f"What was {done} is kept: the same command goes on from there.")
            raise
        report(record, store_of(desk), json=json)


@contextmanager
def at_desk(data_dir: Path | None) -> "Generator[Desk]":
    """The listener's data and a line of progress, for as long as an experiment takes."""
    from player.cli.job_output import reporting
    from player.research.datasets import Desk

    with opened(data_dir) as home, reporting(attached=False) as (reporter, _):
        yield Desk(home.paths, home.settings, home.database, reporter.progress)


def wishes_for(
    models: str, seeds: int, split: SplitChoice | None, state: StateChoice | None, listeners: int | None
) -> "Wishes":
    """What the options ask of the baselines and of what is measured as they are."""
    from player.research.baselines import Wishes
    from recommender.evaluation.query_states import State
    from recommender.experiments.run_config import SplitName

    return Wishes(
        models=models,
        seeds=seeds,
        split=None if split is None else SplitName(split),
        state=None if state is None else State(state),
        most_listeners=listeners,
    )


def store_of(desk: "Desk") -> "RunStore":
    """Where the runs are kept."""
    from recommender.experiments.store import RunStore

    return RunStore(desk.paths.experiments)


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
