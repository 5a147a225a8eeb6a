"""``player experiment``: recommenders measured on logged history, every run kept and repeatable to the last digit."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from player.cli.experiments.records import at_desk, register_records, report, store_of
from player.cli.options import DataDir, Json, emit_json, say
from player.errors import PlayerError, UsageError

if TYPE_CHECKING:
    from player.research.datasets import AnyQuestion, Source
    from recommender.datasets.dataset import Dataset

    Ask = Callable[[Dataset, Source], AnyQuestion]

experiment_app = typer.Typer(help="Measure recommenders on logged history, keep every run, and repeat it.")

DEFAULT_FRONTEND = "musicnn"
"""Here so that ``--help`` needs nothing heavy; a test holds it to the registry's."""
LEAST = 8
"""Likes, and dislikes, of a listener that is measured; a test holds it to the library's."""
MOST_JOBS = 2
"""Trainings at once unless told otherwise: two processes of one thread each leave a small machine usable."""


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


class ModeChoice(StrEnum):
    """Names of modes, here so that ``--help`` needs nothing heavy."""

    FAITHFUL = "faithful"
    BEST = "best"


class NegativesChoice(StrEnum):
    """Names of kinds of negatives; a test holds them to the library's."""

    EXPLICIT = "explicit"
    IMPLICIT = "implicit"
    BOTH = "both"


class PriorChoice(StrEnum):
    """Whose weights a person's are drawn to."""

    SHIPPED = "shipped"
    OTHERS = "others"
    NONE = "none"


class ItemsChoice(StrEnum):
    """Forms of a track in the model; likewise."""

    IDS = "ids"
    CONTENT = "content"


