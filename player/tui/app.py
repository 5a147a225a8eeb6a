"""The app: draws the port's snapshots on whatever screen is open, and opens and closes the screens."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, TypeVar

from player.errors import PlayerError
from player.tui.actions import PlayerActions
from player.tui.keys import PLACES, PLAYING, STATION, bindings
from player.tui.messages import SnapshotChanged
from player.tui.screens.help import HelpScreen
from player.tui.screens.library import LibraryScreen
from player.tui.screens.mode import ModePicker
from player.tui.screens.playing import PlayingScreen
from player.tui.screens.rest import RestMenu
from player.tui.screens.similar import SimilarScreen
from player.tui.screens.station import StationScreen
from player.tui.screens.stations import StationPicker
from player.tui.screens.survey import SurveyScreen
from player.tui.screens.track_story import TrackStoryScreen
from player.tui.screens.why import WhyScreen
from player.tui.theme import THEME
from player.tui.widgets.status_lines import NoticeLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.binding import BindingType
    from textual.screen import Screen

    from player.library.tracks import TrackRow
    from player.tui.messages import AskStory, AskWhy, FindSimilar
    from player.tui.port import PlayerPort
    from player.tui.screens.map import MapScreen

ScreenT = TypeVar("ScreenT", bound=PlayingScreen)
AskedScreen = SimilarScreen | WhyScreen | TrackStoryScreen
"""A screen that answers one question about any track."""
_WIDE = 110
"""Columns from which the diversity panel stands beside the queue."""
_SHORT = 18
"""Lines below which only the track, the queue and the keys are shown."""


class PlayerApp(PlayerActions):
    """The player on a terminal.

    Args:
        port: The player behind the screen; started and closed by the app.
        clock: Seconds that never go back; the position bar moves by it.
    """

    CSS_PATH = "player.tcss"
    TITLE = "player"
    ENABLE_COMMAND_PALETTE = False
    SUSPENDED_SCREEN_CLASS = "-behind"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(PLAYING), *bindings(STATION), *bindings(PLACES)]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-wide")]  # noqa: RUF012 - an instance variable, says Textual
    VERTICAL_BREAKPOINTS = [(0, "-short"), (_SHORT, "-tall")]  # noqa: RUF012 - the same

    def __init__(self, port: PlayerPort, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(port)
        self.register_theme(THEME)
        self.theme = THEME.name
        self._clock = clock
        self._problem = ""
        self._notice = ""
        self._started_up = False
        self._offered = False
        self._closing_down = False
        self.failure: PlayerError | None = None
        """Why the player could not be started."""
        self.port_closed = False
        """Whether the port was closed in good order."""

    def on_mount(self) -> None:
        """Show what there is at once; sound and station follow."""
        self.port.subscribe(self._changed)
        self.install_screen(LibraryScreen(self.port, self._clock), "library")
        self.push_screen(StationScreen(self._clock))
        self.errands.add(self._open, self._started)

    def _open(self) -> None:
        """Start the port, in the errands' thread; what keeps it from starting ends the app."""
        try:
            self.port.start()
        except PlayerError as error:
            self.failure = error
            self.call_from_thread(self.exit)
            raise

    def on_snapshot_changed(self) -> None:
        """Draw the newest snapshot."""
        self.draw()
        self._offer_stations()

    def draw(self) -> None:
        """Draw the newest snapshot on the screens that are open."""
        snapshot = self.port.snapshot()
        if snapshot.notice != self._notice:
            self._notice, self._problem = snapshot.notice, ""
        for screen in self.screen_stack:
            if isinstance(screen, PlayingScreen) and screen.is_mounted:
                screen.show(snapshot)
        self._tell()

    def complain(self, text: str) -> None:
        """Show a sentence on the screen in front, until something else happens."""
        self._problem = text
        self._tell()

    def back_to_station(self) -> None:
        """Close every screen over the main one."""
        while not isinstance(self.screen, StationScreen) and len(self.screen_stack) > 1:
            self.pop_screen()
        self.draw()

    def action_stations(self) -> None:
        """Open the station picker."""
        self._problem = ""
        self.push_screen(StationPicker(self.port))

    def action_mode(self) -> None:
        """Choose how the station plays."""
        station = self.port.snapshot().station
        if station is None:
            self.complain("A mode is a station's; choose one first (s).")
        elif not isinstance(self.screen, ModePicker):
            self._problem = ""
            self.push_screen(ModePicker(station.mode))

    def action_library(self) -> None:
        """Open the library."""
        self._open_library()

    def action_search(self) -> None:
        """Open the library with the cursor in its search."""
        self._open_library().search()

    def action_map(self) -> None:
        """Open the map, once the library is there."""
        self.errands.add(_map_screen, self._open_map)

    def _open_map(self, kind: type[MapScreen]) -> None:
        if self._return_to(kind) is None:
            self.push_screen(kind(self.port, self._clock))

    def action_similar(self) -> None:
        """Show what sounds like the playing track."""
        self._ask_of_playing(SimilarScreen, "Nothing is playing, so nothing can sound like it.")

    def on_find_similar(self, message: FindSimilar) -> None:
        """Show what sounds like a track."""
        self._ask_of(SimilarScreen, message.track)

    def action_why(self) -> None:
        """Show why the playing track was chosen."""
        self._ask_of_playing(WhyScreen, "Nothing is playing, so there is nothing to explain.")

    def on_ask_why(self, message: AskWhy) -> None:
        """Show why a track stands where it stands."""
        self._ask_of(WhyScreen, message.track)

    def action_story(self) -> None:
        """Show everything known about the playing track."""
        self._ask_of_playing(
            TrackStoryScreen, "Nothing is playing; i on a row shows all that is known about its track."
        )

    def on_ask_story(self, message: AskStory) -> None:
        """Show everything known about a track."""
        self._ask_of(TrackStoryScreen, message.track)

    def _ask_of_playing(self, kind: type[AskedScreen], otherwise: str) -> None:
        now = self.port.snapshot().now
        if now is None:
            self.complain(otherwise)
        else:
            self._ask_of(kind, now.track)

    def _ask_of(self, kind: type[AskedScreen], track: TrackRow) -> None:
        self._problem = ""
        screen = self._return_to(kind)
        if screen is None:
            self.push_screen(kind(self.port, self._clock, track))
        else:
            screen.ask(track)

    def renew(self) -> None:
        """Ask anew what the panels that are open answer."""
        for screen in self.screen_stack:
            if isinstance(screen, PlayingScreen) and screen.is_mounted:
                screen.renew()

    def action_rest(self) -> None:
        """Choose how long the playing track rests."""
        now = self.port.snapshot().now
        if now is None:
            self.complain("Nothing is playing that could rest.")
        else:
            self.push_screen(RestMenu(now.track))

    def action_survey(self) -> None:
        """Begin the survey, or go on with it; afterwards a new listener picks a station."""
        if not self.port.snapshot().tracks:
            self.complain("There is no music to ask about yet; add some with `player scan FOLDER`.")
            return
        self._problem = ""
        self.quick(self._open_survey)

    def on_open_survey(self) -> None:
        """The same, chosen among the stations."""
        self.back_to_station()
        self.action_survey()

    def _open_survey(self) -> None:
        self.push_screen(SurveyScreen(self.port.survey()), self._survey_left)

    def _survey_left(self, _result: None) -> None:
        self.draw()
        if self.port.snapshot().station is None and isinstance(self.screen, StationScreen):
            self.action_stations()

    def action_help(self) -> None:
        """Open the help page."""
        self.push_screen(HelpScreen())

    async def action_quit(self) -> None:
        """Let the port close, then leave; a second press does not wait for it."""
        if self._closing_down:
            self.exit()
            return
        self._closing_down = True
        self.complain("Stopping the music …")
        self.errands.add(self.port.close, self._closed_down)

    def action_help_quit(self) -> None:
        """Ctrl+C leaves, as in any program of the terminal."""
        self.call_later(self.action_quit)

    def _open_library(self) -> LibraryScreen:
        open_already = self._return_to(LibraryScreen)
        if open_already is not None:
            return open_already
        library = self.get_screen("library", LibraryScreen)
        self.push_screen(library)
        return library

    def _return_to(self, kind: type[ScreenT]) -> ScreenT | None:
        """Close what lies over the screen of this kind; None where there is none."""
        found = next((screen for screen in self.screen_stack if isinstance(screen, kind)), None)
        if found is not None:
            while self.screen is not found:
                self.pop_screen()
            self.draw()
        return found

    def _changed(self) -> None:
        # From any thread, and perhaps after the app has ended: then there is no loop left to tell.
        with suppress(RuntimeError):
            self.post_message(SnapshotChanged())

    def _started(self, _result: None) -> None:
        self._started_up = True
        self.draw()
        self._offer_stations()

    def _offer_stations(self) -> None:
        """Open the picker by itself, once, when there is music and no station: at the start, or after a first scan."""
        snapshot = self.port.snapshot()
        if self._offered or not self._started_up or not snapshot.tracks:
            return
        self._offered = True
        if snapshot.station is None and isinstance(self.screen, StationScreen):
            self.action_stations()

    def _closed_down(self, _result: None) -> None:
        self.port_closed = True
        self.exit()

    def _tell(self) -> None:
        """A problem wherever it is seen; a notice on the screens that follow the music, for it is about that."""
        screen: Screen[object]
        for screen in self.screen_stack:
            notice = self._notice if isinstance(screen, PlayingScreen) else ""
            for line in screen.query(NoticeLine):
                line.show(self._problem or notice, problem=bool(self._problem))


def _map_screen() -> type[MapScreen]:
    from player.tui.screens.map import MapScreen  # noqa: PLC0415 - numpy is not on the way to the first frame

    return MapScreen


def _leave(app: PlayerApp) -> None:
    with suppress(RuntimeError):  # it has not begun, or is over
        app.call_later(app.exit)


def run_tui(port: PlayerPort, told_how_to_leave: Callable[[Callable[[], None]], None] | None = None) -> None:
    """Run the app on this terminal until the listener quits.

    Args:
        port: The player; closed when this returns, however the app ended.
        told_how_to_leave: Given a function, safe from any thread, that ends the app.

    Raises:
        PlayerError: The player could not be started.
    """
    app = PlayerApp(port)
    if told_how_to_leave is not None:
        told_how_to_leave(lambda: _leave(app))
    try:
        app.run()
    finally:
        if not app.port_closed:
            port.close()
    if app.failure is not None:
        raise app.failure
