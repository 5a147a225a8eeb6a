"""``player retrain`` and ``evaluate``: learning from the log, and proving it."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from player.cli.options import Attached, DataDir, Json, check_folder, emit_json, keep, opened, say

if TYPE_CHECKING:
    from player.learning.retraining import Retrained
    from recommender.configuration import SequentialConfig, TrainingConfig
    from recommender.training.worth import Worth

Seed = Annotated[int, typer.Option("--seed", help="Of every random number; the same seed gives the same result.")]
Page = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE.html", help="Write the report as one page too.", show_default=False),
]
PolicyName = Annotated[
    str | None,
    typer.Option(
        "--policy",
        metavar="NAME",
        help="Estimate instead what another way of choosing would have been worth, from what was served and what you thought "
        "of it: live, untrained, random, popularity or a version.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(setup)
    app.command()(retrain)
    app.command()(evaluate)


def setup(json: Json = False, attached: Attached = False) -> None:
    """Install what learning needs: PyTorch and other large libraries, into the player's own environment.

    An open player does this by itself while it plays. It can be stopped at any time; what was fetched is kept.
    """
    from player.cli.progress import reporting, stopping_on_interrupt
    from player.jobs import JobResult
    from player.learning.installation import STOPPED, ensure_learning, missing_requirements

    with reporting(attached=attached) as (reporter, stop), stopping_on_interrupt(stop, reporter.note, STOPPED):
        missing = missing_requirements()
        ensure_learning(reporter.progress, reporter.note, stop)
        summary = "Ready to learn." if missing else "All that learning needs was there already."
        reporter.result(JobResult(ok=True, summary=summary))
    if json:
        emit_json({"installed": list(missing)})
    elif not attached:
        print(summary)


def retrain(
    p_hard: Annotated[
        float | None,
        typer.Option(
            "--p-hard",
            min=0.0,
            max=1.0,
            help="Share of training negatives that are your real ones; the mode's own when absent.",
            show_default=False,
        ),
    ] = None,
    clep: Annotated[
        Literal["best", "n", "p", "pn"],
        typer.Option(
            "--clep",
            help="How the sound is learned: by the networks of CLEP that draw together what you like (p), what you dislike (n) or "
            "both (pn), or by a regression in their place (best).",
        ),
    ] = "pn",
    mode: Annotated[
        Literal["default", "faithful", "best"],
        typer.Option(
            "--mode",
            help="How the sequence is learned: as in the paper, as the best transformers of today (eSASRec), or as suits the "
            "log of one.",
        ),
    ] = "default",
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="At most so many for the sequence.")] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Train the sequence from scratch instead of going on from the model in use.")
    ] = False,
    after: Annotated[
        int,
        typer.Option("--after", min=0, help="Do nothing before there are so many new answers; for a cron job, say."),
    ] = 0,
    seed: Seed = 0,
    data_dir: DataDir = None,
    json: Json = False,
    attached: Attached = False,
) -> None:
    """Learn from your thumbs, skips and finished tracks.

    Trains what you like to hear (CLEP, contrastively) and what you like to hear next (the sequential model, your real negatives among
    its targets), on from the model in use where little is new; says what each part is worth for you; measures it on your newest feedback beside that model and plain baselines, keeps the
    version, and lets it choose if it is not worse. The first Ctrl-C keeps the best so far and measures it on less, the second leaves at once;
    the model in use stays.
    """
    from player.cli.progress import TrainingReporter, reporting, stopping_on_interrupt
    from player.jobs import JobResult, TerminalReporter
    from player.learning.installation import ensure_learning
    from player.learning.retraining import retrain as train

    config = _training_config(mode, clep, p_hard, epochs, seed)
    with opened(data_dir) as home, reporting(attached=attached) as (plain, stop):
        ensure_learning(plain.progress, plain.note, stop)
        reporter = TrainingReporter(plain) if isinstance(plain, TerminalReporter) else plain
        with stopping_on_interrupt(stop, reporter.note, ENDING):
            done = train(home.database, home.paths, config, reporter.progress, stop.is_set, full=full, after=after)
        missing = "; ".join(done.result.missing)
        summary = f"Missing: {missing}." if missing else done.result.reason
        reporter.result(JobResult(ok=True, summary=summary))
        if json:
            emit_json(retraining_document(done))
        elif not attached:
            _print_retraining(done, summary)


ENDING = "Coming to an end with the best so far; Ctrl-C again leaves at once and changes nothing."


def _training_config(
    mode: Literal["default", "faithful", "best"],
    clep: Literal["best", "n", "p", "pn"],
    p_hard: float | None,
    epochs: int | None,
    seed: int,
) -> "TrainingConfig":
    """The configuration that the options ask for."""
    from embeddings.registry import DEFAULT_FRONTEND, frontend_spec
    from recommender.configuration import ClepConfig, ClepVariant, TrainingConfig

    dimension = frontend_spec(DEFAULT_FRONTEND).dimension
    sequential = sequence_config(mode)
    return TrainingConfig(
        clep=ClepConfig.best() if clep == "best" else ClepConfig.for_dimension(dimension, ClepVariant(clep)),
        sequential=replace(
            sequential,
            p_hard=sequential.p_hard if p_hard is None else p_hard,
            epochs=epochs or sequential.epochs,
        ),
        seed=seed,
    )


def sequence_config(mode: Literal["default", "faithful", "best"]) -> "SequentialConfig":
    """The configuration that a mode stands for."""
    from recommender.configuration import SequentialConfig

    if mode == "default":
        return SequentialConfig()
    from recommender.training.sequential_recommender import ESASREC, FAITHFUL

    return ESASREC if mode == "best" else FAITHFUL


def retraining_document(done: "Retrained") -> dict[str, object]:
    """The outcome of a retraining as one document."""
    from player.cli.learning.evaluation_text import metrics_document, models_of

    result, card = done.result, done.card
    rows = () if result.report is None else result.report.rows
    return {
        "version": None if card is None else card.version,
        "promoted": result.promoted,
        "reason": result.reason,
        "missing": list(result.missing),
        "positives": result.positives,
        "negatives": result.negatives,
        "lineage": None if card is None else asdict(card.lineage),
        "update": None if card is None else asdict(card.update),
        "stopped": result.stopped,
        "parts": [{**asdict(each), "verdict": each.verdict} for each in result.worth],
        "metrics": metrics_document(rows, "model"),
        "baselines": {name: metrics_document(rows, name) for name in models_of(rows) if name != "model"},
        "seconds": round(result.seconds, 3),
    }


def _print_retraining(done: "Retrained", summary: str) -> None:
    """The same for people."""
    from player.cli.learning.evaluation_text import print_figures
    from player.cli.learning.model_versions import lineage_words, print_blend

    result, card = done.result, done.card
    print(f"Learned from {result.positives} likes and {result.negatives} dislikes ({result.seconds:.1f} s).")
    if card is None:
        print(f"Nothing was trained. {summary}")
        return
    print(f"{lineage_words(card.lineage)}.")
    if result.report is not None:
        print_figures(result.report, "model")
    print_blend(card)
    _print_worth(result.worth)
    print(f"Version {card.version} {'serves from now on' if result.promoted else 'was kept but does not serve'}.")
    print(result.reason)


WORDS = {
    "update": "your latest feedback",
    "habits": "your habits",
    "clep": "your taste in sound (CLEP)",
    "sequence": "what follows what (p_hard)",
    "repetition": "heard before, rested",
}


def _print_worth(parts: "Sequence[Worth]") -> None:
    """What each part moves, and what it gains on the newest feedback, which nothing was learned from."""
    print(f"{'What each part is worth for you':<32}{'share of the score':>19}{'gain in pair AUC (95 %)':>29}")
    for each in parts:
        gain = "–" if each.gain is None else f"{each.gain:+.3f} ({each.low:+.3f} to {each.high:+.3f})"
        print(f"  {WORDS[each.part]:<30}{each.share:>19.0%}{gain:>29}  {each.verdict}")


def evaluate(
    seed: Seed = 0, html: Page = None, policy: PolicyName = None, data_dir: DataDir = None, json: Json = False
) -> None:
    """Say whether what was learned beats plain rules on your newest feedback, by how much, and how sure that is.

    Every figure comes with a 95 % interval from resampling your listening. Nothing that is measured on was trained on. With
    too little feedback it says what can be concluded, what cannot, and about how much more it takes.
    """
    if policy is not None:
        _evaluate_policy(policy, seed, html, data_dir, json=json)
        return
    from player.cli.learning.evaluation_text import evaluation_document, print_evaluation
    from player.learning.retraining import evaluate as measure

    if html is not None:
        check_folder(html, "evaluation.html")
    with opened(data_dir) as home:
        evaluated = measure(home.database, home.paths, seed)
    if evaluated.problem:
        say(evaluated.problem)
    if html is not None:
        from player.reports.evaluation import evaluation_page

        text = evaluation_page(evaluated)
        keep(html, lambda path: path.write_text(text, "utf-8"))
    if json:
        emit_json(evaluation_document(evaluated, html))
        return
    print_evaluation(evaluated)
    if html is not None:
        print(f"\nThe same with pictures: {html.absolute()}")


def _evaluate_policy(name: str, seed: int, html: Path | None, data_dir: Path | None, *, json: bool) -> None:
    """Estimate from the logged decisions what another way of choosing would have been worth."""
    from player.cli.learning.evaluation_text import policy_document, print_policy
    from player.cli.progress import reporting
    from player.errors import UsageError
    from player.trials.offpolicy import evaluate_named

    if html is not None:
        raise UsageError("--policy has no page; leave --html out.")
    with opened(data_dir) as home, reporting(attached=False) as (reporter, _):
        evaluated = evaluate_named(home.database, home.paths, home.settings.station, name, reporter.progress, seed)
    if json:
        emit_json(policy_document(evaluated))
    else:
        print_policy(evaluated)
