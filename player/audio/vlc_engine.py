"""The engine that leaves everything to VLC: decoding, mixing and the device."""

import time
from functools import partial
from typing import Any

from player.audio.engine import Emit, Post, Watcher
from player.audio.libraries import INSTALL_VLC, libvlc
from player.audio.messages import (
    DeviceChanged,
    Failed,
    Finished,
    Load,
    Position,
    Prepare,
    Refused,
    SetVolume,
    Started,
)
from player.audio.output import OutputError
from player.audio.source import AudioError, AudioSource, display_name

OPTIONS = (
    "--quiet",
    "--no-video",
    "--intf=dummy",
    "--no-lua",  # no scripts, so no playlist parsers and no network look-ups
    "--no-metadata-network-access",
    "--no-stats",
)

CANNOT = "Gapless Crossfade RepeatPart Watch Limit"
"""What the other engine can do besides."""

SHORT_SECONDS = 1.0
"""VLC tells the time a few times a second: a track shorter than this may end before it was told once."""

FULL_VOLUME = 100
"""VLC's figure for an unchanged signal; it cubes the slider itself."""

STUCK_SECONDS = 20.0
"""As for the other engine: so long after a track began it must be heard of."""


class VlcEngine:
    """Plays through libvlc; its events arrive on its threads and are handed to the control thread."""

    def __init__(self, device: str | None, emit: Emit, post: Post) -> None:
        """Start libvlc.

        Args:
            device: part of a device's name as VLC lists it; None for the system's default.
            emit: where events go.
            post: runs functions on the control thread.

        Raises:
            OutputError: libvlc is missing, or there is no device, or none such.
        """
        self.name, self.cannot = "vlc", CANNOT
        self._emit = emit
        self._post = post
        self._vlc = libvlc()
        self._instance: Any = self._vlc.Instance(*OPTIONS)
        if self._instance is None:
            raise OutputError(f"The VLC library does not start, its plugins may be missing; {INSTALL_VLC}.")
        self._player: Any = self._instance.media_player_new()
        if not self._hears():
            self.close()
            raise OutputError("No output device was found; connect one, or choose another.")
        self.device = self._choose_device(device)
        self._generation = 0
        self._path = ""
        self._level, self._gain_db = 1.0, 0.0
        self._token: int | None = None
        self._duration = 0.0
        self._start = 0.0
        self._within = (0.0, 0.0)
        self._playing = False
        self._begun = False
        self._announced = False
        self._waiting_since = time.monotonic()
        self._prepared: tuple[str, float] | None = None
        self._attach_events()

    def load(self, track: Load) -> None:
        """Take a track; VLC opens it at the first Play."""
        self.stop()
        self._path, self._token, self._start = track.path, track.token, max(0.0, track.position)
        self._within = (track.start, track.end)
        self._playing, self._gain_db = track.play, track.gain_db - track.excess_db
        self._set_volume()
        try:
            whole = self._known_duration(track.path)
            self._duration = max(0.0, (track.end or whole) - track.start)
        except AudioError as error:
            self._token = None
            self._emit(Failed(track.token, str(error)))
            return
        if track.play:
            self._begin()

    def prepare(self, track: Prepare) -> None:
        """Examine the file ahead of time, which also brings its head into memory."""
        try:
            self._prepared = (track.path, self._examine(track.path))
        except AudioError:
            self._prepared = None  # it is told when the track is loaded

    def play(self) -> None:
        """Go on, or begin."""
        self._playing = True
        if self._token is None:
            return
        if self._begun:
            self._player.set_pause(0)
        else:
            self._begin()

    def prepare_nothing(self) -> None:
        """Nothing follows by itself anyway."""
        self._prepared = None

    def pause(self, fade_seconds: float) -> None:
        """Fall silent, at once: VLC does not fade."""
        del fade_seconds
        self._playing = False
        if self._begun:
            self._player.set_pause(1)

    def seek(self, seconds: float) -> None:
        """Go to a place; before the first Play, begin there."""
        self._start = max(0.0, seconds)
        if self._begun:
            self._player.set_time(int((self._within[0] + self._start) * 1000))

    def set_volume(self, volume: SetVolume) -> None:
        """Set the slider; VLC has no balance."""
        self._level = 0.0 if volume.muted else min(1.0, max(0.0, volume.level))
        self._set_volume()

    def set_speed(self, speed: float) -> None:
        """Play faster or slower."""
        self._player.set_rate(speed)

    def repeat_part(self, start: float, end: float) -> None:
        """Refuse: VLC jumps to the millisecond at best, and not without a gap."""
        if end > start:
            self._emit(Refused("VLC cannot repeat a part of a track; the engine `stream` can."))

    def set_device(self, name: str) -> None:
        """Hand the sound to another device; raises nothing, says where there is none of that name."""
        try:
            self.device = self._choose_device(name or None)
        except OutputError as error:
            self._emit(Refused(str(error)))
            return
        self._emit(DeviceChanged(self.device, switched=True))

    def watch(self, watcher: Watcher | None) -> int:
        """VLC does not show what it plays."""
        del watcher
        return 0

    def unheard(self) -> float:
        """VLC tells the time of what is heard."""
        return 0.0

    def _set_volume(self) -> None:
        """Slider and the track's gain in one figure, of which VLC takes the cube."""
        self._player.audio_set_volume(round(self._level * 10 ** (self._gain_db / 60) * FULL_VOLUME))

    def stop(self) -> None:
        """Drop the track; afterwards no event about it is on its way any more."""
        self._player.stop()
        self._generation += 1
        self._token = None
        self._begun = self._announced = False

    def position(self) -> Position | None:
        """Where the track is, as VLC tells it (a few times a second)."""
        if self._token is None:
            return None
        told = self._player.get_time() / 1000 - self._within[0] if self._announced else 0.0
        seconds = told if told > 0 else self._start
        return Position(self._token, seconds, max(self._duration, seconds), self._playing, underruns=0)

    def check(self) -> None:
        """Give up a track that was begun and of which nothing is heard; VLC looks after its device."""
        if not self._begun or self._announced or not self._playing:
            self._waiting_since = time.monotonic()
        elif self._token is not None and time.monotonic() - self._waiting_since >= STUCK_SECONDS:
            self._failed(self._generation)

    def close(self) -> None:
        """Let VLC's threads and device go."""
        self._player.stop()
        self._player.release()
        self._instance.release()

    def _begin(self) -> None:
        media = self._instance.media_new_path(self._path)
        begin, end = self._within[0] + self._start, self._within[1]
        if begin > 0:
            media.add_option(f":start-time={begin:.3f}")
        if end > 0:
            media.add_option(f":stop-time={end:.3f}")
        self._player.set_media(media)
        media.release()
        self._player.play()
        self._begun = True
        self._waiting_since = time.monotonic()

    def _known_duration(self, path: str) -> float:
        prepared, self._prepared = self._prepared, None
        return prepared[1] if prepared is not None and prepared[0] == path else self._examine(path)

    def _examine(self, path: str) -> float:
        """Seconds; raises AudioError in the words of the other engine, which VLC does not have."""
        with AudioSource(path) as source:
            return source.duration or 0.0

    def _choose_device(self, wanted: str | None) -> str:
        if wanted is None:
            return "default"
        devices = [(ident.decode(), name.decode(errors="replace")) for ident, name in self._listed_devices()]
        for identifier, name in devices:
            if wanted in {identifier, name} or wanted.lower() in name.lower():
                self._player.audio_output_device_set(None, identifier)
                return name
        raise OutputError(f"VLC knows no output device called {wanted!r}; connect it, or choose another.")

    def _listed_devices(self) -> list[tuple[bytes, bytes]]:
        return self._devices(self._player.audio_output_device_enum())

    def _devices(self, first: Any) -> list[tuple[bytes, bytes]]:
        """A list of libvlc's, which is let go."""
        found: list[tuple[bytes, bytes]] = []
        entry = first
        while entry:
            found.append((entry.contents.device, entry.contents.description))
            entry = entry.contents.next
        if first:
            self._vlc.libvlc_audio_output_device_list_release(first)
        return found

    def _hears(self) -> bool:
        """Whether there is a device; without one VLC plays on, without a sound or a word.

        Without a sound server it lists the plug-ins of ALSA, which are always there, and its cards, if there are any.
        """
        listed = {device for device, _ in self._listed_devices()}
        plug_ins = set(self._devices(self._vlc.libvlc_audio_output_device_list_get(self._instance, b"alsa")))
        return any(b"CARD=" in device for device in listed) or bool(listed - {device for device, _ in plug_ins})

    def _attach_events(self) -> None:
        kinds, manager = self._vlc.EventType, self._player.event_manager()
        for kind, handler in (
            (kinds.MediaPlayerTimeChanged, self._progressed),
            (kinds.MediaPlayerEndReached, self._ended),
            (kinds.MediaPlayerEncounteredError, self._failed),
        ):
            # Called on VLC's threads, where calling VLC back would deadlock.
            manager.event_attach(kind, lambda _event, handler=handler: self._post(partial(handler, self._generation)))

    def _progressed(self, generation: int) -> None:
        if generation == self._generation and self._token is not None and not self._announced:
            self._announced = True
            self._emit(Started(self._token))

    def _ended(self, generation: int) -> None:
        if generation != self._generation or self._token is None:
            return
        token, heard = self._token, self._announced or self._duration < SHORT_SECONDS
        self.stop()
        self._emit(Finished(token) if heard else Failed(token, self._unplayable()))

    def _failed(self, generation: int) -> None:
        if generation == self._generation and self._token is not None:
            token = self._token
            self.stop()
            self._emit(Failed(token, self._unplayable()))

    def _unplayable(self) -> str:
        return f"{display_name(self._path)} cannot be played by VLC; it may be damaged."
