"""An evaluation as one HTML page, without a script; whatever text enters the page is escaped."""

from collections.abc import Iterable, Sequence
from html import escape

from player.learning.retraining import Evaluated
from player.reports import evaluation_view as view
from player.reports.evaluation_charts import SHARES, Mark, bars, difference_scale, forest, reliability_diagram
from player.reports.html_page import asset, filled, html_page
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.report import Comparison
from recommender.evaluation.verdict import CHANCE_MODEL, Standing
from recommender.events import Outcome
from recommender.training.history_evaluation import ListenerReport

TONES = {
    Standing.BETTER: "better",
    Standing.PROBABLY_BETTER: "better",
    Standing.PROBABLY_WORSE: "worse",
    Standing.WORSE: "worse",
}
LIKES = (Outcome.THUMB_UP, Outcome.FINISH, Outcome.REPLAY, Outcome.CHOSEN)
DISLIKES = (Outcome.THUMB_DOWN, Outcome.SKIP_EARLY, Outcome.NEVER)


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
    return f'<p class="conclusion {tone}">{escape(conclusion.sentence)}</p>{_list(conclusion.details)}'


def _against_baselines(listener: ListenerReport) -> str:
    report, subject = listener.evaluation.report, listener.subject
    order = [
        Mark(row.model, row.mean, row.low, row.high, "own" if row.model == subject else "other")
        for row in report.rows
        if row.metric is Measure.PAIR_AUC
    ]
    if not order:
        return ""
    order.sort(key=lambda mark: -mark.mean)
    rivals = [each for each in listener.comparisons if each.measure is Measure.PAIR_AUC and each.rival != CHANCE_MODEL]
    differences = [_difference_mark(each) for each in sorted(rivals, key=lambda each: -each.theirs)]
    return _section(
        "Is it better than plain rules?",
        "How often a liked track is ranked above a disliked one of the same station. Lines are 95 % intervals.",
        _figure(forest("Pair AUC of every recommender", order, SHARES), "Pair AUC; the dashed line is chance"),
        _figure(
            forest("Difference to each baseline", differences, difference_scale(differences)),
            f"Pair AUC of the {subject} minus that of the baseline, chance aside; right of the dashed line it is better",
        ),
        _table(view.comparison_table(listener)),
    )


def _difference_mark(each: Comparison) -> Mark:
    kind = "plus" if each.surely_better else "minus" if each.surely_worse else "other"
    return Mark(each.rival, each.difference.mean, each.difference.low, each.difference.high, kind)


def _repeats_and_shares(listener: ListenerReport) -> str:
    report = listener.evaluation.report
    repeats = view.figures_table(report, "Tracks you knew, and new ones", view.REPEATS, listener.subject)
    shares = view.share_table(report, view.shown_models(listener))
    if not repeats.rows and not shares.rows:
        return ""
    return _section(
        "Known or new, generous or strict",
        "Repeating what you liked is easy; finding something new is not. So they stand apart.",
        _titled(repeats),
        _titled(shares),
    )


def _calibration(listener: ListenerReport) -> str:
    report, subject = listener.evaluation.report, listener.subject
    bins = next((each.bins for each in report.reliability if each.model == subject), ())
    if not bins:
        return ""
    diagram = reliability_diagram(f"Reliability of the {subject}", bins)
    caption = "Promised and real shares of likes; a larger dot holds more answers, on the dashed line promises are kept"
    beside = _table(view.reliability_table(report, subject))
    return _section(
        "Does P(like) come true?",
        "Of the tracks given a chance of 70 %, seven in ten should please.",
        f'<div class="pair">{_figure(diagram, caption)}<div>{beside}</div></div>',
        _titled(view.calibration_table(report, subject), title="Beside the baselines"),
    )


def _diversity(listener: ListenerReport) -> str:
    table = view.figures_table(listener.evaluation.report, "", view.DIVERSITY, listener.subject)
    if not table.rows:
        return ""
    lead = "The ten best tracks of every situation, over the whole library. More varied is not always better: random is the most varied."
    return _section("How varied is what it puts first?", lead, _table(table))


def _log(listener: ListenerReport) -> str:
    outcomes = listener.facts.outcomes
    if not outcomes:
        return ""
    entries = [(view.OUTCOMES.get(each, each.name.lower()), count, _tone(each)) for each, count in outcomes.items()]
    chart = (
        _figure(bars("Events of each kind", entries), "Green is liking, red is not, grey is unclear") if entries else ""
    )
    table = view.log_table(listener.facts)
    plain = view.Table(table.title, table.columns, tuple(row for row in table.rows if not row[0].startswith(" ")))
    return _section("Your feedback so far", "", chart, _table(plain))


def _tone(outcome: Outcome) -> str:
    return "plus" if outcome in LIKES else "minus" if outcome in DISLIKES else "none"


def _all_figures(listener: ListenerReport) -> str:
    report = listener.evaluation.report
    if not report.rows:
        return ""
    others = [each for each in Measure if each not in view.MAIN]
    tables = [view.main_table(report, listener.subject)]
    tables += [
        view.figures_table(report, "", others[start : start + len(view.MAIN)], listener.subject)
        for start in range(0, len(others), len(view.MAIN))
    ]
    body = "".join(_titled(table) for table in tables if table.rows)
    return _section(
        "All figures", "", f"<details><summary>Every measure of every recommender</summary>{body}</details>"
    )


def _method(evaluated: Evaluated) -> str:
    listener = evaluated.report
    problem = [evaluated.problem] if evaluated.problem else []
    return _section(
        "How it was measured",
        "",
        _list([*problem, *view.method_lines(listener)]),
        "<h3>Left out, and why</h3>",
        _list(view.left_out_lines(listener)),
    )


def _section(title: str, lead: str, *parts: str) -> str:
    said = f'<p class="lead">{escape(lead)}</p>' if lead else ""
    return f"<section><h2>{escape(title)}</h2>{said}{''.join(parts)}</section>"


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" if lines else ""


def _titled(table: view.Table, title: str | None = None) -> str:
    if not table.rows:
        return ""
    name = table.title if title is None else title
    return (f"<h3>{escape(name)}</h3>" if name else "") + _table(table)


def _table(table: view.Table) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    heading = f"<thead><tr>{head}</tr></thead>" if any(table.columns) else ""
    rows = "".join(_row(row, strong=row[0] == table.strong) for row in table.rows)
    about = "".join(f"<li>{escape(line)}</li>" for line in table.about)
    below = f'<ul class="about">{about}</ul>' if about else ""
    return f'<div class="scroll"><table>{heading}<tbody>{rows}</tbody></table></div>{below}'


def _row(cells: Iterable[str], *, strong: bool) -> str:
    return f"<tr{' class=strong' if strong else ''}>{''.join(f'<td>{_cell(cell)}</td>' for cell in cells)}</tr>"


def _cell(text: str) -> str:
    """A figure, and its interval below it."""
    figure, _, bounds = text.partition("\n")
    return escape(figure) + (f"<small>{escape(bounds)}</small>" if bounds else "")
