"""``player experiment clep``: the paper's experiment on likes and dislikes, and how its record looks on a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from player.cli.experiment_options import Columns, DatasetName, Frontend, Index, Limit, Music, Seeds
from player.cli.experiment_running import conduct
from player.cli.options import DataDir, Json

if TYPE_CHECKING:
    from rich.console import Console

    from player.research.datasets import Desk
    from recommender.experiments.json_values import JsonObject
    from recommender.experiments.records import Record

LEAST = 8
"""Likes, and dislikes, of a listener that is measured; a test holds it to the library's."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("clep")(clep)


def clep(
    dataset: DatasetName,
    frontend: Frontend = "musicnn",
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

    def measured(desk: "Desk") -> "Record":
        from player.research.clep import Wishes, measure
        from player.research.datasets import source

        wanted = source(dataset, columns, limit, music, index, frontend)
        return measure(desk, wanted, Wishes(frontend, seeds, least, ablation))

    conduct(measured, "measured", data_dir, json=json)


METRICS = ("accuracy", "precision", "recall", "auroc", "fpr")


def print_results(record: "Record", console: "Console") -> None:
    """Table 2, the tests, the findings and the notes."""
    from player.cli.experiment_tables import clean, strings
    from recommender.experiments.json_values import number, objects, text

    results = record.results
    console.print(f"  medians over {number(results.get('listeners')) or 0:.0f} listeners")
    _print_table2(objects(results.get("table2")), console)
    for test in objects(results.get("friedman")):
        chi2, p = number(test.get("chi2")), number(test.get("p"))
        said = text(test.get("omitted")) if chi2 is None or p is None else f"χ² = {chi2:.2f}, p = {p:.3g}"
        console.print(clean(f"  Friedman, {text(test.get('metric'))}: {said}"), soft_wrap=True)
    for pair in objects(results.get("wilcoxon")):
        corrected, effect = number(pair.get("p_holm")), number(pair.get("effect"))
        if corrected is not None and effect is not None:
            line = f"  {text(pair.get('metric'))}, {text(pair.get('pair'))}: p = {corrected:.3g} (Wilcoxon, Holm), effect {effect:+.2f}"
            console.print(clean(line))
    for finding in objects(results.get("findings")):
        line = f"  {text(finding.get('holds'))}: {text(finding.get('finding'))} ({text(finding.get('detail'))})"
        console.print(clean(line), soft_wrap=True)
    console.print(clean(text(results.get("conclusion"))), soft_wrap=True)
    for note in strings(results.get("notes")):
        console.print(clean(f"  {note}"), style="dim", soft_wrap=True)


def _print_table2(rows: "Sequence[JsonObject]", console: "Console") -> None:
    from rich import box
    from rich.table import Table

    from player.cli.experiment_tables import clean
    from recommender.experiments.json_values import number, text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("")
    for metric in METRICS:
        table.add_column("AUROC" if metric == "auroc" else "FPR" if metric == "fpr" else metric, justify="right")
    for row in rows:
        figures = [number(row.get(metric)) for metric in METRICS]
        table.add_row(clean(text(row.get("variant"))), *("–" if each is None else f"{each:.3f}" for each in figures))
    console.print(table)
