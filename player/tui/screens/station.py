"""The main screen: the playing track, the station's queue, and how varied it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Container, Vertical
from textual.widgets import Static

from player.tui.keys import MAIN_BAR, ON_STATION, bindings
from player.tui.screens.picker import MODE_NAMES
from player.tui.screens.playing import PlayingScreen
from player.tui.text import count, dotted
from player.tui.widgets.cover import Cover
from player.tui.widgets.diversity import DialLine, DiversityPanel
from player.tui.widgets.lyrics_panel import LyricsPanel
from player.tui.widgets.queue_list import QueueList
from player.tui.widgets.status_lines import Heading, PlainLine, ReasonLine
from player.tui.widgets.styled_text import Ink

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from player.library.tracks import TrackRow
    from player.stations.snapshot import Snapshot
    from player.tui.messages import RowHighlighted

_WELCOME = """\
Welcome. There is no music here yet.

    F9   chooses the folder that your music is in

Files are only read, never changed. The first tracks are here within seconds, and play while the others are found.

Then:  s picks a station · S asks with short clips what you like · l shows the library · ? lists all keys.
From another player or service: player import --help brings your history, player playlist import your playlists.\
"""
_SCANNING = """\
Welcome. Your music is being looked through; the first tracks are here in a moment.

space plays as soon as there is something to play · s picks a station · l shows the library
S asks with short clips what you like · ? lists all keys

Files are only read, never changed.\
"""


class StationScreen(PlayingScreen):
    """Now playing, up next, diversity."""

    AUTO_FOCUS = "#queue"
    KEYS = MAIN_BAR
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(ON_STATION)]
    figures = False
    """Scores, chances, milliseconds and the like are shown: for those who ask for them."""

    def action_figures(self) -> None:
        """Show the figures behind the words, or hide them again."""
        self.figures = not self.figures
        self.query_one(ReasonLine).figures = self.query_one(DiversityPanel).figures = self.figures
        self.show(self._player.snapshot())
        self.refresh(recompose=False)
        for widget in (self.query_one(ReasonLine), self.query_one(DiversityPanel)):
            widget.refresh(layout=True)

    @property
    def chosen(self) -> TrackRow | None:
        """The track of the selected row."""
        row = self.query_one(QueueList).selected
        return None if row is None else row.track

    def body(self) -> ComposeResult:
        """The queue, and what stands beside or below it."""
        with Container(id="body"):
            with Vertical(id="station"):
                yield Heading(id="heading")
                yield QueueList(id="queue")
                yield ReasonLine(id="reason")
            with Vertical(id="side"):
                yield DialLine(id="dial")
                yield DiversityPanel(id="diversity")
                yield LyricsPanel(id="words")
                yield Cover(self._player, framed=True, id="cover")
        yield Static(_WELCOME, id="welcome", markup=False)
        yield PlainLine(id="trial")

    def on_mount(self) -> None:
        """Draw what there is."""
        self.show(self._player.snapshot())

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot."""
        super().show(snapshot)
        self.set_class(snapshot.tracks == 0, "-empty")
        scanning = snapshot.job is not None and snapshot.job.name == "scan" and not snapshot.job.finished
        self.query_one("#welcome", Static).update(_SCANNING if scanning else _WELCOME)
        self.query_one(QueueList).show(snapshot.queue)
        self.query_one(DialLine).show(snapshot)
        self.query_one(DiversityPanel).show(snapshot.diversity, snapshot.diversity_sentence)
        self.query_one(LyricsPanel).show(snapshot)
        self.query_one(Cover).show(None if snapshot.now is None else snapshot.now.track)
        trial = self.query_one("#trial", PlainLine)
        trial.show("", snapshot.trial, Ink.DIM)
        trial.set_class(bool(snapshot.trial), "-on")
        self.query_one(Heading).show("Up next", _name(snapshot), _facts(snapshot, figures=self.figures))

    def on_row_highlighted(self, message: RowHighlighted) -> None:
        """Say why the selected row is there."""
        message.stop()
        self.query_one(ReasonLine).show(self.query_one(QueueList).selected)


def _name(snapshot: Snapshot) -> str:
    station = snapshot.station
    if station is None:
        return "your pins" if snapshot.queue else "no station – s picks one, S asks what you like"
    return station.name if station.mode == "station" else dotted((station.name, MODE_NAMES[station.mode][0].lower()))


def _facts(snapshot: Snapshot, *, figures: bool) -> str:
    whole = snapshot.embedded >= snapshot.tracks
    return dotted(
        (
            count(snapshot.tracks, "track") if whole else f"{snapshot.embedded:,} of {snapshot.tracks:,} analysed",
            snapshot.model_version if figures else model_words(snapshot.model_version),
            f"ranked in {snapshot.rerank_ms:.0f} ms" if figures and snapshot.rerank_ms > 0 else "",
        )
    )


def model_words(version: str) -> str:
    """When the model that chooses was trained; nothing where none was."""
    try:
        made = datetime.strptime(version[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC).astimezone()
    except ValueError:
        return ""
    today = made.date() == datetime.now(UTC).astimezone().date()
    return f"model of {made:%H:%M}" if today else f"model of {made:%-d %b}"
