"""The map: the whole library in two dimensions, with the music and its way through it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, get_args

from textual.containers import Container

from player.insight.library_map import Colour
from player.tui.keys import MAP_BAR, ON_MAP, bindings
from player.tui.map_paint import paint
from player.tui.screens.playing import PlayingScreen
from player.tui.text import count, dotted
from player.tui.widgets.map_canvas import STEPS, MapCanvas
from player.tui.widgets.map_lines import MapLegend, MapProgress, MapTrack
from player.tui.widgets.status_lines import Heading

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from player.insight.terminal_map import MapView, PlacedTracks
    from player.library.tracks import TrackRow
    from player.playback.controller import Controller
    from player.stations.snapshot import QueueRow, Snapshot
    from player.tui.map_paint import MapPaint
    from player.tui.messages import AnswerFound, RowHighlighted

COLOURS: tuple[Colour, ...] = get_args(Colour)


class MapScreen(PlayingScreen):
    """Points, a legend, the track at the cursor, and the playing one above."""

    AUTO_FOCUS = "#map"
    KEYS = MAP_BAR
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(ON_MAP)]

    def __init__(self, player: Controller, clock: Callable[[], float]) -> None:
        super().__init__(player, clock)
        self._placed: PlacedTracks | None = None
        self._points: dict[int, int] = {}
        self._colour: Colour = COLOURS[0]
        self._paint: MapPaint | None = None
        self._alone: int | None = None
        self._queue: tuple[QueueRow, ...] = ()
        self._known: tuple[int, int] = (-1, -1)

    def body(self) -> ComposeResult:
        """The map and the track at its cursor; in a wide terminal the legend stands beside the map."""
        yield Heading(id="heading")
        with Container(id="atlas"):
            yield MapProgress(id="making")
            yield MapCanvas(id="map")
            yield MapLegend(id="legend")
        yield MapTrack(id="track")

    def on_mount(self) -> None:
        """Ask for a map and show what there is of it."""
        self.show(self._player.snapshot())

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot, and the map as it stands."""
        super().show(snapshot)
        self._keep_up(snapshot)
        view = self._player.map_view()
        if view.placed is not None and view.placed is not self._placed:
            self._show_tracks(view.placed)
        self._show_state(view)
        self._show_music(snapshot)

    def _keep_up(self, snapshot: Snapshot) -> None:
        """Ask for a newer map when tracks have come – those that a job brings, all together at its end."""
        known = (snapshot.tracks, snapshot.embedded)
        working = snapshot.job is not None and not (snapshot.job.finished or snapshot.job.paused)
        if known != self._known and not (working and self._placed is not None):
            self._known = known
            self._player.make_map()

    def _show_tracks(self, placed: PlacedTracks) -> None:
        selected, now = self.chosen, self._player.snapshot().now
        self._placed = placed
        self._points = {track.id: point for point, track in enumerate(placed.tracks)}
        self._paint, self._alone = None, None
        playing = 0 if now is None else self._points.get(now.track.id, 0)
        cursor = playing if selected is None else self._points.get(selected.id, playing)
        self.query_one(MapCanvas).show_places(placed.places, cursor)
        self._ask_colours()

    def _show_state(self, view: MapView) -> None:
        placed = self._placed
        there = placed is not None and bool(placed.tracks)
        self.query_one(MapCanvas).display = there
        self.query_one(MapLegend).display = there
        making = self.query_one(MapProgress)
        making.display = not there
        making.show(view)
        zoom = self.query_one(MapCanvas).zoom
        facts = dotted(
            (
                view.problem if there else "",
                f"a newer one: {100 * view.share:.0f} %" if there and view.share is not None else "",
                count(len(placed.tracks), "track") if placed is not None and there else "",
                f"{placed.left_out:,} not yet on it" if placed is not None and placed.left_out else "",
                f"× {zoom:.1f}" if zoom > 1 else "",
            )
        )
        self.query_one(Heading).show("Map", f"by {self._paint.title}" if self._paint is not None else "", facts)

    def _show_music(self, snapshot: Snapshot) -> None:
        self.query_one(MapLegend).show_queue(snapshot.queue)
        playing = None if snapshot.now is None else self._points.get(snapshot.now.track.id)
        ahead = [self._points.get(row.track.id) for row in snapshot.queue[: len(STEPS)]]
        self.query_one(MapCanvas).show_way(playing, ahead)
        if snapshot.queue != self._queue:
            self._queue = snapshot.queue
            self._show_selected()
            if self._colour != "genre":
                self._ask_colours()

    # The colours

    def _ask_colours(self) -> None:
        if self._placed is not None:
            asked = (self._placed.tracks, self._colour)
            self.look_up(asked, partial(self._player.map_colours, *asked))

    def on_answer_found(self, message: AnswerFound) -> None:
        """Paint the map, unless something else has been asked for since."""
        asked = self._placed is not None and message.asked == (self._placed.tracks, self._colour)
        if asked:
            self._paint = paint(message.answer)
            self._show_paint()

    def _show_paint(self) -> None:
        if self._paint is not None:
            self.query_one(MapCanvas).show_paint(self._paint, self._alone)
            self.query_one(MapLegend).show_paint(self._paint, self._alone)
            self._show_state(self._player.map_view())

    def action_colour(self) -> None:
        """Show something else by colour."""
        self._colour = COLOURS[(COLOURS.index(self._colour) + 1) % len(COLOURS)]
        self._alone = None
        self._ask_colours()

    def action_group(self) -> None:
        """Show one group by itself; after the last, all."""
        if self._paint is not None and self._paint.ends is None:
            following = 0 if self._alone is None else self._alone + 1
            self._alone = following if following < len(self._paint.shades) else None
            self._show_paint()

    # The cursor

    @property
    def chosen(self) -> TrackRow | None:
        """The track at the cursor."""
        if self._placed is None or not self._placed.tracks:
            return None
        return self._placed.tracks[self.query_one(MapCanvas).cursor]

    def on_row_highlighted(self, message: RowHighlighted) -> None:
        """Say which track is at the cursor."""
        message.stop()
        self._show_selected()
        self._show_state(self._player.map_view())

    def _show_selected(self) -> None:
        track = self.chosen
        here = len(self.query_one(MapCanvas).here())
        ahead = next((row for row in self._queue if track is not None and row.track.id == track.id), None)
        facts = dotted(
            (
                f"{here} tracks here" if here > 1 else "",
                f"number {self._queue.index(ahead) + 1} of the queue" if ahead is not None else "",
            )
        )
        self.query_one(MapTrack).show(track, facts)

    def action_zoom(self, steps: int) -> None:
        """Closer or wider."""
        self.query_one(MapCanvas).zoom_by(steps)

    def action_whole(self) -> None:
        """The whole map."""
        self.query_one(MapCanvas).show_whole()

    def action_to_playing(self) -> None:
        """The cursor to the playing track."""
        now = self._player.snapshot().now
        if now is not None and now.track.id in self._points:
            self.query_one(MapCanvas).go_to(self._points[now.track.id])

    def action_same_place(self) -> None:
        """The next track in the cursor's cell."""
        self.query_one(MapCanvas).next_here()
