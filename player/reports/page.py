"""HTML pages that need nothing else: no server, no library, no request, in light and dark.

A page's own policy lets nothing be fetched, and no script run but the one that the page was made with.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files


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


def html_page(title: str, styles: str, body: str, script: str = "") -> str:
    """The page, complete.

    Args:
        title: of the window.
        styles: rules besides the colours, which all pages share.
        body: safe HTML.
        script: the one that the body has, if it has one.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = filled(
        asset("page.html"),
        {
            "SCRIPTS": f"script-src 'sha256-{digest}'; " if script else "",
            "TITLE": escape(title),
            "STYLE": asset("colours.css") + styles,
            "BODY": body,
        },
    )
    # A lone surrogate, as in names that are no UTF-8, cannot be written to a file.
    return page.encode("utf-8", "replace").decode()


def asset(name: str) -> str:
    """A part of a page, as it lies beside this module."""
    return (files("player.reports") / "assets" / name).read_text("utf-8")


def filled(template: str, parts: Mapping[str, str]) -> str:
    """A template with every ``@NAME@`` replaced, in one pass: what is put in is not looked at again."""
    return re.sub(f"@({'|'.join(parts)})@", lambda place: parts[place[1]], template)


def section(title: str, lead: str, *parts: str) -> str:
    """A part of the page below a heading; ``parts`` are safe HTML."""
    said = f'<p class="lead">{escape(lead)}</p>' if lead else ""
    return f"<section><h2>{escape(title)}</h2>{said}{''.join(parts)}</section>"


def figure(svg: str, caption: str = "") -> str:
    """A chart and what it shows."""
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f"<figure>{svg}{below}</figure>"


def bullets(lines: Sequence[str]) -> str:
    """A list; nothing of no lines."""
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" if lines else ""


def titled(shown: Table, title: str | None = None) -> str:
    """A table below its title, or another one; nothing of one without rows."""
    if not shown.rows:
        return ""
    name = shown.title if title is None else title
    return (f"<h3>{escape(name)}</h3>" if name else "") + html_table(shown)


def html_table(shown: Table) -> str:
    """A table, and below it what its columns mean."""
    head = "".join(f"<th>{escape(column)}</th>" for column in shown.columns)
    heading = f"<thead><tr>{head}</tr></thead>" if any(shown.columns) else ""
    rows = "".join(_row(row, strong=row[0] == shown.strong) for row in shown.rows)
    about = "".join(f"<li>{escape(line)}</li>" for line in shown.about)
    below = f'<ul class="about">{about}</ul>' if about else ""
    return f'<div class="scroll"><table>{heading}<tbody>{rows}</tbody></table></div>{below}'


def _row(cells: Iterable[str], *, strong: bool) -> str:
    return f"<tr{' class=strong' if strong else ''}>{''.join(f'<td>{_cell(cell)}</td>' for cell in cells)}</tr>"


def _cell(text: str) -> str:
    """A figure, and its interval below it."""
    value, _, bounds = text.partition("\n")
    return escape(value) + (f"<small>{escape(bounds)}</small>" if bounds else "")
