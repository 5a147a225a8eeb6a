"""An evaluation as tables of text, the same for the terminal and for the page: what stands where, in which words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from recommender.evaluation.metric_names import Measure
from recommender.evaluation.report import SURE, Comparison, MetricRow, Report, SplitFacts
from recommender.evaluation.verdict import CHANCE_MODEL, LogFacts
from recommender.events import Outcome
from recommender.training.history_evaluation import ListenerReport

NOTHING = "–"
MEANINGS = {
    Measure.PAIR_AUC: "liked above disliked (0.5 = chance)",
    Measure.MRR_POSITIVE: "rank of liked tracks (1 = first)",
    Measure.MRR_NEGATIVE: "rank of disliked (lower is better)",
    Measure.NDCG: "liked tracks among the first ten",
    Measure.GINI: "unevenness over tracks (0 = even)",
    Measure.COVERAGE: "share of the library in first tens",
    Measure.NDCG_REPEAT: "liked and known: place among ten",
    Measure.NDCG_EXPLORE: "liked and new: place among ten",
    Measure.HIT_RATE_REPEAT: "liked and known: in the ten at all",
    Measure.HIT_RATE_EXPLORE: "liked and new: in the ten at all",
    Measure.ENTROPY: "bits: evenness over many tracks",
    Measure.INTRA_LIST_DISTANCE: "unlikeness within a list of ten",
    Measure.NOVELTY: "bits: how rarely heard before",
    Measure.ARTIST_SPREAD: "different artists of ten, over ten",
    Measure.ECE: "gap of P(like) and what came",
    Measure.BRIER: "squared gap (0.25 = a coin)",
    Measure.ACCURACY: "P(like) on the right side of half",
}
"""Short enough for a column beside the figures; ``docs/evaluation.md`` has the definitions."""
MAIN = (Measure.PAIR_AUC, Measure.MRR_POSITIVE, Measure.MRR_NEGATIVE, Measure.NDCG, Measure.GINI, Measure.COVERAGE)
REPEATS = (Measure.NDCG_REPEAT, Measure.NDCG_EXPLORE, Measure.HIT_RATE_REPEAT, Measure.HIT_RATE_EXPLORE)
DIVERSITY = (
    Measure.GINI,
    Measure.COVERAGE,
    Measure.ENTROPY,
    Measure.INTRA_LIST_DISTANCE,
    Measure.NOVELTY,
    Measure.ARTIST_SPREAD,
)
CALIBRATION = (Measure.ECE, Measure.BRIER, Measure.ACCURACY)
OUTCOMES = {
    Outcome.THUMB_UP: "thumb up",
    Outcome.THUMB_DOWN: "thumb down",
    Outcome.FINISH: "finished",
    Outcome.REPLAY: "replayed",
    Outcome.SKIP_EARLY: "skipped early",
    Outcome.SKIP_LATE: "skipped late",
    Outcome.CHOSEN: "chosen by hand",
    Outcome.LEFT: "left for another",
    Outcome.NEVER: "never",
}
MOST_DIGITS, BOUND_DIGITS = 3, 2
DIGITS_LOST_AT = (1.0, 10.0)
"""Figures below 1 show three digits after the point and two in their bounds, those below 10 two, larger ones (bits) one."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text.

    Attributes:
        title: what it shows.
        columns: their headings, the first for what a row is about.
        rows: their cells; a line break within a cell parts a figure from its interval.
        strong: the row that it is about, by its first cell; empty for none.
        about: what the columns mean, a line each.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    strong: str = ""
    about: tuple[str, ...] = ()


def figures_table(report: Report, title: str, measures: Iterable[Measure], strong: str) -> Table:
    """Recommenders down, measures across; measures that nobody has are left out."""
    shown = [which for which in measures if any(row.metric is which for row in report.rows)]
    models = list(dict.fromkeys(row.model for row in report.rows))
    return Table(
        title,
        ("", *map(str, shown)),
        tuple((model, *(_cell(report.row(model, which)) for which in shown)) for model in models) if shown else (),
        strong,
        tuple(f"{which}: {MEANINGS[which]}" for which in shown if which in MEANINGS),
    )


def main_table(report: Report, strong: str) -> Table:
    """The measures that everybody looks at first."""
    title = f"On your newest feedback: {_answers(report)}"
    return figures_table(report, title, MAIN, strong)


def comparison_table(listener: ListenerReport, measure: Measure = Measure.PAIR_AUC) -> Table:
    """The subject against every baseline: by how much, how sure."""
    rows = [each for each in listener.comparisons if each.measure is measure]
    return Table(
        f"The {listener.subject} against each baseline, by {measure}",
        ("", str(measure), "difference", "better", "p", ""),
        tuple(_comparison_row(each) for each in rows),
        about=(
            f"difference: {listener.subject} minus baseline on the same feedback, with its 95 % interval",
            "better: share of the resamples of your listening in which it is the better one",
            "untrained: this player without a trained model, by likeness to the seeds and your own thumbs",
            f"p: after Holm's correction for {len(rows)} comparisons; below {SURE:g} counts as sure",
        ),
    )


def _comparison_row(each: Comparison) -> tuple[str, ...]:
    verdict = "better" if each.surely_better else "worse" if each.surely_worse else "not sure"
    difference = f"{each.difference.mean:+.3f}"
    if each.difference.low is not None and each.difference.high is not None:
        difference += f"\n{each.difference.low:+.2f}…{each.difference.high:+.2f}"
    return (
        each.rival,
        f"{each.theirs:.3f}",
        difference,
        _percent(each.difference.probability_better),
        NOTHING if each.p_holm is None else f"{each.p_holm:.3f}",
        verdict,
    )


