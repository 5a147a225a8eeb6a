"""The player on the desktop's bus (MPRIS 2): media keys, widgets, lock screens, ``playerctl``; and notifications.

Source: https://specifications.freedesktop.org/mpris-spec/latest/
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from dbus_fast import DBusError, Message, PropertyAccess, RequestNameReply, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import (
    DBusBool,
    DBusDict,
    DBusDouble,
    DBusInt64,
    DBusObjectPath,
    DBusSignature,
    DBusStr,
)
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

from player.library.cover_art import embedded_art, folder_art
from player.library.paths import text_to_path
from player.playback.controller import Controller
from player.stations.snapshot import NowPlaying, Snapshot

DBusStrings = Annotated[list[str], DBusSignature("as")]
NAME = "org.mpris.MediaPlayer2.skipwise"
PLACE = "/org/mpris/MediaPlayer2"
MICROSECONDS = 1_000_000
Do = Callable[[Callable[[], object]], None]
"""Hands a call to the thread that talks to the player."""
READ = PropertyAccess.READ


class _Root(ServiceInterface):
    """The player as an application."""

    def __init__(self) -> None:
        super().__init__("org.mpris.MediaPlayer2")

    @dbus_method(name="Raise")
    def bring_up(self) -> None:
        """Show a window: a terminal cannot be raised."""

    @dbus_method(name="Quit")
    def leave(self) -> None:
        """Leave: only its own keys do that."""

    @dbus_property(READ, name="CanQuit")
    def can_quit(self) -> DBusBool:
        """It cannot be quit from outside."""
        return False

    @dbus_property(READ, name="CanRaise")
    def can_raise(self) -> DBusBool:
        """A terminal cannot be raised."""
        return False

    @dbus_property(READ, name="HasTrackList")
    def has_track_list(self) -> DBusBool:
        """The queue is not told here."""
        return False

    @dbus_property(READ, name="Identity")
    def identity(self) -> DBusStr:
        """Its name for people."""
        return "Skipwise"

    @dbus_property(READ, name="SupportedUriSchemes")
    def schemes(self) -> DBusStrings:
        """It opens no addresses."""
        return []

    @dbus_property(READ, name="SupportedMimeTypes")
    def types(self) -> DBusStrings:
        """It opens no files."""
        return []


class _Player(ServiceInterface):
    """The music, and the buttons."""

    def __init__(self, player: Controller, do: Do, cache: Path) -> None:
        super().__init__("org.mpris.MediaPlayer2.Player")
        self._player, self._do, self._cache = player, do, cache
        self._art: tuple[int, str] = (0, "")
        self.told: dict[str, object] = {}

    @dbus_method(name="Next")
    def next(self) -> None:
        """Skip."""
        self._do(self._player.next)

    @dbus_method(name="Previous")
    def previous(self) -> None:
        """Go back."""
        self._do(self._player.previous)

    @dbus_method(name="Pause")
    def pause(self) -> None:
        """Pause."""
        self._do(lambda: self._player.set_playing(False))

    @dbus_method(name="Stop")
    def stop(self) -> None:
        """Pause: the place is kept."""
        self._do(lambda: self._player.set_playing(False))

    @dbus_method(name="Play")
    def play(self) -> None:
        """Go on."""
        self._do(lambda: self._player.set_playing(True))

    @dbus_method(name="PlayPause")
    def play_pause(self) -> None:
        """Pause or go on."""
        self._do(self._player.toggle_pause)

    @dbus_method(name="Seek")
    def seek(self, offset: DBusInt64) -> None:
        """Go so many microseconds on, or back."""
        self._do(lambda: self._player.seek_by(offset / MICROSECONDS))

    @dbus_method(name="SetPosition")
    def set_position(self, track: DBusObjectPath, position: DBusInt64) -> None:
        """Go to a place, unless another track plays by now."""
        now = self._player.snapshot().now
        if now is not None and track == _track_path(now) and 0 <= position <= now.duration * MICROSECONDS:
            self._do(lambda: self._player.seek(position / MICROSECONDS))

    @dbus_method(name="OpenUri")
    def open_uri(self, uri: DBusStr) -> None:
        """Open an address: nothing but the library is played."""
        raise DBusError(
            "org.freedesktop.DBus.Error.NotSupported", f"{uri[:100]} cannot be opened; add its folder to the library."
        )

    @dbus_signal(name="Seeked")
    def seeked(self, position: int) -> DBusInt64:
        """The place is not where it would have come by itself."""
        return position

    @dbus_property(READ, name="PlaybackStatus")
    def status(self) -> DBusStr:
        """Playing, Paused or Stopped."""
        now = self._player.snapshot().now
        return "Stopped" if now is None else "Playing" if now.playing else "Paused"

    @dbus_property(READ, name="Metadata")
    def metadata(self) -> DBusDict:
        """What plays."""
        now = self._player.snapshot().now
        return {} if now is None else self._metadata(now)

    def _metadata(self, now: NowPlaying) -> dict[str, Variant]:
        track = now.track
        found = {
            "mpris:trackid": Variant("o", _track_path(now)),
            "mpris:length": Variant("x", round(now.duration * MICROSECONDS)),
            "xesam:title": Variant("s", track.title),
            "xesam:artist": Variant("as", [track.artist]),
            "xesam:album": Variant("s", track.album),
            "xesam:genre": Variant("as", [genre for genre in track.genre.split("; ") if genre]),
            "xesam:comment": Variant("as", [now.reason]),
            "xesam:url": Variant("s", text_to_path(track.path).as_uri()),
        }
        if now.thumb:
            found["xesam:userRating"] = Variant("d", 1.0 if now.thumb > 0 else 0.0)
        if art := self._art_of(now):
            found["mpris:artUrl"] = Variant("s", art)
        return found

    def _art_of(self, now: NowPlaying) -> str:
        """The address of the track's picture; one within its file is laid into the cache, in place of the last one."""
        if self._art[0] != now.track.id:
            path = text_to_path(now.track.path)
            art = embedded_art(path) or folder_art(path)
            where = None if art is None else art.path or self._laid_out(art.content, art.mime)
            self._art = now.track.id, "" if where is None else where.as_uri()
        return self._art[1]

    def _laid_out(self, content: bytes, mime: str) -> Path | None:
        name = f"now-playing-{hashlib.sha256(content).hexdigest()[:16]}.{mime.rpartition('/')[2]}"
        try:
            self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            for old in self._cache.glob("now-playing-*"):
                if old.name != name:
                    old.unlink(missing_ok=True)
            (self._cache / name).write_bytes(content)
        except OSError:
            return None
        return self._cache / name

    @dbus_property(READ, name="Position")
    def position(self) -> DBusInt64:
        """The place in the track."""
        now = self._player.snapshot().now
        return 0 if now is None else round(now.position * MICROSECONDS)

    @dbus_property(name="Volume")
    def volume(self) -> DBusDouble:
        """The volume, 0…1."""
        return self._player.snapshot().volume

    @volume.setter
    def set_volume(self, volume: DBusDouble) -> None:
        """Set it."""
        self._do(lambda: self._player.set_volume(volume))

    @dbus_property(READ, name="Rate")
    def rate(self) -> DBusDouble:
        """Music has one speed."""
        return 1.0

    @dbus_property(READ, name="MinimumRate")
    def minimum_rate(self) -> DBusDouble:
        """Music has one speed."""
        return 1.0

    @dbus_property(READ, name="MaximumRate")
    def maximum_rate(self) -> DBusDouble:
        """Music has one speed."""
        return 1.0

    @dbus_property(READ, name="CanGoNext")
    def can_go_next(self) -> DBusBool:
        """There is always a next track."""
        return True

    @dbus_property(READ, name="CanGoPrevious")
    def can_go_previous(self) -> DBusBool:
        """At the very first, the same starts again."""
        return True

    @dbus_property(READ, name="CanPlay")
    def can_play(self) -> DBusBool:
        """Always."""
        return True

    @dbus_property(READ, name="CanPause")
    def can_pause(self) -> DBusBool:
        """Always."""
        return True

    @dbus_property(READ, name="CanSeek")
    def can_seek(self) -> DBusBool:
        """Always."""
        return True

    @dbus_property(READ, name="CanControl")
    def can_control(self) -> DBusBool:
        """Always."""
        return True

    def look(self, snapshot: Snapshot) -> bool:
        """Tell what has changed; whether another track plays."""
        now = snapshot.now
        keys: dict[str, object] = {
            "PlaybackStatus": None if now is None else now.playing,
            "Metadata": None if now is None else (now.track, now.thumb, now.duration),
            "Volume": snapshot.volume,
        }
        changed = [name for name, value in keys.items() if self.told.get(name, self) != value]
        before, self.told = self.told.get("Metadata"), keys
        values = {"PlaybackStatus": self.status, "Metadata": self.metadata, "Volume": self.volume}
        if changed:
            self.emit_properties_changed({name: values[name] for name in changed})
        return now is not None and (not isinstance(before, tuple) or before[0] != now.track)


