"""The app: draws the player's snapshots, opens and closes the screens, and passes on to the player what is pressed."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.app import App, SystemCommand
from textual.widgets import Input

from player.errors import PlayerError
from player.text import printable
from player.tui.command_queue import CommandQueue
from player.tui.keys import BUILT_IN, ON_STATION, PLACES, PLAYING, QUEUE, ROW, STATION, Keymap, bindings
from player.tui.lazy_player import LazyPlayer
from player.tui.messages import SnapshotChanged
from player.tui.screens.add_music import AddMusic
from player.tui.screens.picker import Confirm, ModePicker, PlaylistPicker, RestMenu
from player.tui.screens.playing import PlayingScreen
from player.tui.screens.station import StationScreen
from player.tui.screens.stations import StationPicker
from player.tui.theme import THEME
from player.tui.widgets.status_lines import KeyBar, NoticeLine
from player.tui.widgets.styled_text import BEHIND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from textual.binding import BindingType
    from textual.screen import Screen
    from textual.theme import Theme

    from player.config import ScreenSettings
    from player.integrations.playlists import KeptPlaylist
    from player.library.tracks import TrackRow
    from player.playback.background import JobName
    from player.playback.controller import Controller
    from player.stations.snapshot import JobView, NowPlaying
    from player.tui.messages import AnswerFailed, Tell
    from player.tui.screens.about_track import AboutTrackScreen
    from player.tui.screens.library import LibraryScreen
    from player.tui.screens.map import MapScreen

_LOG = logging.getLogger(__name__)
ScreenT = TypeVar("ScreenT", bound=PlayingScreen)
ABOUT_TRACK = {
    "similar": "Nothing is playing, so nothing can sound like it.",
    "why": "Nothing is playing, so there is nothing to explain.",
    "story": "Nothing is playing; i on a row shows all that is known about its track.",
}
"""The screens about a track, and what is said where none plays that they could be about."""
CHANGE_STATION = frozenset(
    {
        "open_station",
        "play_new_station",
        "play_station_of",
        "play_in_order",
        "play_album",
        "more_like",
        "back",
        "set_mode",
        "change_station",
    }
)
"""Operations after which the listener wants to see the station."""
_NARROW = 60
"""Columns from which lists stand beside one another."""
PATIENCE_SECONDS = 1.0
"""So long the reading of the library waits for a first look at it to be drawn."""
_WIDE = 110
"""Columns from which the diversity panel stands beside the queue."""
_NOTICE_SECONDS = 12.0
KEEP_WINDOW_NAME, WINDOW_NAME, WINDOW_NAME_BACK = "\x1b[22;2t", "\x1b]2;{}\x07", "\x1b[23;2t"
"""Sequences of xterm's, which terminals without windows pass over."""
"""Two sentences are read by then."""
_MINI = 8
"""Lines below which there is room for the playing track and the next one alone."""
_SHORT = 18
"""Lines below which only the track, the queue and the keys are shown."""


