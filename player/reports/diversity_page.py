"""A period's diversity as one HTML page, without a script; whatever text enters the page is escaped."""

from collections.abc import Iterable, Sequence
from html import escape

from player.insight.diversity_history import DiversityHistory
from player.reports.diversity_charts import course_chart, lorenz_chart
from player.reports.diversity_view import about, comparison, table
from player.reports.html_page import asset, filled, html_page


def diversity_page(history: DiversityHistory) -> str:
    """The page, complete."""
    heading, *figures = table(history)
    parts = {
        "ABOUT": escape(about(history)),
        "SENTENCE": escape(history.sentence),
        "LORENZ": lorenz_chart(history),
        "ARTISTS": _table(("most played", "plays"), [(each.artist, f"{each.plays:,}") for each in history.top]),
        "COURSE": course_chart(history),
        "COURSE_LEAD": escape(course_lead(history)),
        "COMPARISON": escape(comparison(history)),
        "FIGURES": _table(heading, figures),
    }
    styles = asset("report.css") + asset("diversity.css")
    return html_page("How varied your listening was", styles, filled(asset("diversity.html"), parts))


def course_lead(history: DiversityHistory) -> str:
    """What the course shows."""
    changes = len(history.models) - 1
    marked = " A dashed line stands where another model began to choose." if changes > 0 else ""
    return f"Gini index of the last {history.window} plays; lower is more varied.{marked}"


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heading)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