def _track_path(now: NowPlaying) -> str:
    return f"/org/skipwise/track/{now.track.id}"


class Desktop:
    """The player's place on the session bus, in an event loop.

    Args:
        player: what plays.
        do: hands a call to the thread that talks to it.
        cache: where pictures may be laid.
        notify: say on the desktop what begins to play.
    """

    def __init__(self, player: Controller, do: Do, cache: Path, *, notify: bool) -> None:
        self._player, self._notify = player, notify
        self._music = _Player(player, do, cache)
        self._bus: MessageBus | None = None
        self._notice = 0

    async def enter(self) -> None:
        """Be on the bus.

        Raises:
            OSError: it does not answer.
        """
        self._bus = bus = await MessageBus().connect()
        bus.export(PLACE, _Root())
        bus.export(PLACE, self._music)
        if await bus.request_name(NAME) not in {RequestNameReply.PRIMARY_OWNER, RequestNameReply.ALREADY_OWNER}:
            await bus.request_name(f"{NAME}.instance{os.getpid()}")
        self._music.look(self._player.snapshot())

    async def look(self, *, jumped: bool) -> None:
        """Tell the desktop what has changed."""
        if self._bus is None or not self._bus.connected:
            return
        snapshot = self._player.snapshot()
        other = self._music.look(snapshot)
        if snapshot.now is not None and jumped and not other:
            self._music.seeked(round(snapshot.now.position * MICROSECONDS))
        if snapshot.now is not None and other and self._notify:
            await self._say(snapshot.now)

    async def _say(self, now: NowPlaying) -> None:
        assert self._bus is not None
        by = " · ".join(filter(None, (now.track.artist, now.track.album)))
        message = Message(
            destination="org.freedesktop.Notifications",
            path="/org/freedesktop/Notifications",
            interface="org.freedesktop.Notifications",
            member="Notify",
            signature="susssasa{sv}i",
            body=[
                "Skipwise",
                self._notice,
                "audio-x-generic",
                now.track.title,
                _plain(by),
                [],
                {"transient": Variant("b", True)},
                -1,
            ],
        )
        reply = await self._bus.call(message)
        if reply.body and isinstance(reply.body[0], int):
            self._notice = reply.body[0]  # the next one takes its place

    def leave(self) -> None:
        """Leave the bus."""
        if self._bus is not None:
            self._bus.disconnect()


def _plain(text: str) -> str:
    """Text that a notification's markup leaves as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