class PlayerApp(App[None]):
    """The player on a terminal.

    Args:
        player: The player behind the screen; started and closed by the app.
        clock: Seconds that never go back; the position bar moves by it.
    """

    CSS_PATH = "player.tcss"
    TITLE = "player"
    SUSPENDED_SCREEN_CLASS = BEHIND
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(PLAYING), *bindings(STATION), *bindings(PLACES)]
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (_NARROW, "-narrow"), (_WIDE, "-wide")]  # noqa: RUF012 - an instance variable, says Textual
    VERTICAL_BREAKPOINTS = [(0, "-mini"), (_MINI, "-short"), (_SHORT, "-tall")]  # noqa: RUF012 - the same

    def __init__(self, player: Controller, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.player = player
        self.commands = CommandQueue(self, self.complain)
        self.register_theme(THEME)
        self.theme = THEME.name
        self._clock = clock
        self._problem = ""
        self._window = ""
        """The name that the terminal's window was given."""
        self.sorting: dict[str, tuple[str, bool]] = {}
        """Screen and list → the column that it is sorted by, and whether the other way round."""
        self.keymap = BUILT_IN
        """The listener's own keys."""
        self._told = self._notice = ""
        self._warning = ""
        """What is wrong in the settings of the keys; it stands where nothing else is to be said."""
        self.spectrum = True
        """The listener wants to see one."""
        self._started_up = False
        self._offered = False
        self._asked_about: JobView | None = None
        """The job whose question was asked last."""
        self._closing_down = False
        self.failure: PlayerError | None = None
        """Why the player could not be started."""
        self.player_closed = False
        """Whether the player was closed in good order."""

    def get_theme(self, theme_name: str) -> Theme | None:
        """The theme of that name; the own one at once, for Textual asks at every line it draws and copies a dictionary each time."""
        return THEME if theme_name == THEME.name else super().get_theme(theme_name)

    def get_default_screen(self) -> StationScreen:
        """The screen below all others."""
        return StationScreen(self.player, self._clock)

    def on_mount(self) -> None:
        """Show what there is at once; sound and station follow."""
        self.player.subscribe(self._changed)
        if isinstance(self.player, LazyPlayer) and self.player.looked:
            self.player.look()
            self._offer_stations()
        self.commands.add(self._open, self._started)
        self.commands.add(self.player.screen_settings, self._take_settings)
        self.commands.add(self.player.sorting, self._take_sorting)

    def _open(self) -> None:
        """Start the player, in the commands' thread; what keeps it from starting ends the app."""
        try:
            if isinstance(self.player, LazyPlayer):
                self.player.look()
                drawn = Event()
                self.call_later(self._show_first_look, drawn.set)
                drawn.wait(PATIENCE_SECONDS)
            self.player.start()
        except Exception as error:
            self.failure = error if isinstance(error, PlayerError) else PlayerError(_unforeseen(error))
            self.call_from_thread(self.exit)
            raise self.failure from error

    def _show_first_look(self, drawn: Callable[[], None]) -> None:
        """Draw what is known already, before the imports and the reading that follow take turns with the drawing."""
        self.on_snapshot_changed()
        self.screen.call_after_refresh(drawn)

    def _take_settings(self, settings: tuple[ScreenSettings, Mapping[str, str]]) -> None:
        """Let the listener's own theme and keys take the place of the built-in ones."""
        screen, keys = settings
        theme, self.spectrum = screen.theme, screen.spectrum
        if screen.reduced_motion:
            self.animation_level = "none"
        if theme in self.available_themes:
            self.theme = theme
        else:
            self._warning = f"screen.theme: there is no theme “{theme}”; : and theme shows them all."
            self._tell()
        if keys:
            self.keymap = Keymap.of(keys)
            self.set_keymap(dict(self.keymap.own))
            for bar in self.screen.query(KeyBar):
                bar.on_mount()
                bar.refresh(layout=True)
            self._warning = " ".join((self._warning, *self.keymap.problems)).strip()
            self._tell()

    def _take_sorting(self, kept: Mapping[str, tuple[str, bool]]) -> None:
        self.sorting.update(kept)

    def on_snapshot_changed(self) -> None:
        """Draw the newest snapshot."""
        self.draw()
        self._offer_stations()

    def draw(self) -> None:
        """Draw the newest snapshot on the screens that are open."""
        snapshot = self.player.snapshot()
        if snapshot.notice != self._told:
            self._told = self._notice = snapshot.notice
            self._problem = ""
            self.set_timer(_NOTICE_SECONDS, partial(self._forget, snapshot.notice))
        for screen in self.screen_stack:
            if isinstance(screen, PlayingScreen) and screen.is_mounted:
                screen.show(snapshot)
        self._name_window(snapshot.now)
        self._offer_import(snapshot.job)
        self._tell()

    def _name_window(self, now: NowPlaying | None) -> None:
        """Let the terminal's window be called by what plays; the name it had comes back when the player leaves."""
        name = (
            "player"
            if now is None
            else printable(f"{'▶' if now.playing else '⏸'} {now.track.artist} – {now.track.title}")
        )
        if name != self._window and self._driver is not None:
            if not self._window:
                self._driver.write(KEEP_WINDOW_NAME)
            self._window = name
            self._driver.write(WINDOW_NAME.format(name))

    def on_unmount(self) -> None:
        """Give the window its name back."""
        if self._window and self._driver is not None:
            self._driver.write(WINDOW_NAME_BACK)

    def _forget(self, notice: str) -> None:
        """Take a notice away once it could be read; one about a silence stays as long as that."""
        now = self.player.snapshot().now
        if notice == self._notice and now is not None and now.playing:
            self._notice = ""
            self._tell()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every key of the screen in front, by its help, for the command palette."""
        yield SystemCommand(
            "theme", "Choose other colours, till you leave; screen.theme keeps them.", self.search_themes
        )
        yield SystemCommand(
            "path",
            "Pin a path by sound from the playing track to the selected one, in place of the pins.",
            partial(self.action_tell_row, "pin_path"),
        )
        for key in dict.fromkeys((*PLAYING, *STATION, *PLACES, *ROW, *QUEUE, *ON_STATION)):
            run = partial(self.run_action, key.action, screen if key in ON_STATION else self)
            yield SystemCommand(f"{key.label}  ({self.keymap.shown(key)})", key.help, run)

    def complain(self, text: str) -> None:
        """Show a sentence on the screen in front, until something else happens."""
        self._problem = text
        self._tell()

    # What is pressed

    def tell(self, operation: str, *arguments: object, **named: object) -> None:
        """Call the player's method of that name, after those called before; then the station shows, or open panels renew."""
        done = self.back_to_station if operation in CHANGE_STATION else self.renew
        if self.player.snapshot().first_look:
            self.complain("The library is being opened; this comes next.")
        self.commands.add(partial(getattr(self.player, operation), *arguments, **named), lambda _: done())

    def action_tell(self, operation: str, *arguments: object) -> None:
        """A key that asks the player for something."""
        self.tell(operation, *arguments)

    def action_tell_row(self, operation: str, *arguments: object) -> None:
        """A key that asks the player for something about the chosen track."""
        if (track := self._chosen) is not None:
            self.tell(operation, *arguments, track_id=track.id)

    def action_keep(self) -> None:
        """Choose the playlist that what is selected is added to."""
        if self._chosen is not None and isinstance(self.screen, PlayingScreen):
            tracks = tuple(self.screen.selection)
            self.commands.add(self.player.playlists, lambda lists: self._choose_playlist(lists, tracks))

    def _choose_playlist(self, lists: Sequence[KeptPlaylist], tracks: Sequence[TrackRow]) -> None:
        self.push_screen(PlaylistPicker([one.name for one in lists if one.query is None], tracks))

    def on_tell(self, message: Tell) -> None:
        """A click, or a choice in a list, that asks the player for something."""
        self.tell(message.operation, *message.arguments)

    def action_volume(self, percent: int) -> None:
        """Louder or quieter by some percent."""

        def change() -> None:
            volume = round(self.player.snapshot().volume * 100) + percent
            self.player.set_volume(min(max(volume, 0), 100) / 100)

        self.commands.add(change)

    def action_job(self, name: JobName) -> None:
        """Start a job in the background."""
        job = self.player.snapshot().job
        if job is None or job.finished or job.paused:
            self._at_once(partial(self.player.start_job, name))
        else:
            self.complain(f"{job.title} goes on already; ctrl+x stops it.")

    def action_add_music(self) -> None:
        """Choose a folder to add."""
        self._problem = ""
        self.push_screen(AddMusic(self.player))

    def action_import_history(self) -> None:
        """Choose whose history to bring along."""
        from player.tui.screens.import_history import ImportSource  # noqa: PLC0415 - not on the way to the first frame

        self._problem = ""
        self.push_screen(ImportSource(self.player))

    def on_open_import(self) -> None:
        """The same, chosen among the stations."""
        self.back_to_station()
        self.action_import_history()

    def _offer_import(self, job: JobView | None) -> None:
        """Once a history was read through, ask whether to believe it."""
        if job is not None and job.finished and job.question and job is not self._asked_about:
            self._asked_about = job
            believe = partial(self.tell, "record_history")
            self.push_screen(Confirm(job.summary, "leave it", "record it"), lambda yes: believe() if yes else None)

    def action_stop_job(self) -> None:
        """Stop the job that runs, if any, once that is confirmed."""
        job = self.player.snapshot().job
        if job is None or job.finished:
            self.complain("Nothing is running that could be stopped.")
            return
        question = f"{job.title}: stop it? What is done is kept."
        self.push_screen(Confirm(question, "let it go on", "stop it"), self._stop_job)

    def _stop_job(self, confirmed: bool | None) -> None:  # noqa: FBT001 - the answer of a screen
        if confirmed:
            self._at_once(self.player.stop_job)

    def action_pause_job(self) -> None:
        """Pause the embedding, or go on with it."""
        self._at_once(self.player.pause_job)

    def _at_once(self, call: Callable[[], None]) -> None:
        """Make a quick call here and now, whatever slow one is waiting."""
        try:
            call()
        except PlayerError as error:
            self.complain(str(error))

    def on_answer_failed(self, message: AnswerFailed) -> None:
        """Say why there is no answer."""
        self.complain(message.problem)

    # What is open

    def back_to_station(self) -> None:
        """Close every screen over the main one."""
        while not isinstance(self.screen, StationScreen) and len(self.screen_stack) > 1:
            self.pop_screen()
        self.draw()

    def action_stations(self) -> None:
        """Open the station picker."""
        self._problem = ""
        self.push_screen(StationPicker(self.player))

    def action_mode(self) -> None:
        """Choose how the station plays."""
        station = self.player.snapshot().station
        if station is None:
            self.complain("A mode is a station's; choose one first (s).")
        elif not isinstance(self.screen, ModePicker):
            self._problem = ""
            self.push_screen(ModePicker(station.mode))

    def action_library(self) -> None:
        """Open the library at the album that plays."""
        self._open_place("library")

    def _open_place(self, name: str) -> None:
        kind = _place(name)
        if self._return_to(kind) is None:
            self.push_screen(kind(self.player, self._clock))

    def action_now(self) -> None:
        """Show the playing track alone."""
        self._open_place("now")

    def action_playlists(self) -> None:
        """Show the listener's playlists."""
        self._open_place("playlists")

    def action_settings(self) -> None:
        """Show every setting."""
        self._open_place("settings")

    def action_insights(self) -> None:
        """Show what was heard, liked and disliked."""
        self._open_place("insights")

    def action_all_tracks(self) -> None:
        """Open the list of all tracks."""
        self._open_library()

    def action_search(self) -> None:
        """Put the cursor into the search of the library, or open all tracks with it there."""
        if isinstance(self.screen, _place("library")):
            self.screen.query_one(Input).focus()
        else:
            self._open_library().search()

    def action_map(self) -> None:
        """Open the map, once the library is there."""
        self.commands.add(_map_screen, self._open_map)

    def _open_map(self, kind: type[MapScreen]) -> None:
        if self._return_to(kind) is None:
            self.push_screen(kind(self.player, self._clock))

    def action_ask(self, about: str) -> None:
        """Show what there is to know about the playing track; see ``ABOUT_TRACK``."""
        now = self.player.snapshot().now
        if now is None:
            self.complain(ABOUT_TRACK[about])
        else:
            self._ask(_about_track(about), now.track)

    def action_ask_row(self, about: str) -> None:
        """Show what there is to know about the chosen track."""
        if (track := self._chosen) is not None:
            self._ask(_about_track(about), track)

    def _ask(self, kind: type[AboutTrackScreen], track: TrackRow) -> None:
        self._problem = ""
        screen = self._return_to(kind)
        if screen is None:
            self.push_screen(kind(self.player, self._clock, track))
        else:
            screen.ask(track)

    @property
    def _chosen(self) -> TrackRow | None:
        """The track that the screen in front is about, or its cursor is on; where there is none, that is said."""
        track = self.screen.chosen if isinstance(self.screen, PlayingScreen) else None
        if track is None:
            self.complain("No track is selected here; l opens the library.")
        return track

    def renew(self) -> None:
        """Ask anew what the panels that are open answer."""
        for screen in self.screen_stack:
            if isinstance(screen, PlayingScreen) and screen.is_mounted:
                screen.renew()

    def action_rest(self) -> None:
        """Choose how long the playing track rests."""
        now = self.player.snapshot().now
        if now is None:
            self.complain("Nothing is playing that could rest.")
        else:
            self.push_screen(RestMenu(now.track))

    def action_rest_row(self) -> None:
        """Choose how long the chosen track rests."""
        if (track := self._chosen) is not None:
            self.push_screen(RestMenu(track))

    def action_survey(self) -> None:
        """Begin the survey, or go on with it; afterwards a new listener picks a station."""
        if not self.player.snapshot().tracks:
            self.complain("There is no music to ask about yet; add some with `player scan FOLDER`.")
            return
        self._problem = ""
        self._at_once(self._open_survey)

    def on_open_survey(self) -> None:
        """The same, chosen among the stations."""
        self.back_to_station()
        self.action_survey()

    def _open_survey(self) -> None:
        from player.tui.screens.survey import SurveyScreen  # noqa: PLC0415 - not on the way to the first frame

        self.push_screen(SurveyScreen(self.player.survey()), self._survey_left)

    def _survey_left(self, _result: None) -> None:
        self.draw()
        if self.player.snapshot().station is None and isinstance(self.screen, StationScreen):
            self.action_stations()

    def action_help(self) -> None:
        """Open the help page."""
        from player.tui.screens.help import HelpScreen  # noqa: PLC0415 - not on the way to the first frame

        self.push_screen(HelpScreen())

    async def action_quit(self) -> None:
        """Let the player close, then leave; a second press does not wait for it."""
        if self._closing_down:
            self.exit()
            return
        self._closing_down = True
        self.complain("Stopping the music …")
        self.commands.add(self.player.close, self._closed_down)

    def action_help_quit(self) -> None:
        """Ctrl+C leaves, as in any program of the terminal."""
        self.call_later(self.action_quit)

    def _open_library(self) -> LibraryScreen:
        from player.tui.screens.library import LibraryScreen  # noqa: PLC0415 - not on the way to the first frame

        open_already = self._return_to(LibraryScreen)
        if open_already is not None:
            return open_already
        if not self.is_screen_installed("library"):
            self.install_screen(LibraryScreen(self.player, self._clock), "library")
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
        if isinstance(self.screen, StationPicker):
            self.screen.renew()
        snapshot = self.player.snapshot()
        if not snapshot.tracks and snapshot.job is None and isinstance(self.screen, StationScreen):
            self.action_add_music()

    def _offer_stations(self) -> None:
        """Open the picker by itself, once, when there is music and no station: at the start, or after a first scan."""
        snapshot = self.player.snapshot()
        if self._offered or not (self._started_up or snapshot.first_look) or not snapshot.tracks:
            return
        self._offered = True
        if snapshot.station is None and snapshot.now is None and isinstance(self.screen, StationScreen | AddMusic):
            self.back_to_station()
            self.action_stations()

    def _closed_down(self, _result: None) -> None:
        self.player_closed = True
        self.exit()

    def _tell(self) -> None:
        """A problem wherever it is seen; a notice on the screens that follow the music, for it is about that."""
        screen: Screen[object]
        for screen in self.screen_stack:
            notice = self._notice if isinstance(screen, PlayingScreen) else ""
            for line in screen.query(NoticeLine):
                line.show(self._problem or notice or self._warning, problem=bool(self._problem))


def _about_track(about: str) -> type[AboutTrackScreen]:
    from player.tui.screens import about_track, similar  # noqa: PLC0415 - not on the way to the first frame

    kinds = {"similar": similar.SimilarScreen, "why": about_track.WhyScreen, "story": about_track.TrackStoryScreen}
    return kinds[about]


def _place(name: str) -> type[PlayingScreen]:
    from player.tui.screens import browse, insights, now, playlists, settings  # noqa: PLC0415 - not on the way to the first frame

    places: dict[str, type[PlayingScreen]] = {
        "library": browse.BrowseScreen,
        "insights": insights.InsightsScreen,
        "now": now.NowScreen,
        "playlists": playlists.PlaylistsScreen,
        "settings": settings.SettingsScreen,
    }
    return places[name]


def _map_screen() -> type[MapScreen]:
    from player.tui.screens.map import MapScreen  # noqa: PLC0415 - numpy is not on the way to the first frame

    return MapScreen


def _leave(app: PlayerApp) -> None:
    with suppress(RuntimeError):  # it has not begun, or is over
        app.call_later(app.exit)


def run_tui(player: Controller, told_how_to_leave: Callable[[Callable[[], None]], None] | None = None) -> None:
    """Run the app on this terminal until the listener quits.

    Args:
        player: Closed when this returns, however the app ended.
        told_how_to_leave: Given a function, safe from any thread, that ends the app.

    Raises:
        PlayerError: The player could not be started.
    """
    app = PlayerApp(player)
    if told_how_to_leave is not None:
        told_how_to_leave(lambda: _leave(app))
    try:
        app.run()
    finally:
        if not app.player_closed:
            player.close()
    if app.failure is not None:
        raise app.failure


def _unforeseen(error: Exception) -> str:
    """The sentence for an opening that ended in what nobody foresaw, which goes to the log."""
    _LOG.error("The player could not be opened.", exc_info=error)
    return f"The player could not be opened ({type(error).__name__}: {error}); player.log says more."
