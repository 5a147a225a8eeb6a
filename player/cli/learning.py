"""``player retrain``, ``evaluate`` and ``models``: learning from the log, and proving it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from player.cli.library import Attached
from player.cli.options import DataDir, Json, emit_json, opened, say
from player.errors import PlayerError

if TYPE_CHECKING:
    from recommender.evaluation.protocol import Report
    from recommender.evaluation.protocol import Row as ReportRow
    from recommender.model import ModelCard

models_app = typer.Typer(help="Trained versions: list them, choose another.", invoke_without_command=True)
Seed = Annotated[int, typer.Option("--seed", help="Of every random number; the same seed gives the same result.")]
METRIC_KEYS = {
    "pair AUC": "auc",
    "MRR +": "mrr_positive",
    "MRR -": "mrr_negative",
    "NDCG@10": "ndcg@10",
    "Gini@10": "gini",
    "coverage@10": "coverage",
}
MEANINGS = {
    "pair AUC": "a liked track is ranked above a disliked one of the same station this often (0.5 = chance)",
    "MRR +": "how high liked tracks rank in the whole library (1 = always first)",
    "MRR -": "how high disliked tracks rank (lower is better)",
    "NDCG@10": "liked tracks among the first ten",
    "Gini@10": "how unevenly the first ten fall on tracks (0 = evenly)",
    "coverage@10": "share of the library that reaches the first ten",
}


WIDE_TABLE = 104
"""Columns of a terminal on which all measures fit."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(retrain)
    app.command()(evaluate)
    models_app.callback()(models)
    models_app.command("list")(list_models)
    models_app.command("promote")(promote)
    models_app.command("rollback")(roll_back)
    app.add_typer(models_app, name="models")


def retrain(
    p_hard: Annotated[
        float, typer.Option("--p-hard", min=0.0, max=1.0, help="Share of training negatives that are your real ones.")
    ] = 0.4,
    clep: Annotated[
        Literal["n", "p", "pn"], typer.Option("--clep", help="Which pairs CLEP draws together: n, p or pn.")
    ] = "pn",
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="At most so many for the sequence.")] = None,
    seed: Seed = 0,
    data_dir: DataDir = None,
    json: Json = False,
    attached: Attached = False,
) -> None:
    """Learn from your thumbs, skips and finished tracks.

    Trains CLEP (what you like to hear) and the sequential model (what you like to hear next), measures both on your
    newest feedback beside plain baselines, keeps the version, and lets it choose if it is not worse. Interrupting
    loses nothing: the model in use stays.
    """
    from player.cli.jobs import reporting
    from player.jobs import JobResult
    from player.listening.learning import retrain as train
    from recommender.configuration import ClepConfig, ClepVariant, SequentialConfig, TrainingConfig

    defaults = SequentialConfig()
    config = TrainingConfig(
        clep=ClepConfig(variant=ClepVariant(clep)),
        sequential=SequentialConfig(p_hard=p_hard, epochs=epochs or defaults.epochs),
        seed=seed,
    )
    with opened(data_dir) as home, reporting(attached=attached) as (reporter, stop):
        done = train(home.database, home.paths, config, reporter.progress, stop.is_set)
        result = done.result
        missing = "; ".join(result.missing)
        summary = f"Missing: {missing}." if missing else result.reason
        reporter.result(JobResult(ok=True, summary=summary))
        rows = () if result.report is None else result.report.rows
        if json:
            emit_json(
                {
                    "version": None if done.card is None else done.card.version,
                    "promoted": result.promoted,
                    "reason": result.reason,
                    "missing": list(result.missing),
                    "positives": result.positives,
                    "negatives": result.negatives,
                    "metrics": _metrics(rows, "model"),
                    "baselines": {name: _metrics(rows, name) for name in _models(rows) if name != "model"},
                    "seconds": round(result.seconds, 3),
                }
            )
        elif not attached:
            print(f"Learned from {result.positives} likes and {result.negatives} dislikes ({result.seconds:.1f} s).")
            if missing:
                print(f"Not enough to train on yet. {summary}")
                return
            if result.report is not None:
                _print_report(result.report)
            assert done.card is not None
            _print_blend(done.card)
            print(
                f"Version {done.card.version} {'serves from now on' if result.promoted else 'was kept but does not serve'}."
            )
            print(result.reason)


def evaluate(seed: Seed = 0, data_dir: DataDir = None, json: Json = False) -> None:
    """Measure what was learned on your newest feedback, beside plain baselines.

    Every figure comes with a 95 % interval from resampling your feedback. Nothing that is measured on was trained on.
    """
    from player.listening.learning import evaluate as measure

    with opened(data_dir) as home:
        report, version, problem = measure(home.database, home.paths, seed)
        if problem:
            say(problem)
        if json:
            emit_json(
                {
                    "model_version": version,
                    "positives": report.positives,
                    "negatives": report.negatives,
                    "pairs": report.pairs,
                    "results": [_row_document(row) for row in report.rows],
                    "metrics": _metrics(report.rows, "model"),
                    "baselines": {
                        name: _metrics(report.rows, name) for name in _models(report.rows) if name != "model"
                    },
                    "omitted": list(report.omitted),
                    "missing": _missing(report, version),
                }
            )
            return
        for sentence in _missing(report, version):
            say(sentence)
        _print_report(report)


