"""A period's diversity as one HTML page that needs nothing else: no script, no request, light and dark.

Whatever text enters the page is escaped, and the page's own policy lets no script run and nothing be fetched.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files

from player.listening.diversity_charts import course_chart, lorenz_chart
from player.listening.diversity_history import DiversityHistory
from player.listening.diversity_view import about, comparison, table


def diversity_page(history: DiversityHistory) -> str:
    """The page, complete."""
    heading, *figures = table(history)
    parts = {
        "STYLE": _asset("evaluation_assets", "evaluation.css") + _asset("diversity_assets", "diversity.css"),
        "ABOUT": escape(about(history)),
        "SENTENCE": escape(history.sentence),
        "LORENZ": lorenz_chart(history),
        "ARTISTS": _table(("most played", "plays"), [(each.artist, f"{each.plays:,}") for each in history.top]),
        "COURSE": course_chart(history),
        "COURSE_LEAD": escape(course_lead(history)),
        "COMPARISON": escape(comparison(history)),
        "FIGURES": _table(heading, figures),
    }
    # In one pass: what is put in is not looked at again.
    names = "|".join(parts)
    page = re.sub(f"@({names})@", lambda place: parts[place[1]], _asset("diversity_assets", "diversity.html"))
    # A lone surrogate, as in names that are no UTF-8, cannot be written to a file.
    return page.encode("utf-8", "replace").decode()


def course_lead(history: DiversityHistory) -> str:
    """What the course shows."""
    changes = len(history.models) - 1
    marked = " A dashed line stands where another model began to choose." if changes > 0 else ""
    return f"Gini index of the last {history.window} plays; lower is more varied.{marked}"


def _asset(folder: str, name: str) -> str:
    return (files("player.listening") / folder / name).read_text("utf-8")


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heading)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
