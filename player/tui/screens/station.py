"""The main screen: the playing track, the station's queue, and how varied it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Container, Vertical
from textual.widgets import Static

from player.tui.keys import MAIN_BAR
from player.tui.screens.mode import MODE_NAMES
from player.tui.screens.playing import PlayingScreen
from player.tui.text import count, dotted
from player.tui.widgets.dial import DialLine
from player.tui.widgets.diversity import DiversityPanel
from player.tui.widgets.now_playing import NowPlayingPanel
from player.tui.widgets.position_bar import PositionBar
from player.tui.widgets.queue_list import QueueList
from player.tui.widgets.status_lines import Heading, JobLine, KeyBar, NoticeLine, PlainLine, ReasonLine
from player.tui.widgets.styled_text import Ink

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

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

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield NowPlayingPanel(id="now")
        yield PositionBar(self._clock, id="position")
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
        yield JobLine(id="job")
        yield NoticeLine(id="notice")
        yield KeyBar(MAIN_BAR, id="keys")

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