DatasetName = Annotated[
    str,
    typer.Option(
        "--dataset",
        metavar="KIND:PATH",
        help="log (your own); spotify:, apple:, lastfm: or listenbrainz: and the export; mssd:DIR, yambda:FILE, piki:FILE, "
        "movielens:FILE, cm100k:FILE, emotify:FILE, csv:FILE or parquet:FILE.",
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
Frontend = Annotated[str, typer.Option("--frontend", help="What makes vectors of the audio.")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, max=1000, help="How many seeds to average over.")]
Split = Annotated[
    SplitChoice | None,
    typer.Option("--split", help="How past and test are divided; what fits the data if absent.", show_default=False),
]
State = Annotated[
    StateChoice | None,
    typer.Option("--state", help="Whether earlier test rows are input (walking).", show_default=False),
]
Listeners = Annotated[
    int | None,
    typer.Option("--listeners", min=1, help="Measure on a sample of so many listeners.", show_default=False),
]
Jobs = Annotated[int, typer.Option("--jobs", min=1, max=64, help="Trainings at once.")]
OnCluster = Annotated[
    str | None,
    typer.Option(
        "--cluster", metavar="ADDRESS", help="Train on a Ray cluster: HOST:PORT, auto, or local.", show_default=False
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    experiment_app.command("baselines")(baselines)
    experiment_app.command("clep")(clep)
    experiment_app.command("p-hard")(p_hard)
    experiment_app.command("sequential")(sequential)
    experiment_app.command("dataset")(dataset_statistics)
    experiment_app.command("people")(people)
    experiment_app.command("feedback")(feedback)
    experiment_app.command("moods")(moods)
    register_records(experiment_app)
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
    frontend: Frontend = DEFAULT_FRONTEND,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Measure simple recommenders on a data set, each with its interval, and say which is best and how sure that is.

    Interrupted with Ctrl-C, the same command goes on where it was.
    """
    from player.research.datasets import source

    wanted = source(dataset, columns, limit, music, index, frontend)
    ask = _models_question("baselines", models, seeds, split, state, listeners)
    _conduct("baselines", "measured", wanted, ask, data_dir, json=json)


def clep(
    dataset: DatasetName,
    frontend: Frontend = DEFAULT_FRONTEND,
    seeds: Seeds = 20,
    least: Annotated[
        int, typer.Option("--least", min=2, help="Likes, and dislikes, that a listener needs to be measured.")
    ] = LEAST,
    ablation: Annotated[
        bool, typer.Option("--ablation", help="Measure ensembles of networks too, which takes longer.")
    ] = False,
    columns: Columns = "",
    limit: Limit = None,
    music: Music = None,
    index: Index = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Learn each listener's taste from likes and dislikes (CLEP-PN), likes alone (P) and dislikes alone (N), and compare.

    The experiment of Park & Lee (RecSys 2022) on any data set whose tracks can be heard, with simple baselines beside it.
    Interrupted with Ctrl-C, the same command goes on where it was.
    """
    from player.research.datasets import OWN_LOG, source

    def ask(_data: "Dataset", wanted: "Source") -> "AnyQuestion":
        from recommender.experiments.clep_experiment import ClepExperimentConfig

        asked = ClepExperimentConfig(
            dataset=wanted.dataset, seeds=tuple(range(seeds)), least=least, ablation=ablation, **wanted.words()
        )
        # A data set without audio brings vectors of its own.
        return replace(asked, frontend=frontend if music or dataset == OWN_LOG else "own")

    wanted = source(dataset, columns, limit, music, index, frontend)
    if dataset == OWN_LOG and frontend != DEFAULT_FRONTEND:
        raise UsageError(f"Your own log is measured with the vectors of the library, which are {DEFAULT_FRONTEND}'s.")
    _conduct("clep", "measured", wanted, ask, data_dir, json=json)


def p_hard(
    dataset: DatasetName,
    values: Annotated[
        str, typer.Option("--p-hard", metavar="P,…", help="Shares of real negatives, 0 to 1.")
    ] = "0,.1,.2,.3,.4,.6,.8,1",
    mode: Annotated[ModeChoice, typer.Option("--mode", help="As in the paper, or as measures best.")] = (
        ModeChoice.FAITHFUL
    ),
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=1000, help="Trainings of each value.")] = 3,
    negatives: Annotated[
        NegativesChoice, typer.Option("--negatives", help="Which feedback counts as a real negative.")
    ] = NegativesChoice.BOTH,
    items: Annotated[
        ItemsChoice, typer.Option("--items", help="What a track is: an embedding alone, or with its sound.")
    ] = ItemsChoice.IDS,
    split: Split = None,
    columns: Columns = "",
    limit: Limit = None,
    listeners: Listeners = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="At most so many.", show_default=False)] = None,
    patience: Annotated[
        int | None, typer.Option("--patience", min=1, help="Epochs without a better one.", show_default=False)
    ] = None,
    music: Music = None,
    index: Index = None,
    frontend: Frontend = DEFAULT_FRONTEND,
    jobs: Jobs = MOST_JOBS,
    cluster: OnCluster = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Train with ever more of the listeners' real negatives as targets: accuracy, diversity, ranks, epochs.

    Mei et al. 2024, Fig. 1 and 2, on any data set, with like-rate beside. Interrupted with Ctrl-C, the same command goes on
    where it was.
    """
    from player.research.datasets import source
    from player.research.runs import errors_as
    from recommender.experiments.p_hard_config import parse_p_hard

    with errors_as(UsageError):
        shares = parse_p_hard(values)

    def ask(data: "Dataset", wanted: "Source") -> "AnyQuestion":
        from recommender.configuration import Negatives
        from recommender.experiments.p_hard_config import Mode, Tracks, configure_p_hard
        from recommender.experiments.run_config import SplitName
        from recommender.training.sequential_recommender import ESASREC, FAITHFUL

        own = ESASREC if mode is ModeChoice.BEST else FAITHFUL
        question = configure_p_hard(
            data,
            replace(own, epochs=epochs or own.epochs, patience=patience or own.patience),
            p_hard=shares,
            seeds=seeds,
            mode=Mode(mode),
            negatives=Negatives(negatives),
            tracks=Tracks(items),
            split=None if split is None else SplitName(split),
            most_listeners=listeners,
        )
        return replace(question, **wanted.words())

    wanted = source(dataset, columns, limit, music, index, frontend)
    _conduct("p-hard", "trained", wanted, ask, data_dir, json=json, jobs=jobs, cluster=cluster)


def sequential(
    dataset: DatasetName,
    models: Annotated[
        str,
        typer.Option(
            "--models", metavar="NAME,…", help="faithful, esasrec, 'esasrec - LiGR', …; ablations, all; any baseline."
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
    frontend: Frontend = DEFAULT_FRONTEND,
    jobs: Jobs = MOST_JOBS,
    cluster: OnCluster = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Train the sequential model, whole and with one element left out, and measure it beside the baselines.

    Interrupted with Ctrl-C, the same command goes on where it was.
    """
    from player.research.datasets import source

    wanted = source(dataset, columns, limit, music, index, frontend)
    ask = _models_question("sequential", models, seeds, split, state, listeners)
    _conduct("sequential", "trained", wanted, ask, data_dir, json=json, jobs=jobs, cluster=cluster)


def _models_question(
    kind: str, models: str, seeds: int, split: SplitChoice | None, state: StateChoice | None, listeners: int | None
) -> "Ask":
    """The question of the baselines, and of what is measured as they are."""

    def ask(data: "Dataset", wanted: "Source") -> "AnyQuestion":
        if kind == "baselines" and data.plays is not None:
            return _plays_question(models, seeds, wanted, divided=split is not None or state is not None)
        from player.research.runs import roster_of
        from recommender.evaluation.query_states import State
        from recommender.experiments.run_config import SplitName, configure

        question = configure(
            data,
            roster=roster_of(kind),
            models=models,
            seeds=seeds,
            split=None if split is None else SplitName(split),
            state=None if state is None else State(state),
            most_listeners=listeners,
        )
        return replace(question, **wanted.words())

    return ask


