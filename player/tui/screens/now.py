"""The playing track alone: its cover, its words, and why it plays."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from player.tui.keys import IN_NOW, NOW_BAR, bindings
from player.tui.screens.playing import PlayingScreen
from player.tui.widgets.cover import Cover
from player.tui.widgets.lyrics_panel import LyricsPanel
from player.tui.widgets.now_playing import PositionBar
from player.tui.widgets.spectrum import Spectrum

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from player.library.tracks import TrackRow
    from player.stations.snapshot import Snapshot
    from player.tui.messages import AnswerFound


class NowScreen(PlayingScreen):
    """Cover and lyrics, as large as the terminal has room."""

    KEYS = NOW_BAR
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(IN_NOW),
        Binding("down,j", "scroll(1)", "down", show=False),
        Binding("up,k", "scroll(-1)", "up", show=False),
    ]
    _track: TrackRow | None = None

    @property
    def chosen(self) -> TrackRow | None:
        """The playing track."""
        return self._track

    def body(self) -> ComposeResult:
        """A picture beside words."""
        with Horizontal(id="stage"):
            yield Cover(self._player, framed=True, id="cover")
            yield LyricsPanel(lambda: self.query_one(PositionBar).position, id="lyrics")
        yield Spectrum(self._player, id="spectrum")

    def on_mount(self) -> None:
        """Draw what there is."""
        self.set_class(getattr(self.app, "spectrum", True), "-spectrum")
        self.show(self._player.snapshot())

    def on_screen_resume(self) -> None:
        """Let the spectrum be measured."""
        self.query_one(Spectrum).watch_music(on=True)

    def on_screen_suspend(self) -> None:
        """Nobody looks."""
        self.query_one(Spectrum).watch_music(on=False)

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot; another track has other words."""
        super().show(snapshot)
        track = None if snapshot.now is None else snapshot.now.track
        self.query_one(Cover).show(track)
        self.query_one(LyricsPanel).show(snapshot)
        if track != self._track:
            self._track = track
            self.query_one(LyricsPanel).sing(())
            if track is not None:
                self.look_up(track.id, partial(self._player.lyrics, track.id))

    def on_answer_found(self, message: AnswerFound) -> None:
        """Sing along, unless another track plays by now."""
        if self._track is not None and message.asked == self._track.id:
            self.query_one(LyricsPanel).sing(message.answer)

    def action_scroll(self, lines: int) -> None:
        """Scroll words that have no times."""
        panel = self.query_one(LyricsPanel)
        panel.scrolled = max(panel.scrolled + lines, 0)
        panel.refresh()
