"""The one-line parts: headings, the job that runs, notices, and the key bar."""

from __future__ import annotations

import textwrap
from functools import partial
from typing import TYPE_CHECKING

from player.tui.keys import ALWAYS_BAR, BUILT_IN, Key
from player.tui.text import bar, dotted, fit, left_over, number, plain, sparkline
from player.tui.widgets.styled_text import Ink, Inked, Line, spread, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.geometry import Size

    from player.stations.snapshot import JobView, QueueRow

_BAR_MOST = 60
_BAR_LEAST = 6
_STOP: Line = [("  ^x", Ink.ACCENT), (" stop", Ink.DIM)]
_PAUSE: Line = [("  P", Ink.ACCENT), (" pause", Ink.DIM), *_STOP]
_GO_ON: Line = [("  P", Ink.ACCENT), (" go on", Ink.DIM), *_STOP]
_NOTICE_LINES = 2
_INDENT = 5
"""A reason starts below the titles of the queue."""
_RESULT_SECONDS = 8.0
"""A sentence of twenty words is read by then."""
_CURVE = 12
"""Cells for the course of the training metric."""


class Heading(Inked):
    """Words at the left, facts at the right where there is room."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._left: Line = []
        self._right = ""

    def show(self, title: str, name: str = "", facts: str = "") -> None:
        """Show other words."""
        self._left = [(title, Ink.STRONG), (f"  {plain(name)}" if name else "", Ink.ACCENT)]
        self._right = facts
        self.refresh()

    def line(self, y: int, width: int) -> Line:
        """The one line."""
        if y:
            return []
        room = width - width_of(self._left[:1])
        left: Line = [*self._left[:1], *((fit(text, room), ink) for text, ink in self._left[1:])]
        return spread(left, [(self._right, Ink.DIM)], width)


class JobLine(Inked):
    """The background job: stage, bar, time left, metric; its summary when it has ended."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._job: JobView | None = None
        self._metrics: list[float] = []
        self._losses: list[float] = []

    def show(self, job: JobView | None) -> None:
        """Show the job as it stands; without one the line takes no room."""
        if job is not None and job.quiet and not job.finished:
            job = None
        if job == self._job:
            return
        if job is None or self._job is None or job.name != self._job.name or self._job.finished:
            self._metrics, self._losses = [], []
        if job is not None and job.metric is not None and self._metrics[-1:] != [job.metric]:
            self._metrics.append(job.metric)
        if job is not None and job.loss is not None and self._losses[-1:] != [job.loss]:
            self._losses.append(job.loss)
        self._job = job
        self.set_class(job is not None and not job.finished, "-running")
        self.set_class(job is not None and job.finished, "-ended")
        self.refresh()
        if job is not None and job.finished:
            self.set_timer(_RESULT_SECONDS, partial(self._forget, job))

    def _forget(self, job: JobView) -> None:
        """Take the result away once it could be read."""
        if job is self._job:
            self.remove_class("-ended")

    def line(self, y: int, width: int) -> Line:
        """What runs and how to stop it; below, how far it is."""
        job = self._job
        if job is None:
            return []
        name: Line = [(f"{job.title}  ", Ink.ACCENT)]
        room = width - width_of(name)
        if job.finished:
            return [*name, (fit(job.summary, room), Ink.TEXT)] if y == 0 else []
        if y == 0:
            # Only listening to the library can be paused.
            steer = _GO_ON if job.paused else _PAUSE if job.name == "embed" else _STOP
            # While it is counted the count says it all.
            stage = "" if job.stage.startswith(job.title) else job.stage
            said = dotted((_counted(job), stage))
            return spread([*name, (fit(said, room - width_of(steer)), Ink.TEXT)], steer, width)
        return self._progress(job, width)

    def _progress(self, job: JobView, width: int) -> Line:
        facts: Line = []
        for name, value, course in (("loss", job.loss, self._losses), ("AUC", job.metric, self._metrics)):
            if value is not None:
                facts.append(((" · " if width_of(facts) else "") + f"{name} {value:.3f}", Ink.TEXT))
            if value is not None and len(course) > 1:
                facts.append((" " + sparkline(course, min(len(course), _CURVE)), Ink.ACCENT))
        cells = min(width - width_of(facts) - 2, _BAR_MOST)
        if cells < _BAR_LEAST:
            return facts
        done, rest = bar(job.done / job.total if job.total > 0 else 0.0, cells)
        return [(done, Ink.ACCENT), (rest + "  ", Ink.DIM), *facts]


def _counted(job: JobView) -> str:
    """How far it is and how long it takes: "12 of 240 · 2 min left"."""
    words = f"{job.done:,} of {job.total:,}" if job.total > 0 else f"{job.done:,} done" if job.done else ""
    eta = "paused" if job.paused else left_over(job.seconds_left) if job.seconds_left is not None else ""
    return dotted((words, eta))


