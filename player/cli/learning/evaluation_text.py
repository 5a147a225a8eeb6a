"""Output of ``player evaluate``: the conclusion first, then the tables it rests on; and the same as one document."""

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table as RichTable

from player.learning.retraining import Evaluated
from player.reports import evaluation as view
from player.reports.page import Table
from player.trials.offpolicy import PolicyEvaluation
from recommender.evaluation.offpolicy import CAP, FEWEST_EFFECTIVE, Value
from recommender.evaluation.report import Comparison, MetricRow, Report
from recommender.evaluation.verdict import CHANCE_MODEL
from recommender.training.history_evaluation import ListenerReport

NARROW, WIDE = 104, 118
"""Columns of a terminal below which a table goes without its least read figures, and without meanings beside them."""
LEAST_READ = ("NDCG@10", CHANCE_MODEL)
UNTRAINED_HINT = "there is no trained model yet: only the baselines are measured (`player retrain` makes one)"
LEAST_UNKNOWN = 0.0005
"""Share of choices told of: less than that reads as 0.0 %."""


def print_evaluation(evaluated: Evaluated) -> None:
    """The whole report for people."""
    listener, console = evaluated.report, Console()
    report, subject = listener.evaluation.report, listener.subject
    console.print(Padding(f"[bold]{escape(listener.conclusion.sentence)}[/bold]", (1, 0)), highlight=False)
    _print_lines(console, [*listener.conclusion.details, *([] if evaluated.version else [_sentence(UNTRAINED_HINT)])])
    if listener.facts.events == 0:
        return
    console.print()
    if report.rows:
        _print_table(console, _in_one_line(view.comparison_table(listener)))
        _print_table(console, _narrowed(console, view.profile_table(listener)))
        _print_table(console, view.share_table(report, view.shown_models(listener)))
        _print_table(console, view.reliability_table(report, subject))
    _print_table(console, view.log_table(listener.facts))
    console.print("How it was measured", style="italic")
    _print_lines(console, view.method_lines(listener))
    console.print("\nLeft out", style="italic")
    _print_lines(console, [_sentence(line) for line in view.left_out_lines(listener)])


def print_figures(report: Report, strong: str) -> None:
    """The main measures alone, as after a retraining."""
    console = Console()
    _print_table(console, _narrowed(console, view.main_table(report, strong)))


def evaluation_document(evaluated: Evaluated, page: Path | None) -> dict[str, object]:
    """The report as one JSON document."""
    listener = evaluated.report
    report, conclusion = listener.evaluation.report, listener.conclusion
    return {
        "model_version": evaluated.version,
        "subject": listener.subject,
        "conclusion": conclusion.sentence,
        "standing": str(conclusion.standing),
        "details": list(conclusion.details),
        "best_baseline": conclusion.best,
        "more_events": conclusion.more_events,
        "split": _split_document(listener),
        "log": _log_document(listener),
        "positives": report.positives,
        "negatives": report.negatives,
        "pairs": report.pairs,
        "results": [_row_document(row) for row in report.rows],
        "metrics": metrics_document(report.rows, "model"),
        "baselines": {name: metrics_document(report.rows, name) for name in models_of(report.rows) if name != "model"},
        "comparisons": [_comparison_document(each) for each in listener.comparisons],
        "by_positive_share": [{**asdict(row), "unit": report.share_unit} for row in report.by_positive_share],
        "positive_shares": [asdict(each) for each in report.positive_shares],
        "calibration": [
            {"model": each.model, "bins": [asdict(entry) for entry in each.bins]} for each in report.reliability
        ],
        "omitted": list(report.omitted),
        "baselines_left_out": listener.left_out,
        "missing": [*report.omitted, *([] if evaluated.version else [UNTRAINED_HINT])],
        "notes": list(report.notes),
        "problem": evaluated.problem or None,
        "html": None if page is None else str(page.absolute()),
    }


def models_of(rows: Iterable[MetricRow]) -> list[str]:
    """Names of the recommenders, in order."""
    return list(dict.fromkeys(row.model for row in rows))


def metrics_document(rows: Iterable[MetricRow], model: str) -> dict[str, dict[str, float | None]]:
    """All figures of one recommender by the key of their measure."""
    return {row.metric.key: {"mean": row.mean, "low": row.low, "high": row.high} for row in rows if row.model == model}


def _row_document(row: MetricRow) -> dict[str, object]:
    return {"model": row.model, "metric": row.metric.key, "mean": row.mean, "low": row.low, "high": row.high}


