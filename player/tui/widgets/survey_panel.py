"""The clip that is asked about, what was answered so far, and what there is to say."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from player.survey.view import SurveyView
from player.tui.text import bar, clock, dotted, fit, plain
from player.tui.widgets.styled_text import Ink, Inked, Line, width_of

if TYPE_CHECKING:
    from player.survey.view import Answer, Clip

_MARGIN = 2
"""Cells before the title: the sign and a space."""
_BAR_MOST = 50
_WORD_LINES = 3
_SIGNS: dict[Answer, tuple[str, Ink]] = {"like": ("▲", Ink.GOOD), "dislike": ("▼", Ink.BAD), "skip": ("·", Ink.DIM)}
_HINT = (
    "A few seconds of a track: do you like it? Your answers count on every station. Leave and go on whenever you want."
)
_OVER = "That was it: l, d or s? Space plays it again."
_UNLOADED = SurveyView()


class SurveyPanel(Inked):
    """Title, origin, the clip's bar; the last answers; a sentence; what all this is for."""

    _view = _UNLOADED
    _problem = ""

    def show(self, view: SurveyView, problem: str) -> None:
        """Show another view, or a problem in place of its words; what looks the same is not drawn again."""
        if (view, problem) != (self._view, self._problem):
            self._view, self._problem = view, problem
            self.refresh()

    def line(self, y: int, width: int) -> Line:
        """One line of it."""
        lines = self._lines(width)
        return lines[y] if y < len(lines) else []

    def _lines(self, width: int) -> list[Line]:
        clip = self._view.clip
        asked = [] if clip is None else [*_clip_lines(clip, self._view, width), []]
        answers = [_marks(self._view.marks, width), []] if self._view.marks else []
        words = _wrapped(self._problem or self._view.words, Ink.BAD if self._problem else Ink.TEXT, width)
        return [*asked, *answers, *words, *([[]] if words else []), *self._hint(width)]

    def _hint(self, width: int) -> list[Line]:
        view = self._view
        if view.clip is None:
            return []
        hint = _OVER if view.over else "" if view.marks else _HINT
        return _wrapped(hint, Ink.DIM, width)


def _clip_lines(clip: Clip, view: SurveyView, width: int) -> list[Line]:
    track, room = clip.track, width - _MARGIN
    year = str(track.year) if track.year is not None and track.year > 0 else ""
    return [
        [("▶ " if view.sounding else "■ ", Ink.ACCENT), (fit(track.title, room), Ink.TITLE)],
        [(" " * _MARGIN + fit(dotted((track.artist, track.album, year)), room), Ink.TEXT)],
        [],
        _course(clip, view, width),
    ]


def _course(clip: Clip, view: SurveyView, width: int) -> Line:
    """How much of the clip was heard, and where in the track it lies."""
    elapsed, length = f"  {clock(view.heard)} ", f" {clock(clip.seconds)}"
    place = f"   from {clock(clip.start)} of {clock(clip.track.duration)}" if clip.track.duration > 0 else ""
    volume = f"   vol {round(100 * view.volume)} %"
    cells = min(max(width - len(elapsed) - len(length) - len(place) - len(volume), 0), _BAR_MOST)
    done, rest = bar(view.heard / clip.seconds if clip.seconds > 0 else 0.0, cells)
    line: Line = [(elapsed, Ink.TEXT), (done, Ink.ACCENT), (rest, Ink.DIM), (length, Ink.DIM)]
    for fact in (place, volume):
        if width_of(line) + len(fact) <= width:
            line.append((fact, Ink.DIM))
    return line


def _marks(marks: tuple[Answer, ...], width: int) -> Line:
    """The last answers, as many as fit."""
    return [(" " * _MARGIN, Ink.TEXT), *(_SIGNS[mark] for mark in marks[-max(width - _MARGIN, 1) :])]


def _wrapped(text: str, ink: Ink, width: int) -> list[Line]:
    lines = textwrap.wrap(plain(text), max(width - _MARGIN, 1), max_lines=_WORD_LINES, placeholder="…")
    return [[(" " * _MARGIN + line, ink)] for line in lines]
