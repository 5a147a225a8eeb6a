"""The main screen: the playing track, the station's queue, and how varied it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Container, Vertical
from textual.widgets import Static

from player.tui.keys import MAIN_BAR
from player.tui.screens.picker import MODE_NAMES
from player.tui.screens.playing import PlayingScreen
from player.tui.text import count, dotted
from player.tui.widgets.diversity import DialLine, DiversityPanel
from player.tui.widgets.queue_list import QueueList
from player.tui.widgets.status_lines import Heading, PlainLine, ReasonLine
from player.tui.widgets.styled_text import Ink

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from player.library.tracks import TrackRow
    from player.stations.snapshot import Snapshot
    from player.tui.messages import RowHighlighted

_WELCOME = """\
There is no music here yet.

Tell the player where yours is – in another terminal, or after q:

    player scan ~/Music

Files are only read, never changed. The tracks appear here as they are found; F5 looks again.\
"""


class StationScreen(PlayingScreen):
    """Now playing, up next, diversity."""

    AUTO_FOCUS = "#queue"
    KEYS = MAIN_BAR

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
        yield Static(_WELCOME, id="welcome", markup=False)
        yield PlainLine(id="trial")

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot."""
        super().show(snapshot)
        self.set_class(snapshot.tracks == 0, "-empty")
        self.query_one(QueueList).show(snapshot.queue)
        self.query_one(DialLine).show(snapshot)
        self.query_one(DiversityPanel).show(snapshot.diversity, snapshot.diversity_sentence)
        trial = self.query_one("#trial", PlainLine)
        trial.show("", snapshot.trial, Ink.DIM)
        trial.set_class(bool(snapshot.trial), "-on")
        self.query_one(Heading).show("Up next", _name(snapshot), _facts(snapshot))

    def on_row_highlighted(self, message: RowHighlighted) -> None:
        """Say why the selected row is there."""
        message.stop()
        self.query_one(ReasonLine).show(self.query_one(QueueList).selected)


def _name(snapshot: Snapshot) -> str:
    station = snapshot.station
    if station is None:
        return "your pins" if snapshot.queue else "no station – s picks one, S asks what you like"
    return station.name if station.mode == "station" else dotted((station.name, MODE_NAMES[station.mode][0].lower()))


def _facts(snapshot: Snapshot) -> str:
    whole = snapshot.embedded >= snapshot.tracks
    return dotted(
        (
            count(snapshot.tracks, "track") if whole else f"{snapshot.embedded:,} of {snapshot.tracks:,} embedded",
            f"model {snapshot.model_version}",
            f"reranked in {snapshot.rerank_ms:.0f} ms" if snapshot.rerank_ms > 0 else "",
        )
    )
