"""What the screen asks of the player behind it; the controller keeps this contract, and so do the tests' stand-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from player.feedback.correction import Correction
    from player.insight.library_map import Colour, Colouring
    from player.insight.neighbours import SimilarTrack
    from player.insight.terminal_map import MapView
    from player.library.tracks import TrackRow
    from player.stations.snapshot import Snapshot, StationRow
    from player.stations.track_views import TrackStory, Why
    from player.tui.screens.survey import SurveyPort

Thumb = Literal[1, -1]
JobName = Literal["scan", "embed", "retrain"]
Seed = tuple[str, str]
"""Kind and value: ``("genre", "Classical")``; the whole library is ``("library", "")``."""
Suggestion = tuple[str, str, int]
"""Kind, value and how many tracks it has."""


class PlayerPort(Protocol):
    """The player as the screen sees it.

    A call marked *slow* may write durably or re-rank; the app runs those one after the other in a thread. All others
    take a few milliseconds at most and may be called from the event loop. Any call may raise ``PlayerError``, whose
    text is one sentence to show.
    """

    def snapshot(self) -> Snapshot:
        """Everything the main screen shows, as of now."""
        ...

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` (from any thread, with nothing) whenever ``snapshot()`` has changed."""
        ...

    def start(self) -> None:
        """Open the sound and resume the last station where it stopped. Slow."""
        ...

    def close(self) -> None:
        """Stop the sound and record that the listener quit. Slow."""
        ...

    def toggle_pause(self) -> None:
        """Pause, or go on."""
        ...

    def next(self) -> None:
        """Skip to the next track. Slow."""
        ...

    def previous(self) -> None:
        """Back to the track before. Slow."""
        ...

    def seek(self, seconds: float, *, relative: bool = False) -> None:
        """Go to a position, or with ``relative`` that far on (or back)."""
        ...

    def set_volume(self, volume: float) -> None:
        """Set the volume, 0…1."""
        ...

    def thumb(self, value: Thumb) -> None:
        """Thumb the playing track; down skips it too, up on a thumbed-up track clears the thumb. Slow."""
        ...

    def thumb_track(self, track_id: int, value: Thumb) -> None:
        """Thumb a track of the queue. Slow."""
        ...

    def thumb_everywhere(self, value: Thumb, track_id: int | None = None) -> None:
        """Thumb a track (None: the playing one) for all stations; the same again clears it. Slow."""
        ...

    def not_now(self, track_id: int | None = None, seconds: float | None = None) -> None:
        """Rest a track (None: the playing one) for so long, or a day, without judging it. Slow."""
        ...

    def never(self, track_id: int | None = None) -> None:
        """Never play a track (None: the playing one) again, anywhere. Slow."""
        ...

    def replay(self) -> None:
        """Play the track again from its start. Slow."""
        ...

    def undo(self) -> None:
        """Take back the last feedback of this session. Slow."""
        ...

    def turn_sleep_timer(self) -> None:
        """Set the sleep timer to its next choice. Slow."""
        ...

    def why(self, track_id: int | None = None) -> Why:
        """Why a track stands where it stands on this station. Called in a thread."""
        ...

    def less(self, track_id: int, reason: str) -> None:
        """Let a reason, by its key, count no more on this station. Slow."""
        ...

    def story(self, track_id: int | None = None) -> TrackStory:
        """Everything known about a track. Called in a thread."""
        ...

    def correct(self, correction: Correction) -> None:
        """Put right what the log says of a track. Slow."""
        ...

    def play_track(self, track_id: int) -> None:
        """Play a track chosen by hand. Slow."""
        ...

    def stations(self) -> list[StationRow]:
        """All stations, the last used first."""
        ...

    def open_station(self, station_id: int) -> None:
        """Tune in to a station. Slow."""
        ...

    def create_station(self, name: str, seeds: Sequence[Seed], mode: str = "station") -> StationRow:
        """Make a station that plays in a mode (without tuning in to it). Slow.

        Raises:
            PlayerError: The name is taken, a seed matches nothing, or there is no such mode.
        """
        ...

    def more_like(self, track_id: int | None = None) -> None:
        """Tune in to the station that grows from a track (None: the playing one, which plays on). Slow."""
        ...

    def back(self) -> None:
        """Tune in to the station that was on before. Slow."""
        ...

    def turn_dial(self, by: int) -> None:
        """Turn the station's dial by so many hundredths: below 0 towards the familiar. Slow."""
        ...

    def set_mode(self, mode: str) -> None:
        """Let the station play in another way. Slow."""
        ...

    def pin_next(self, track_id: int) -> None:
        """Play a track next. Slow."""
        ...

    def pin_last(self, track_id: int) -> None:
        """Play a track after the other pins; one that is pinned is taken off. Slow."""
        ...

    def move_pin(self, track_id: int, places: int) -> None:
        """Move a pin so many places on, or back below 0. Slow."""
        ...

    def catalogue(self) -> list[TrackRow]:
        """All tracks; the same list object as long as nothing has changed."""
        ...

    def search(self, query: str) -> list[int]:
        """Indices into ``catalogue()`` of the tracks that match. Called in a thread."""
        ...

    def seed_suggestions(self, text: str) -> list[Suggestion]:
        """What a station could grow from, best first; for an empty text the most useful proposals."""
        ...

    def start_job(self, name: JobName) -> None:
        """Start a background job; its progress appears in ``snapshot().job``."""
        ...

    def stop_job(self) -> None:
        """Stop the background job."""
        ...

    def pause_job(self) -> None:
        """Pause the embedding, or go on with it; ``snapshot().job.paused`` says which."""
        ...

    def similar(self, track_id: int, count: int) -> Sequence[SimilarTrack]:
        """The tracks that sound most like one, most alike first. Called in a thread."""
        ...

    def make_map(self) -> None:
        """Begin to place the library's tracks on a map; ``subscribe`` tells when ``map_view()`` has changed."""
        ...

    def map_view(self) -> MapView:
        """The map as it stands."""
        ...

    def map_colours(self, tracks: Sequence[TrackRow], colour: Colour) -> Colouring:
        """Groups or values of the tracks, one each. Called in a thread."""
        ...

    def survey_waits(self) -> bool:
        """Whether nothing is known of the listener's taste yet, so that a survey is worth offering."""
        ...

    def survey(self) -> SurveyPort:
        """A survey, not yet begun; while it is open, the music waits."""
        ...
