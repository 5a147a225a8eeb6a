"""The help page: every key, and what the player makes of thumbs and skips."""

from __future__ import annotations

import textwrap
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from player.tui.keys import (
    BUILT_IN,
    CHANGE,
    CLOSE_BAR,
    COLUMN,
    HELP_BAR,
    IN_BROWSE,
    IN_FORM,
    IN_INSIGHTS,
    IN_LIBRARY,
    IN_PICKER,
    IN_PLAYLISTS,
    IN_SETTINGS,
    IN_SIMILAR,
    IN_STORY,
    IN_SURVEY,
    IN_WHY,
    ON_MAP,
    PLACES,
    PLAY_ROW,
    PLAY_SELECTED,
    PLAYING,
    QUEUE,
    ROW,
    STATION,
    TO_TRACK,
    Key,
    Keymap,
)
from player.tui.widgets.status_lines import KeyBar
from player.tui.widgets.styled_text import Ink, Inked, Line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult
    from textual.geometry import Size

_COLUMN_GAP = 2
_KEY_CELLS = 7
"""The longest key, so that the sections' sentences stand below one another."""
_NARROWEST = 16
"""Cells; where the sentences would have less, they stand below their keys."""

_MEANING = (
    ("▲ thumb up", "You like the track on this station. Others that sound like it move up."),
    ("▼ thumb down", "It leaves this station, and others like it move down."),
    ("skip, early", "In the first 30 seconds, before half: a strong sign against it."),
    ("skip, later", "The more was played, the weaker the sign; in the last seconds none: that is a finish."),
    ("many skips", "A burst within seconds is browsing, and counts for little."),
    ("finish", "Heard to the end: a sign for it. Replay: a strong one."),
    ("by hand", "A track you choose is wanted; the one you left, a little less."),
    ("everywhere", "U and D are thumbs for all stations; a station's own thumb overrules them there."),
    ("seek", "What you jump over was not heard: the end reached by a jump is no finish."),
    ("not now", "No verdict: the track only rests for a while."),
    ("ignore", "No verdict on the track: one reason is ignored on this station, till you take that back."),
    ("never", "The track is not played again, on any station."),
    ("quit, sleep, error", "Count for nothing."),
)
_MAP_SIGNS = (
    ("▶ 1 2 3", "The playing track, and the way the queue takes from it."),
    ("[ ]", "The cursor. Neighbours sound alike; distances across the map mean little."),
)
_LISTS = (
    (
        "↑ ↓ j k",
        "Up and down; a number before it counts, as in 5 j, and stands at the right of the keys while it is typed.",
    ),
    ("g G", "To the first row, and to the last, or to the one of the number before it."),
)
_SIGNS = (
    ("◆1 ◆2", "Pinned by you, in this order; they play before all that is ranked."),
    ("▲3 ▼2 ●", "How far the last press moved a row of the queue; ● is new in it."),
    ("↗ ↘ →", "The queue makes what you hear more varied, less so, or leaves it as it is."),
    (
        "few – many artists",
        "How evenly your last plays spread over artists. F12 adds the figure: the Gini index, 0 when all \
artists are played alike, towards 1 when one has all.",
    ),
    ("alike – different", "How far apart the last tracks lie by sound: the mean distance of two of them, 0 to 2."),
    ("same corner – all over", "The share of what the station may play that was played lately."),
    ("repeats – new tracks", "The share of the last plays that were heard before."),
)


class HelpPage(Inked):
    """Sections of two columns; a long sentence goes on below its beginning."""

    @property
    def _keymap(self) -> Keymap:
        return getattr(self.app, "keymap", BUILT_IN)

    def line(self, y: int, width: int) -> Line:
        """One line of the page."""
        lines = _page(width, self._keymap)
        return lines[y] if y < len(lines) else []

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """All of it; the page scrolls."""
        del container, viewport
        return len(_page(width, self._keymap))


class HelpScreen(ModalScreen[None]):
    """One page, scrolled where it does not fit."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter,space", "leave", "back", show=False),
        Binding("j", "scroll(1)", "down", show=False),
        Binding("k", "scroll(-1)", "up", show=False),
    ]

    def compose(self) -> ComposeResult:
        """The page and its keys."""
        with VerticalScroll(id="page"):
            yield HelpPage(id="help")
        yield KeyBar(HELP_BAR, CLOSE_BAR, id="keys")

    def action_leave(self) -> None:
        """Back."""
        self.dismiss(None)

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self.query_one("#page").scroll_relative(y=lines, animate=False)


@lru_cache(maxsize=4)
def _page(width: int, keymap: Keymap) -> list[Line]:
    def _keys(keys: Iterable[Key]) -> tuple[tuple[str, str], ...]:
        return tuple((keymap.shown(key), key.help) for key in keys)

    sections = (
        ("The playing track", _keys(PLAYING)),
        ("Any list", _LISTS),
        ("A selected track", _keys((PLAY_ROW, *ROW))),
        ("The queue", _keys(QUEUE)),
        ("The station", _keys(STATION)),
        ("Among the stations", _keys(IN_PICKER)),
        ("The form of a station", _keys(IN_FORM)),
        ("Places and work", _keys(PLACES)),
        ("In the library", _keys((PLAY_SELECTED, COLUMN, *IN_BROWSE))),
        ("Among the playlists", _keys((PLAY_SELECTED, COLUMN, *IN_PLAYLISTS))),
        ("Among all tracks", _keys(IN_LIBRARY)),
        ("Why a track", _keys(IN_WHY)),
        ("All about a track", _keys(IN_STORY)),
        ("Among the insights", _keys(IN_INSIGHTS)),
        ("Among the settings", _keys((CHANGE, *IN_SETTINGS))),
        ("Among similar tracks", _keys(IN_SIMILAR)),
        ("On the map", (*_keys((TO_TRACK, *ON_MAP)), *_MAP_SIGNS)),
        ("In the survey", _keys(IN_SURVEY)),
        ("What feedback means", _MEANING),
        ("Signs", _SIGNS),
    )
    return [line for title, rows in sections for line in _section(title, rows, width)][:-1]


def _section(title: str, rows: tuple[tuple[str, str], ...], width: int) -> list[Line]:
    left = max(_KEY_CELLS, *(len(name) for name, _ in rows)) + _COLUMN_GAP
    lines: list[Line] = [[(title, Ink.STRONG)]]
    for name, text in rows:
        if width - left < _NARROWEST:
            lines.append([(name, Ink.ACCENT)])
            lines += [[(part, Ink.TEXT)] for part in textwrap.wrap(text, max(width, 1))]
            continue
        first, *others = textwrap.wrap(text, width - left)
        lines.append([(f"{name:<{left}}", Ink.ACCENT), (first, Ink.TEXT)])
        lines += [[(" " * left + other, Ink.TEXT)] for other in others]
    return [*lines, []]
