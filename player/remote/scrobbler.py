"""Scrobbling beside the music: a thread that tells the services what the log has for them, whenever they can be reached."""

import logging
import threading
import time
from typing import TYPE_CHECKING

from player.config import ScrobbleSettings
from player.errors import PlayerError
from player.folders import Paths
from player.integrations.scrobbling import LastFm, ListenBrainz, LoginError, Outbox, RefusedError, Service
from player.playback.controller import Controller
from player.secrets_file import read_secrets
from player.storage.database import Database

if TYPE_CHECKING:
    from player.library.tracks import TrackRow

logger = logging.getLogger(__name__)

SOON_SECONDS = 5.0
"""From something new to telling it; a thumb pressed twice is one deed then."""
RETRY_SECONDS = 60.0
LONGEST_SECONDS = 3600.0
"""A service that cannot be reached is tried again after a minute, then after twice as long, up to an hour."""


def services(paths: Paths, settings: ScrobbleSettings) -> list[ListenBrainz | LastFm]:
    """The services that the listener has logged in to.

    Raises:
        PlayerError: the secrets cannot be read.
    """
    secrets = read_secrets(paths)
    found: list[ListenBrainz | LastFm] = []
    if token := secrets.get("listenbrainz", {}).get("token"):
        found.append(ListenBrainz(token, settings.listenbrainz_url))
    lastfm = secrets.get("lastfm", {})
    if session := lastfm.get("session"):
        found.append(LastFm(lastfm.get("key", ""), lastfm.get("secret", ""), session, settings.lastfm_url))
    return found


class Scrobbler:
    """Tells one service, from :meth:`start` to :meth:`close`.

    Args:
        player: what plays.
        database: the listener's data.
        service: whom to tell.
    """

    def __init__(self, player: Controller, database: Database, service: Service) -> None:
        self._player, self._database, self._service = player, database, service
        self._outbox = Outbox(database, service.name)
        self._wake, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"scrobble-{service.name}", daemon=True)
        self._playing: TrackRow | None = None

    def start(self) -> None:
        """Begin with what is heard from now on, and with what was left over."""
        self._outbox.begin()
        self._player.subscribe(self._wake.set)
        self._thread.start()

    def close(self) -> None:
        """Stop; what is still to be told waits in the log for the next start."""
        self._closing.set()
        self._wake.set()
        self._thread.join(SOON_SECONDS)

    def _run(self) -> None:
        pause = RETRY_SECONDS
        while not self._closing.is_set():
            self._wake.clear()
            try:
                self._tell()
            except LoginError:
                logger.warning("%s does not know this login any more; log in again.", self._service.name)
                return
            except (OSError, PlayerError) as error:
                logger.info("%s cannot be told now: %s", self._service.name, error)
                self._closing.wait(pause)
                pause = min(2 * pause, LONGEST_SECONDS)
            except Exception:
                logger.exception("Scrobbling to %s has ended; it begins again at the next start.", self._service.name)
                return
            else:
                pause = RETRY_SECONDS
                self._wake.wait()
                self._closing.wait(SOON_SECONDS)

    def _tell(self) -> None:
        tracks = {row.id: row for row in self._player.catalogue()}
        hygiene = self._player.hygiene()
        self._outbox.deliver(self._service, tracks, hygiene)
        snapshot = self._player.snapshot()
        now, station = snapshot.now, None if snapshot.station is None else snapshot.station.id
        if hygiene.private is not None or now is None or now.track.id in hygiene.off_stations(station, time.time()):
            return
        if now.playing and now.track != self._playing:
            self._playing = now.track
            try:
                self._service.playing(now.track)
            except RefusedError as error:
                logger.info("%s does not take what plays now: %s", self._service.name, error)


def scrobblers(player: Controller, database: Database, paths: Paths, settings: ScrobbleSettings) -> list[Scrobbler]:
    """One for each service that the listener has logged in to."""
    return [Scrobbler(player, database, service) for service in services(paths, settings)]
