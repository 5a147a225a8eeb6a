"""``player experiment p-hard``: the sequential model over the share of real negatives it is trained with."""

from collections.abc import Sequence
from enum import StrEnum
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
)
from player.cli.experiment_running import conduct
from player.cli.options import DataDir, Json

if TYPE_CHECKING:
    from rich.console import Console

    from player.research.datasets import Desk
    from recommender.experiments.json_values import JsonObject
    from recommender.experiments.records import Record

TABLE = (
    ("auc", "pair AUC", 3),
    ("gini", "Gini@10", 4),
    ("mrr_positive", "MRR +", 4),
    ("mrr_negative", "MRR −", 4),
    ("epochs", "epochs", 1),
    ("ndcg@10", "NDCG@10", 4),
    ("coverage", "coverage@10", 3),
)
"""The columns of the table and their digits."""
COLUMN_WIDTH = 15
NAME_WIDTH = 12


class ModeChoice(StrEnum):
    """Names of modes, here so that ``--help`` needs nothing heavy."""

    FAITHFUL = "faithful"
    BEST = "best"


class NegativesChoice(StrEnum):
    """Names of kinds of negatives; a test holds them to the library's."""

    EXPLICIT = "explicit"
    IMPLICIT = "implicit"
    BOTH = "both"


class ItemsChoice(StrEnum):
    """What a track can be to the model; likewise."""

    IDS = "ids"
    CONTENT = "content"


def register(app: typer.Typer) -> None:
    """Add the command to ``player experiment``."""
    app.command("p-hard")(p_hard)


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
    frontend: Frontend = "musicnn",
    jobs: Jobs = MOST_JOBS,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Train with ever more of the listeners' real negatives as targets: accuracy, diversity, ranks, epochs.

    Mei et al. 2024, Fig. 1 and 2, on any data set, with like-rate beside. Interrupted with Ctrl-C, the same command goes on
    where it was.
    """

    def trained(desk: "Desk") -> "Record":
        from player.research.datasets import source
        from player.research.p_hard import Wishes, measure
        from recommender.configuration import Negatives
        from recommender.experiments.p_hard_config import Mode, Tracks
        from recommender.experiments.run_config import SplitName

        wanted = source(dataset, columns, limit, music, index, frontend)
        wishes = Wishes(
            p_hard=values,
            seeds=seeds,
            mode=Mode(mode),
            negatives=Negatives(negatives),
            tracks=Tracks(items),
            split=None if split is None else SplitName(split),
            most_listeners=listeners,
            epochs=epochs,
            patience=patience,
        )
        return measure(desk, wanted, wishes, jobs)

    conduct(trained, "trained", data_dir, json=json)


def print_results(record: "Record", console: "Console") -> None:
    """The table, like-rate beside, accuracy by share of likes, ranks by popularity, trends and notes."""
    from player.cli.experiment_tables import clean, strings
    from recommender.experiments.json_values import objects, text

    results = record.results
    _print_table(objects(results.get("results")), objects(results.get("baselines")), console)
    _print_negatives(objects(results.get("negatives")), console)
    _print_popularity(objects(results.get("by_popularity")), console)
    trends = objects(results.get("trends"))
    if trends:
        console.print("The paper's trends, each by a fixed rule:")
    for trend in trends:
        console.print(clean(f"  {text(trend.get('verdict'))}: {text(trend.get('claim'))}"), soft_wrap=True)
        console.print(clean(f"      {text(trend.get('evidence'))}"), soft_wrap=True, style="dim")
    console.print(clean(text(results.get("conclusion"))), soft_wrap=True)
    for sentence in (*strings(results.get("notes")), *strings(results.get("omitted"))):
        console.print(clean(f"  {sentence}"), style="dim", soft_wrap=True)


def _print_table(rows: "Sequence[JsonObject]", beside: "Sequence[JsonObject]", console: "Console") -> None:
    from player.cli.experiment_tables import print_fitting, with_bounds
    from recommender.experiments.json_values import number, text

    cells = {(f"{number(row.get('p_hard')) or 0.0:g}", text(row.get("metric"))): row for row in rows}
    cells |= {(text(row.get("model")), text(row.get("metric"))): row for row in beside}
    names = dict.fromkeys(name for name, _ in cells)
    lines = [(name, [with_bounds(cells.get((name, key)), digits) for key, _, digits in TABLE]) for name in names]
    titles = [title for _, title, _ in TABLE]
    print_fitting("p_hard", titles, lines, console, (console.width - NAME_WIDTH) // COLUMN_WIDTH)


def _print_negatives(rows: "Sequence[JsonObject]", console: "Console") -> None:
    from recommender.experiments.json_values import number

    shares = [
        f"{number(row.get('p_hard')) or 0.0:g}: {of_all:.1%}"
        for row in rows
        if (of_all := number(row.get("of_all"))) is not None
    ]
    eligible = next((share for row in rows if (share := number(row.get("eligible"))) is not None), None)
    if shares and eligible is not None:
        console.print(
            f"{eligible:.1%} of the positions have a real negative; of all negatives these shares were real: "
            f"{', '.join(shares)}.",
            soft_wrap=True,
        )


def _print_popularity(rows: "Sequence[JsonObject]", console: "Console") -> None:
    """Mean place of the least and the most popular tenth, by model."""
    from player.cli.experiment_tables import clean
    from recommender.experiments.json_values import number, text

    places: dict[str, list[float]] = {}
    for row in rows:
        place = number(row.get("place"))
        if place is not None:
            places.setdefault(text(row.get("model")), []).append(place)
    if places:
        console.print("Mean place in the ranking (0 first, 1 last) by tenth of popularity, the least popular first:")
    for model, found in places.items():
        console.print(f"  {clean(model):<22} {' '.join(f'{place:.2f}' for place in found)}")