def _comparison_document(each: Comparison) -> dict[str, object]:
    return {
        "baseline": each.rival,
        "metric": each.measure.key,
        "own": each.own,
        "theirs": each.theirs,
        "difference": each.difference.mean,
        "low": each.difference.low,
        "high": each.difference.high,
        "probability_better": each.difference.probability_better,
        "p": each.p,
        "p_holm": each.p_holm,
        "surely_better": each.surely_better,
        "surely_worse": each.surely_worse,
    }


def _split_document(listener: ListenerReport) -> dict[str, object]:
    split = listener.evaluation.report.split
    return {**asdict(split), "state": str(split.state), "test_from": _moment(listener.test_from)}


def _log_document(listener: ListenerReport) -> dict[str, object]:
    facts = listener.facts
    return {
        **asdict(facts),
        "outcomes": {outcome.name.lower(): count for outcome, count in facts.outcomes.items()},
        "first": _moment(facts.first),
        "last": _moment(facts.last),
    }


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def _narrowed(console: Console, table: Table) -> Table:
    """Without the columns that a terminal is too narrow for."""
    hidden = {*(LEAST_READ if console.width < NARROW else ()), *([""] if console.width < WIDE else [])}
    kept = [place for place, column in enumerate(table.columns) if not place or column not in hidden]
    rows = tuple(tuple(row[place] for place in kept) for row in table.rows)
    about = tuple(line for line in table.about if line.split(":")[0] not in hidden)
    return replace(table, columns=tuple(table.columns[place] for place in kept), rows=rows, about=about)


def _in_one_line(table: Table) -> Table:
    """With intervals beside their figures."""
    rows = (tuple(" (".join(cell.split("\n")) + (")" if "\n" in cell else "") for cell in row) for row in table.rows)
    return replace(table, rows=tuple(rows))


def _print_table(console: Console, table: Table) -> None:
    """One table, what it is about below it; nothing for one without rows."""
    if not table.rows:
        return
    console.print(escape(table.title), style="italic", highlight=False)
    shown = RichTable(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_header=any(table.columns),
    )
    for place, column in enumerate(table.columns):
        left = place == 0 or (not column and place == len(table.columns) - 1)
        shown.add_column(escape(column), justify="left" if left else "right", no_wrap=place == 0)
    for row in table.rows:
        shown.add_row(*map(escape, row), style="bold" if row[0] == table.strong else None)
    console.print(shown)
    for line in table.about:
        console.print(Padding(escape(line), (0, 0, 0, 2)), style="dim", highlight=False)
    if table.about:
        console.print()


def _print_lines(console: Console, lines: Iterable[str]) -> None:
    for line in lines:
        console.print(Padding(escape(line), (0, 0, 0, 2)), highlight=False)


def _sentence(text: str) -> str:
    """A reason that was written to follow a colon, as a sentence of its own."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def policy_document(evaluated: PolicyEvaluation) -> dict[str, Any]:
    """The estimates as a JSON document."""
    report = evaluated.report
    return {
        **asdict(report),
        "verdict": report.verdict,
        "cap": CAP,
        "fewest_effective": FEWEST_EFFECTIVE,
        "version": evaluated.version,
        "since": _since(evaluated.since),
    }


def print_policy(evaluated: PolicyEvaluation) -> None:
    """The estimates for a person."""
    report = evaluated.report
    version = "" if evaluated.version is None else f" ({evaluated.version})"
    plural = "" if report.sessions == 1 else "s"
    print(f"“{report.policy}”{version} on {report.decisions} judged decisions, {report.sessions} session{plural}")
    if evaluated.since:
        print(f"  since {_since(evaluated.since)}: it has learned from what came before")
    if report.decisions:
        print(f"  liking of what was served     {_value(report.logged)}")
        print(f"  SNIPS                         {_value(report.snips)}")
        print(f"  doubly robust                 {_value(report.doubly_robust)}")
        print(f"  doubly robust less served     {_value(report.lead, '+')}")
        print(
            f"  effective sample size {report.effective:.1f}; weights capped at {CAP:g} in {report.capped:.1%}, the largest "
            f"was {report.largest_weight:.1f}"
        )
        if report.unknown >= LEAST_UNKNOWN:
            print(
                f"  {report.unknown:.1%} of its choices lie on tracks beyond the thousand that a decision keeps: doubly "
                f"robust may be off by {report.unknown:.3f}"
            )
    print(report.verdict)


def _value(value: Value, sign: str = "") -> str:
    bounds = "" if value.low is None else f"  ({value.low:{sign}.3f} to {value.high:{sign}.3f})"
    return f"{value.mean:{sign}.3f}{bounds}"


def _since(seconds: float) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds else None