def _plays_question(models: str, seeds: int, wanted: "Source", *, divided: bool) -> "AnyQuestion":
    """The question of the baselines about a person's plays, which are always divided in time."""
    from recommender.experiments.habits_comparison import HabitsConfig, model_names

    if divided:
        raise UsageError(
            "Plays are divided in time and foretold one by one: --split and --state are for other data sets."
        )
    return HabitsConfig(dataset=wanted.dataset, seeds=tuple(range(seeds)), models=model_names(models), **wanted.words())


def _conduct(
    kind: str,
    done: str,
    wanted: "Source",
    ask: "Ask",
    data_dir: Path | None,
    *,
    json: bool,
    jobs: int = 1,
    cluster: str | None = None,
) -> None:
    """Run an experiment and print its record.

    Args:
        kind: of experiment.
        done: what it does to its models, as in "measured", for whoever ends it with Ctrl-C.
        wanted: the data set.
        ask: makes the question of the data.
        data_dir: where the listener's data are.
        json: print a document rather than tables.
        jobs: measurements at once.
        cluster: where they are made, on this machine if it is None.
    """
    from player.research.runs import measure

    with at_desk(data_dir) as desk:
        try:
            with _on_cluster(cluster):
                record = measure(desk, kind, wanted, ask, jobs=jobs)
        except KeyboardInterrupt:
            say(f"What was {done} is kept: the same command goes on from there.")
            raise
        report(record, store_of(data_dir), json=json)


@contextmanager
def _on_cluster(address: str | None) -> Generator[None]:
    """Within it measurements are made on a Ray cluster, where one is named."""
    if address is None:
        yield
        return
    from recommender.cluster import ClusterError, connection

    try:
        with connection(address):
            yield
    except ClusterError as error:
        raise PlayerError(f"{str(error)[0].upper()}{str(error)[1:]}.") from error


def people(
    dataset: DatasetName,
    models: Annotated[
        str, typer.Option("--models", metavar="NAME,…", help="Names of models, all, or ablations.")
    ] = "all",
    prior: Annotated[
        PriorChoice, typer.Option("--prior", help="Whose weights a person's own are drawn to.")
    ] = PriorChoice.SHIPPED,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Foretell what people hear out and what they skip, from a folder of their exports: per person, and over persons.

    Every zip archive or folder in it is a person's. The player's own model stands beside plain habits; Wilcoxon's and the sign
    test say how sure its lead is.
    """
    with at_desk(data_dir) as desk:
        from player.research.people import measure_people

        found = measure_people(desk, dataset, models, prior.value)
    if json:
        from recommender.experiments.json_values import json_object

        emit_json(json_object(found))
        return
    from player.cli.experiments.tables import print_people

    print_people(found)


def feedback(dataset: DatasetName, data_dir: DataDir = None, json: Json = False) -> None:
    """Measure what each way a play ends foretells of the track's next hearing: the evidence for the weights of feedback.

    From one export, or a folder of people's.
    """
    with at_desk(data_dir) as desk:
        from player.research.people import evidence

        found = evidence(desk, dataset)
    if json:
        from recommender.experiments.json_values import finite

        emit_json({"kinds": finite(found)})
        return
    from player.cli.experiments.tables import print_effects

    print_effects(found)


def moods(
    dataset: DatasetName,
    music: Music = None,
    index: Index = None,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Hear them in your library: mood:calm is then a seed, and a word of the search."),
    ] = False,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Learn from Emotify's answers which mood a track's sound makes listeners feel, and measure how well on other artists.

    The set is its authors' to give: get it from them, and name its annotations (emotify:FILE) and audio.
    """
    with at_desk(data_dir) as desk:
        from player.research.datasets import source
        from player.research.moods import learn_moods

        found = learn_moods(desk, source(dataset, "", None, music, index, DEFAULT_FRONTEND), keep=keep)
    if json:
        from recommender.experiments.json_values import finite

        emit_json({"moods": finite(found), "kept": keep})
        return
    from player.cli.experiments.tables import print_moods

    print_moods(found, kept=keep)


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
        from player.research.datasets import describe, source

        facts = describe(desk, source(dataset, columns, limit))
        if json:
            emit_json({"dataset": facts})
            return
        from player.cli.experiments.tables import plain_console, print_dataset

        print_dataset(facts, plain_console())
