"""Going on where the listener stopped: the place is kept while music plays, and taken up at the next start."""

from dataclasses import replace

from player.library.embed_priority import PriorityKeeper
from player.playback.player_state import Session
from player.playback.queue_loop import Loop
from player.playback.silence import Change
from player.stations.resume import ResumePoint, save_resume_point

SAVE_SECONDS = 5.0
"""How far the music may run ahead of the place that is kept."""


class Bookmark:
    """Keeps the session's place on disk, and takes it up again."""

    def __init__(self, session: Session, loop: Loop) -> None:
        self._session = session
        self._loop = loop
        self._priority = PriorityKeeper(session.database)
        self._saved = ResumePoint()

    def take_up(self, point: ResumePoint, *, play: bool) -> None:
        """Go on with a station and its track, or with a track that played without one, where they are still there.

        Args:
            point: where the listener stopped.
            play: let the music sound, or wait until the listener goes on.
        """
        session = self._session
        station = self._loop.find_station(point.station_id)
        if station is not None:
            self._loop.open(station)
        elif point.station_id is not None:
            return
        track = session.known.playable_track(point.track_id)
        if track is not None:
            if not play:
                session.playback.happened(Change.PAUSE)
            session.playback.load(track, point.reason, point.decision_id, position=point.position)
            words = "Going on where you stopped." if play else "Space goes on where you stopped."
            self._loop.rerank(f"{session.known.problem} {words}".strip())

    def save(self) -> None:
        """Write down where the listener is."""
        save_resume_point(self._session.database, self._place())

    def keep(self) -> None:
        """Write down where the listener is, when that is news; called now and then while music plays."""
        with self._session.lock:
            point = self._place()
        moved = replace(point, position=0.0) != replace(self._saved, position=0.0)
        if moved or abs(point.position - self._saved.position) >= SAVE_SECONDS:
            save_resume_point(self._session.database, point)
            self._saved = point
        self._keep_wishes()

    def _keep_wishes(self) -> None:
        """Let whoever embeds know what is about to be played, while there is anything to embed."""
        session = self._session
        with session.lock:
            if session.tuned is None or session.known.collection.embedded >= len(session.known.playable):
                return
            playing = [] if session.current is None else [session.current.track.id]
            station, upcoming = session.tuned.station.id, [row.track.id for row in session.tuned.rows]
        self._priority.keep(station, [*playing, *upcoming])

    def _place(self) -> ResumePoint:
        session = self._session
        now, station = session.current, session.station
        point = ResumePoint(station_id=None if station is None else station.id, volume=session.snapshot.volume)
        if now is None:
            return point
        return replace(
            point,
            track_id=now.track.id,
            position=now.position,
            playing=session.playback.silence.wanted,
            decision_id=now.decision_id,
            reason=now.reason,
        )