def _missing(report: "Report", version: str | None) -> list[str]:
    missing = list(report.omitted)
    if version is None:
        missing.append("there is no trained model yet: only the baselines are measured (`player retrain` makes one)")
    return missing


def _row_document(row: "ReportRow") -> dict[str, object]:
    return {"model": row.model, "metric": METRIC_KEYS[row.metric], "mean": row.mean, "low": row.low, "high": row.high}


def _models(rows: "Sequence[ReportRow]") -> list[str]:
    return list(dict.fromkeys(row.model for row in rows))


def _metrics(rows: "Sequence[ReportRow]", model: str) -> dict[str, dict[str, float | None]]:
    return {
        METRIC_KEYS[row.metric]: {"mean": row.mean, "low": row.low, "high": row.high}
        for row in rows
        if row.model == model
    }


def _print_report(report: "Report") -> None:
    """A table: one line a model, one column a measure, the interval below each figure."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console()
    measures = list(dict.fromkeys(row.metric for row in report.rows))
    if console.width < WIDE_TABLE:
        measures = [measure for measure in measures if METRIC_KEYS[measure] != "ndcg@10"]
    table = Table(
        title=f"On your newest feedback: {report.positives} likes, {report.negatives} dislikes, {report.pairs} pairs",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("", min_width=len("personal most played") if console.width >= WIDE_TABLE else len("most played"))
    for measure in measures:
        table.add_column(str(measure), justify="right", min_width=len("0.00–0.00"), no_wrap=True)
    figures = {(row.model, row.metric): row for row in report.rows}
    for model in _models(report.rows):
        cells = [_cell(figures.get((model, measure))) for measure in measures]
        table.add_row(model, *cells, style="bold" if model == "model" else None)
    console.print(table)
    for measure in measures:
        console.print(f"  {measure}: {MEANINGS[measure]}", style="dim", highlight=False)


def _cell(row: "ReportRow | None") -> str:
    if row is None:
        return "–"
    if row.low is None or row.high is None:
        return f"{row.mean:.3f}"
    return f"{row.mean:.3f}\n{row.low:.2f}–{row.high:.2f}"


def _print_blend(card: "ModelCard") -> None:
    from recommender.blend import Column

    words = {
        Column.SEED: "likeness to the station",
        Column.CLEP: "your taste in sound (CLEP)",
        Column.SEQUENCE: "what goes with what you just heard",
        Column.LIKING: "your own earlier verdict",
        Column.HEARD: "known tracks",
        Column.REST: "tracks rested longer",
        Column.PLAYS: "tracks heard often",
    }
    parts = sorted(zip(Column, card.blend.weights, strict=True), key=lambda part: -abs(part[1]))
    fitted = f"fitted on {card.blend.rows} events" if card.blend.rows else "prior weights, too little to fit"
    print(f"What counts for you ({fitted}):")
    for column, weight in parts:
        print(f"  {weight:+.2f}  {words[column]}")


def models(context: typer.Context, data_dir: DataDir = None, json: Json = False) -> None:
    """List the trained versions, or choose another."""
    if context.invoked_subcommand is None:
        list_models(data_dir, json)


def list_models(data_dir: DataDir = None, json: Json = False) -> None:
    """List every trained version, with what it measured and whether it serves."""
    from recommender.registry import ModelError, Registry

    with opened(data_dir) as home:
        registry = Registry(home.paths.models)
        try:
            current = registry.current()
        except ModelError as error:
            say(f"player: {error}")
            current = None
        cards = registry.versions()
        if json:
            emit_json([_card_document(card, current) for card in cards])
            return
        for card in cards:
            auc = next((m.mean for m in card.metrics if m.model == "model" and m.metric == "pair AUC"), None)
            mark = "▶" if card.version == current else " "
            figure = "      " if auc is None else f"AUC {auc:.3f}"
            print(f"{mark} {card.version}  {figure}  {card.reason}")
        if not cards:
            say("No model was trained yet; `player retrain` makes one.")


def _card_document(card: "ModelCard", current: str | None) -> dict[str, object]:
    return {
        "version": card.version,
        "created": card.created,
        "current": card.version == current,
        "promoted": card.promoted,
        "reason": card.reason,
        "rows": card.rows,
        "metrics": {METRIC_KEYS.get(m.metric, m.metric): m.mean for m in card.metrics if m.model == "model"},
    }


def promote(
    version: Annotated[str, typer.Argument(help="As `player models` lists it.")], data_dir: DataDir = None
) -> None:
    """Let a version serve."""
    from recommender.registry import ModelError, Registry

    with opened(data_dir) as home:
        try:
            Registry(home.paths.models).promote(version)
        except ModelError as error:
            raise PlayerError(str(error)) from error
        print(f"Version {version} serves from now on.")


def roll_back(data_dir: DataDir = None) -> None:
    """Let the promoted version before the current one serve again."""
    from recommender.registry import ModelError, Registry

    with opened(data_dir) as home:
        try:
            card = Registry(home.paths.models).roll_back()
        except ModelError as error:
            raise PlayerError(str(error)) from error
        print(f"Version {card.version} serves again.")