class SentenceLine(Inked):
    """One sentence, wrapped between words; no room taken without one."""

    _text = ""
    _ink = Ink.TEXT

    def show(self, text: str, *, problem: bool = False) -> None:
        """Show another sentence."""
        self._ink = Ink.BAD if problem else Ink.TEXT
        if plain(text) != self._text:
            self._text = plain(text)
            self.refresh(layout=True)
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as the sentence needs, two at most."""
        del container, viewport
        return len(self._wrapped(width))

    def line(self, y: int, width: int) -> Line:
        """One line of the sentence."""
        lines = self._wrapped(width)
        return [(fit(lines[y], width), self._ink)] if y < len(lines) else []

    def _wrapped(self, width: int) -> list[str]:
        if width < 1:
            return []
        return textwrap.wrap(self._text, width, max_lines=_NOTICE_LINES, placeholder="…")


class NoticeLine(SentenceLine):
    """The last problem, or what was done last; the app keeps it up to date on every screen."""


class KeyBar(Inked):
    """As many keys as fit its lines, whole; each can be clicked."""

    def __init__(
        self,
        keys: Sequence[Key],
        always: Sequence[Key] = ALWAYS_BAR,
        *,
        id: str | None = None,  # noqa: A002 - Textual's name for it
    ) -> None:
        super().__init__(id=id)
        self._keys = keys
        self._always = always
        self.keymap = BUILT_IN
        self._chosen: Key | None = None
        self._typed = ""

    def choose(self, key: Key) -> None:
        """Mark the key that is in force, of keys that exclude one another."""
        self._chosen = key
        self.refresh()

    def on_mount(self) -> None:
        """Show the listener's own keys."""
        self.keymap = getattr(self.app, "keymap", BUILT_IN)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One line where all keys fit, else two, which show what matters."""
        del container, viewport
        return 1 if self._span(self._keys) + self._span(self._always) <= width + _KEY_GAP else 2

    def line(self, y: int, width: int) -> Line:
        """One line of keys; the last ends with what is being typed."""
        height, typed = self.content_size.height, f" {self._typed}" if self._typed else ""
        rows = self.rows(width - len(typed), height)
        pieces = [piece for key in rows[y] for piece in self._pieces(key)]
        return spread(pieces, [(typed, Ink.STRONG)], width) if typed and y == height - 1 else pieces

    def show_typed(self, text: str) -> None:
        """Show what was typed of a sequence of keys that goes on."""
        self._typed = text
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A click on a key is a press of it."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        end = 0
        for key in self.rows(self.content_size.width, self.content_size.height)[offset.y]:
            end += width_of(self._pieces(key))
            if offset.x < end:
                self.app.simulate_key(self.keymap.keys(key).split(",")[0])
                return

    def rows(self, width: int, height: int) -> list[list[Key]]:
        """The keys of each line; the last ends with those that are always there."""
        rows: list[list[Key]] = []
        waiting = list(self._keys)
        for y in range(height):
            ending = list(self._always) if y == height - 1 else []
            room = width + _KEY_GAP - self._span(ending)
            row: list[Key] = []
            while waiting and (room := room - width_of(self._pieces(waiting[0]))) >= 0:
                row.append(waiting.pop(0))
            rows.append([*row, *ending])
        return rows

    def _pieces(self, key: Key) -> Line:
        ink = Ink.STRONG if key == self._chosen else Ink.DIM
        mark = "▸" if key == self._chosen else " "
        return [(self.keymap.shown(key), Ink.ACCENT), (f"{mark}{key.label}" + " " * _KEY_GAP, ink)]

    def _span(self, keys: Sequence[Key]) -> int:
        return sum(width_of(self._pieces(key)) for key in keys)


_KEY_GAP = 2


class ReasonLine(Inked):
    """Why the selected row is in the queue; when figures are asked for, its score and the chance it was chosen with."""

    _row: QueueRow | None = None
    figures = False

    def show(self, row: QueueRow | None) -> None:
        """Show another row's reason."""
        self._row = row
        self.refresh()

    def line(self, y: int, width: int) -> Line:
        """The one line."""
        if self._row is None or y:
            return []
        chance = f"chance {self._row.propensity:.0%}" if self._row.propensity is not None else ""
        facts = dotted((f"score {number(self._row.score)}", chance)) if self.figures else ""
        reason = fit(self._row.reason, width - _INDENT)
        return spread([(" " * _INDENT + reason, Ink.ACCENT)], [(facts, Ink.DIM)], width)


class PlainLine(Inked):
    """A label and words."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._pieces: Line = []

    def show(self, label: str, words: str, ink: Ink) -> None:
        """Show other words."""
        self._pieces = [(label, Ink.DIM), (words, ink)]
        self.refresh()

    def line(self, y: int, width: int) -> Line:
        """The one line."""
        if y or not self._pieces:
            return []
        label, (words, ink) = self._pieces
        return [label, (fit(words, width - width_of([label])), ink)]
