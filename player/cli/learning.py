"""``player retrain`` and ``evaluate``: learning from the log, and proving it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from player.cli.library import Attached
from player.cli.options import DataDir, Json, emit_json, opened, say
from player.cli.output_files import check_folder, keep

Seed = Annotated[int, typer.Option("--seed", help="Of every random number; the same seed gives the same result.")]
Page = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE.html", help="Write the report as one page too.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(retrain)
    app.command()(evaluate)


def retrain(
    p_hard: Annotated[
        float, typer.Option("--p-hard", min=0.0, max=1.0, help="Share of training negatives that are your real ones.")
    ] = 0.4,
    clep: Annotated[
        Literal["best", "n", "p", "pn"],
        typer.Option(
            "--clep",
            help="How the sound is learned: the networks of CLEP that draw these pairs together (n, p, pn), or what measured "
            "best in their place for few opinions.",
        ),
    ] = "best",
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="At most so many for the sequence.")] = None,
    seed: Seed = 0,
    data_dir: DataDir = None,
    json: Json = False,
    attached: Attached = False,
) -> None:
    """Learn from your thumbs, skips and finished tracks.

    Trains what you like to hear (CLEP, or what measured better) and what you like to hear next (the sequential model), measures both on your
    newest feedback beside plain baselines, keeps the version, and lets it choose if it is not worse. Interrupting
    loses nothing: the model in use stays.
    """
    from embeddings.cards import DEFAULT_FRONTEND, frontend_card
    from player.cli.evaluation_text import metrics_document, models_of, print_figures
    from player.cli.jobs import reporting
    from player.cli.models import print_blend
    from player.jobs import JobResult
    from player.listening.learning import retrain as train
    from recommender.configuration import ClepConfig, ClepVariant, SequentialConfig, TrainingConfig

    dimension = frontend_card(DEFAULT_FRONTEND).dimension
    defaults = SequentialConfig()
    config = TrainingConfig(
        clep=ClepConfig.best() if clep == "best" else ClepConfig.for_dimension(dimension, ClepVariant(clep)),
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
                    "metrics": metrics_document(rows, "model"),
                    "baselines": {name: metrics_document(rows, name) for name in models_of(rows) if name != "model"},
                    "seconds": round(result.seconds, 3),
                }
            )
        elif not attached:
            print(f"Learned from {result.positives} likes and {result.negatives} dislikes ({result.seconds:.1f} s).")
            if missing:
                print(f"Not enough to train on yet. {summary}")
                return
            if result.report is not None:
                print_figures(result.report, "model")
            assert done.card is not None
            print_blend(done.card)
            print(
                f"Version {done.card.version} {'serves from now on' if result.promoted else 'was kept but does not serve'}."
            )
            print(result.reason)


def evaluate(seed: Seed = 0, html: Page = None, data_dir: DataDir = None, json: Json = False) -> None:
    """Say whether what was learned beats plain rules on your newest feedback, by how much, and how sure that is.

    Every figure comes with a 95 % interval from resampling your listening. Nothing that is measured on was trained on. With
    too little feedback it says what can be concluded, what cannot, and about how much more it takes.
    """
    from player.cli.evaluation_text import evaluation_document, print_evaluation
    from player.listening.learning import evaluate as measure

    if html is not None:
        check_folder(html, "evaluation.html")
    with opened(data_dir) as home:
        evaluated = measure(home.database, home.paths, seed)
    if evaluated.problem:
        say(evaluated.problem)
    if html is not None:
        from player.listening.evaluation_page import evaluation_page

        text = evaluation_page(evaluated)
        keep(html, lambda path: path.write_text(text, "utf-8"))
    if json:
        emit_json(evaluation_document(evaluated, html))
        return
    print_evaluation(evaluated)
    if html is not None:
        print(f"\nThe same with pictures: {html.absolute()}")
