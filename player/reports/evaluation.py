"""The report of an evaluation: its tables, the same in the terminal and on the page, and the page itself.

The page has no script; whatever text enters it is escaped.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape

from player.learning.retraining import Evaluated
from player.reports.charts import (
    AXIS,
    ROW,
    SQUARE,
    WIDE,
    Mark,
    around_zero,
    bars,
    forest,
    reliability_diagram,
    svg,
)
from player.reports.page import Table, asset, bullets, figure, filled, html_page, html_table, section, titled
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.report import SURE, Comparison, MetricRow, Report, SplitFacts
from recommender.evaluation.verdict import CHANCE_MODEL, LogFacts, Standing
from recommender.events import Outcome
from recommender.training.history_evaluation import ListenerReport

NOTHING = "–"
CHANCE = 0.5
"""Pair AUC of whoever knows nothing."""
MEANINGS = {
    Measure.PAIR_AUC: "liked above disliked (0.5 = chance)",
    Measure.PAIR_AUC_SESSION: "the same within half-hour sessions",
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
"""Short enough for a column beside the figures; ``docs/research/evaluation.md`` has the definitions."""
MAIN = (
    Measure.PAIR_AUC_SESSION,
    Measure.PAIR_AUC,
    Measure.MRR_POSITIVE,
    Measure.MRR_NEGATIVE,
    Measure.NDCG,
    Measure.GINI,
    Measure.COVERAGE,
)
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
TONES = {
    Standing.BETTER: "better",
    Standing.PROBABLY_BETTER: "better",
    Standing.PROBABLY_WORSE: "worse",
    Standing.WORSE: "worse",
}
LIKES = (Outcome.THUMB_UP, Outcome.FINISH, Outcome.REPLAY, Outcome.CHOSEN)
DISLIKES = (Outcome.THUMB_DOWN, Outcome.SKIP_EARLY, Outcome.NEVER)
MOST_DIGITS, BOUND_DIGITS = 3, 2
DIGITS_LOST_AT = (1.0, 10.0)
"""Figures below 1 show three digits after the point and two in their bounds, those below 10 two, larger ones (bits) one."""


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
            "untrained: this player without a trained model, by likeness to the station and your own thumbs",
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
    """Calibration of the probabilities of all recommenders."""
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
    """The data measured on and the method, a line each."""
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
    """The figures and baselines that are not there, each with its reason."""
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


# --- the page


def evaluation_page(evaluated: Evaluated) -> str:
    """The page, complete."""
    listener = evaluated.report
    sections = [
        _against_baselines(listener),
        _repeats_and_shares(listener),
        _calibration(listener),
        _diversity(listener),
        _log(listener),
        _all_figures(listener),
        _method(evaluated),
    ]
    parts = {
        "OVER": escape(_over(evaluated)),
        "CONCLUSION": _conclusion(listener),
        "SECTIONS": "\n".join(section for section in sections if section),
    }
    return html_page("What the player has learned", asset("report.css"), filled(asset("evaluation.html"), parts))


def _over(evaluated: Evaluated) -> str:
    measured = f"model {evaluated.version}" if evaluated.version else "no trained model yet: the untrained player"
    return f"Your feedback, measured on your machine · {measured}"


def _conclusion(listener: ListenerReport) -> str:
    conclusion = listener.conclusion
    tone = TONES.get(conclusion.standing, "")
    return f'<p class="conclusion {tone}">{escape(conclusion.sentence)}</p>{bullets(conclusion.details)}'


def _against_baselines(listener: ListenerReport) -> str:
    report, subject = listener.evaluation.report, listener.subject
    order = [
        Mark(row.model, row.mean, row.low, row.high, "accent" if row.model == subject else "rival")
        for row in report.rows
        if row.metric is Measure.PAIR_AUC
    ]
    if not order:
        return ""
    order.sort(key=lambda mark: -mark.mean)
    rivals = [each for each in listener.comparisons if each.measure is Measure.PAIR_AUC and each.rival != CHANCE_MODEL]
    differences = [_difference_mark(each) for each in sorted(rivals, key=lambda each: -each.theirs)]
    return section(
        "Is it better than plain rules?",
        "How often a liked track is ranked above a disliked one of the same station. Lines are 95 % intervals.",
        figure(
            _forest("Pair AUC of every recommender", order, (0.0, 1.0), CHANCE), "Pair AUC; the dashed line is chance"
        ),
        figure(
            _forest("Difference to each baseline", differences, around_zero(differences), 0.0),
            f"Pair AUC of the {subject} minus that of the baseline, chance aside; right of the dashed line it is better",
        ),
        html_table(comparison_table(listener)),
    )


def _difference_mark(each: Comparison) -> Mark:
    colour = "plus" if each.surely_better else "minus" if each.surely_worse else "rival"
    return Mark(each.rival, each.difference.mean, each.difference.low, each.difference.high, colour)


def _forest(title: str, marks: Sequence[Mark], ends: tuple[float, float], even: float) -> str:
    return svg(title, WIDE, ROW * len(marks) + AXIS, lambda axes: forest(axes, marks, ends, even))


def _repeats_and_shares(listener: ListenerReport) -> str:
    report = listener.evaluation.report
    repeats = figures_table(report, "Tracks you knew, and new ones", REPEATS, listener.subject)
    shares = share_table(report, shown_models(listener))
    if not repeats.rows and not shares.rows:
        return ""
    return section(
        "Known or new, generous or strict",
        "Repeating what you liked is easy; finding something new is not. So they stand apart.",
        titled(repeats),
        titled(shares),
    )


def _calibration(listener: ListenerReport) -> str:
    report, subject = listener.evaluation.report, listener.subject
    bins = next((each.bins for each in report.reliability if each.model == subject), ())
    if not bins:
        return ""
    diagram = svg(f"Reliability of the {subject}", SQUARE, SQUARE, lambda axes: reliability_diagram(axes, bins))
    caption = "Promised and real shares of likes; a larger dot holds more answers, on the dashed line promises are kept"
    beside = html_table(reliability_table(report, subject))
    return section(
        "Does P(like) come true?",
        "Of the tracks given a chance of 70 %, seven in ten should please.",
        f'<div class="pair">{figure(diagram, caption)}<div>{beside}</div></div>',
        titled(calibration_table(report, subject), title="Beside the baselines"),
    )


def _diversity(listener: ListenerReport) -> str:
    table = figures_table(listener.evaluation.report, "", DIVERSITY, listener.subject)
    if not table.rows:
        return ""
    lead = "The ten best tracks of every situation, over the whole library. More varied is not always better: random is the most varied."
    return section("How varied is what it puts first?", lead, html_table(table))


def _log(listener: ListenerReport) -> str:
    outcomes = listener.facts.outcomes
    if not outcomes:
        return ""
    entries = [(OUTCOMES.get(each, each.name.lower()), count, _tone(each)) for each, count in outcomes.items()]
    chart = svg("Events of each kind", WIDE, ROW * len(entries), lambda axes: bars(axes, entries))
    table = log_table(listener.facts)
    plain = Table(table.title, table.columns, tuple(row for row in table.rows if not row[0].startswith(" ")))
    return section(
        "Your feedback so far",
        "",
        figure(chart, "Green is liking, red is not, grey is unclear"),
        html_table(plain),
    )


def _tone(outcome: Outcome) -> str:
    return "plus" if outcome in LIKES else "minus" if outcome in DISLIKES else "none"


def _all_figures(listener: ListenerReport) -> str:
    report = listener.evaluation.report
    if not report.rows:
        return ""
    others = [each for each in Measure if each not in MAIN]
    tables = [main_table(report, listener.subject)]
    tables += [
        figures_table(report, "", others[start : start + len(MAIN)], listener.subject)
        for start in range(0, len(others), len(MAIN))
    ]
    body = "".join(titled(table) for table in tables if table.rows)
    return section("All figures", "", f"<details><summary>Every measure of every recommender</summary>{body}</details>")


def _method(evaluated: Evaluated) -> str:
    listener = evaluated.report
    problem = [evaluated.problem] if evaluated.problem else []
    return section(
        "How it was measured",
        "",
        bullets([*problem, *method_lines(listener)]),
        "<h3>Left out, and why</h3>",
        bullets(left_out_lines(listener)),
    )