def profile_table(listener: ListenerReport) -> Table:
    """Measures down; the subject, its best baseline and chance across: the whole report on one screen."""
    report = listener.evaluation.report
    models = [*shown_models(listener), *([CHANCE_MODEL] if CHANCE_MODEL in listener.evaluation.models else [])]
    measures = dict.fromkeys((*MAIN, *REPEATS, *CALIBRATION, *DIVERSITY))
    shown = [which for which in measures if any(report.row(model, which) for model in models)]
    return Table(
        f"Side by side, on {_answers(report)}",
        ("", *models, ""),
        tuple(
            (str(which), *(_inline(report.row(m, which)) for m in models), MEANINGS.get(which, "")) for which in shown
        ),
    )


def calibration_table(report: Report, strong: str) -> Table:
    """How well probabilities come true, for all recommenders."""
    return figures_table(report, "Does P(like) come true?", CALIBRATION, strong)


def reliability_table(report: Report, model: str) -> Table:
    """Promised and real shares of likes of one recommender, bin by bin."""
    bins = next((each.bins for each in report.reliability if each.model == model), ())
    return Table(
        f"P(like) of the {model}, tenth by tenth",
        ("P(like)", "answers", "promised", "came"),
        tuple(
            (
                f"{_percent(each.low)} to {_percent(each.high)}",
                str(each.rows),
                _percent(each.promised),
                _percent(each.came),
            )
            for each in bins
        ),
        about=("P(like) is read off the score by a curve fitted on the feedback just before that measured on",),
    )


def share_table(report: Report, models: Sequence[str]) -> Table:
    """Pair AUC by how large a share of the feedback before was positive."""
    spans = list(dict.fromkeys((row.share_low, row.share_high) for row in report.by_positive_share))
    found = {(row.model, row.share_low): row for row in report.by_positive_share}
    rows: list[tuple[str, ...]] = []
    for low, high in spans:
        own = [found.get((model, low)) for model in models]
        count = next((str(row.count) for row in own if row is not None), NOTHING)
        aucs = (NOTHING if row is None else f"{row.mean:.3f}" for row in own)
        rows.append((f"{_percent(low)} to {_percent(high)}", count, *aucs))
    return Table(
        f"Pair AUC by each {report.share_unit}'s share of likes so far",
        ("likes so far", f"{report.share_unit}s", *models),
        tuple(rows),
    )


def log_table(facts: LogFacts) -> Table:
    """The whole log in figures."""
    share = facts.likes / facts.judged if facts.judged else None
    rows = [
        ("events", str(facts.events)),
        ("from, to", f"{_day(facts.first)} to {_day(facts.last)}" if facts.events else NOTHING),
        ("sessions", str(facts.sessions)),
        ("stations", str(facts.stations)),
        ("tracks with feedback", f"{facts.tracks} of {facts.library}"),
        ("about a track heard before", _percent(facts.repeats)),
        ("clear answers", f"{facts.judged}: {facts.likes} likes, {facts.dislikes} dislikes"),
        ("share of likes", _percent(share)),
        ("said with a thumb", _percent(facts.explicit / facts.judged if facts.judged else None)),
        ("not measured on: ambiguous, or foretold by a thumb", str(facts.unjudged)),
        *(
            (f"  {OUTCOMES.get(outcome, outcome.name.lower())}", str(count))
            for outcome, count in facts.outcomes.items()
        ),
    ]
    return Table("Your feedback so far", ("", ""), tuple(rows))


def method_lines(listener: ListenerReport) -> tuple[str, ...]:
    """What was measured on and how, a line each."""
    report, split = listener.evaluation.report, listener.evaluation.report.split
    lines = [
        f"Split in time ({split.name}): {_events(split)}.",
        *([] if listener.test_from is None else [f"Measured on what came from {_day(listener.test_from)} on."]),
        f"{_percent(split.cold_share)} of the events measured on are about tracks without an earlier event.",
        *report.notes,
        "Intervals are 95 % bootstrap intervals over sessions; all recommenders share the same resamples.",
    ]
    return tuple(lines)


def left_out_lines(listener: ListenerReport) -> tuple[str, ...]:
    """Which figures and baselines are not there, and why."""
    return (*listener.evaluation.report.omitted, listener.left_out)


def shown_models(listener: ListenerReport) -> tuple[str, ...]:
    """The subject and its best baseline, where there is one: what small tables and charts show."""
    best = listener.conclusion.best
    return (listener.subject,) if best is None else (listener.subject, best)


def _answers(report: Report) -> str:
    counts = ((report.positives, "like"), (report.negatives, "dislike"), (report.pairs, "pair"))
    return ", ".join(f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts)


def _events(split: SplitFacts) -> str:
    return f"{split.train} events to learn from, {split.validation} before the cut for calibration, {split.test} after it to measure on"


def _cell(row: MetricRow | None) -> str:
    if row is None:
        return NOTHING
    if row.low is None or row.high is None:
        return f"{row.mean:.{_digits(row.mean)}f}"
    digits = min(_digits(row.mean), BOUND_DIGITS)
    return f"{row.mean:.{_digits(row.mean)}f}\n{row.low:.{digits}f}–{row.high:.{digits}f}"


def _inline(row: MetricRow | None) -> str:
    """A figure and its interval in one line."""
    figure, _, bounds = _cell(row).partition("\n")
    return f"{figure} ({bounds})" if bounds else figure


def _digits(value: float) -> int:
    return MOST_DIGITS - sum(abs(value) >= size for size in DIGITS_LOST_AT)


def _percent(share: float | None) -> str:
    return NOTHING if share is None else f"{100.0 * share:.0f} %"


def _day(seconds: float | None) -> str:
    return NOTHING if seconds is None else datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d")
