"""What the keys do on every screen: slow calls, and those that must follow them, as errands in their order."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.app import App

from player.errors import PlayerError
from player.tui.command_queue import Errands

if TYPE_CHECKING:
    from collections.abc import Callable

    from player.tui.messages import (
        AnswerFound,
        BanTrack,
        CreateStation,
        ErrandEnded,
        Less,
        MapColoured,
        MoreLike,
        MovePin,
        OpenStation,
        PinTrack,
        PlayTrack,
        PutRight,
        RestFor,
        RestTrack,
        SeekTo,
        SetMode,
        SimilarFound,
        ThumbEverywhere,
        ThumbTrack,
    )
    from player.tui.port import JobName, PlayerPort, Thumb

_JOB_WORDS = {"scan": "A scan", "embed": "An embedding", "retrain": "A training"}


class PlayerActions(App[None]):
    """An app that passes presses and messages on to a port."""

    def __init__(self, port: PlayerPort) -> None:
        super().__init__()
        self.port = port
        self.errands = Errands(self, self.complain)

    def complain(self, text: str) -> None:
        """Show what went wrong; to be overridden."""
        raise NotImplementedError

    def back_to_station(self) -> None:
        """Close whatever lies over the main screen; to be overridden."""
        raise NotImplementedError

    def quick(self, call: Callable[[], None]) -> None:
        """Make a quick call here and now."""
        try:
            call()
        except PlayerError as error:
            self.complain(str(error))

    def on_errand_ended(self, message: ErrandEnded) -> None:
        """Tell the screen about a slow call."""
        message.report()

    def on_similar_found(self, message: SimilarFound) -> None:
        """Say why nothing was found."""
        if message.problem:
            self.complain(message.problem)

    def on_map_coloured(self, message: MapColoured) -> None:
        """Say why there are no colours."""
        if message.problem:
            self.complain(message.problem)

    def on_answer_found(self, message: AnswerFound[object]) -> None:
        """Say why there is no answer."""
        if message.problem:
            self.complain(message.problem)

    # The playing track

    def action_toggle_pause(self) -> None:
        """Pause, or go on."""
        self.errands.add(self.port.toggle_pause)

    def action_next(self) -> None:
        """Skip."""
        self.errands.add(self.port.next)

    def action_previous(self) -> None:
        """Back."""
        self.errands.add(self.port.previous)

    def action_thumb(self, value: Thumb) -> None:
        """Thumb the playing track."""
        self.errands.add(partial(self.port.thumb, value))

    def action_undo(self) -> None:
        """Take back the last feedback."""
        self.errands.add(self.port.undo)

    def action_thumb_everywhere(self, value: Thumb) -> None:
        """Thumb the playing track for all stations."""
        self.errands.add(partial(self.port.thumb_everywhere, value))

    def action_sleep_timer(self) -> None:
        """The sleep timer's next choice."""
        self.errands.add(self.port.turn_sleep_timer)

    def action_replay(self) -> None:
        """Once more."""
        self.errands.add(self.port.replay)

    def action_not_now(self) -> None:
        """Rest the playing track."""
        self.errands.add(self.port.not_now)

    def action_never(self) -> None:
        """Never again."""
        self.errands.add(self.port.never)

    def action_seek(self, seconds: float) -> None:
        """On or back by some seconds – of the track that a skip pressed just before leads to."""
        self.errands.add(partial(self.port.seek, seconds, relative=True))

    def action_volume(self, percent: int) -> None:
        """Louder or quieter by some percent."""

        def change() -> None:
            volume = round(self.port.snapshot().volume * 100) + percent
            self.port.set_volume(min(max(volume, 0), 100) / 100)

        self.errands.add(change)

    # The station

    def action_turn_dial(self, by: int) -> None:
        """Towards the familiar, or towards discovery."""
        self.errands.add(partial(self.port.turn_dial, by))

    def action_more_like(self) -> None:
        """A station like the playing track."""
        self.errands.add(self.port.more_like, self._tuned_in)

    def action_station_before(self) -> None:
        """Back to the station before."""
        self.errands.add(self.port.back, self._tuned_in)

    # Background jobs

    def action_retrain(self) -> None:
        """Train; or stop the training that runs."""
        job = self.port.snapshot().job
        if job is not None and not job.finished and job.name == "retrain":
            self.quick(self.port.stop_job)
        else:
            self._start_job("retrain")

    def action_embed(self) -> None:
        """Embed what has no vector yet."""
        self._start_job("embed")

    def action_scan(self) -> None:
        """Look through the music folders."""
        self._start_job("scan")

    def action_stop_job(self) -> None:
        """Stop the job that runs, if any."""
        job = self.port.snapshot().job
        if job is not None and not job.finished:
            self.quick(self.port.stop_job)

    def action_pause_job(self) -> None:
        """Pause the embedding, or go on with it."""
        self.quick(self.port.pause_job)

    def _start_job(self, name: JobName) -> None:
        job = self.port.snapshot().job
        if job is not None and not job.finished and not job.paused:
            self.complain(f"{_JOB_WORDS[job.name]} is running; escape stops it, or wait for its end.")
            return
        self.quick(partial(self.port.start_job, name))

    # What rows and pickers mean

    def on_play_track(self, message: PlayTrack) -> None:
        """Play by hand."""
        self.errands.add(partial(self.port.play_track, message.track_id))

    def on_thumb_track(self, message: ThumbTrack) -> None:
        """Thumb a row."""
        self.errands.add(partial(self.port.thumb_track, message.track_id, message.value))

    def on_rest_track(self, message: RestTrack) -> None:
        """Not now, for a row."""
        self.errands.add(partial(self.port.not_now, message.track_id))

    def on_rest_for(self, message: RestFor) -> None:
        """Not now, for a certain time."""
        self.errands.add(partial(self.port.not_now, message.track_id, message.seconds), self._told)

    def on_ban_track(self, message: BanTrack) -> None:
        """Never, for a certain track."""
        self.errands.add(partial(self.port.never, message.track_id), self._told)

    def on_thumb_everywhere(self, message: ThumbEverywhere) -> None:
        """A thumb for all stations."""
        self.errands.add(partial(self.port.thumb_everywhere, message.value, message.track_id), self._told)

    def on_less(self, message: Less) -> None:
        """Less because of this."""
        self.errands.add(partial(self.port.less, message.track_id, message.reason), self._told)

    def on_put_right(self, message: PutRight) -> None:
        """Correct the log."""
        self.errands.add(partial(self.port.correct, message.correction), self._told)

    def _told(self, _result: None) -> None:
        self.renew()

    def renew(self) -> None:
        """Have panels that answer a question ask it anew; to be overridden."""
        raise NotImplementedError

    def on_pin_track(self, message: PinTrack) -> None:
        """Pin a row, or take its pin off."""
        pin = self.port.pin_next if message.place == "next" else self.port.pin_last
        self.errands.add(partial(pin, message.track_id))

    def on_move_pin(self, message: MovePin) -> None:
        """Move a pin."""
        self.errands.add(partial(self.port.move_pin, message.track_id, message.places))

    def on_more_like(self, message: MoreLike) -> None:
        """A station like a row."""
        self.errands.add(partial(self.port.more_like, message.track_id), self._tuned_in)

    def on_set_mode(self, message: SetMode) -> None:
        """Play in another way."""
        self.errands.add(partial(self.port.set_mode, message.mode), self._tuned_in)

    def on_seek_to(self, message: SeekTo) -> None:
        """Go to a position."""
        self.errands.add(partial(self.port.seek, message.seconds))

    def on_open_station(self, message: OpenStation) -> None:
        """Tune in."""
        self.errands.add(partial(self.port.open_station, message.station_id), self._tuned_in)

    def on_create_station(self, message: CreateStation) -> None:
        """Make a station and tune in; the form stays open when that fails."""

        def create_and_open() -> None:
            station = self.port.create_station(message.name, message.seeds, message.mode)
            self.port.open_station(station.id)

        self.errands.add(create_and_open, self._tuned_in)

    def _tuned_in(self, _result: None) -> None:
        self.back_to_station()
