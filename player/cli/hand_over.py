"""Music that is named: how to begin with it, and how the player that runs on the data folder plays it instead of a second one."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from player.cli.home import Home
from player.cli.library import find_tracks
from player.feedback.event_store import EventStore
from player.integrations.named_music import find_music
from player.library.tracks import TrackRow
from player.playback.controller import Opening
from player.playback.headless import told
from player.remote.client import NoPlayerError, RemoteClient
from player.stations.stations import Stations
from player.storage.event_kinds import Kind, Origin

MOST_TRACKS = 5_000
"""Handed over at once: their numbers fit on one line of the protocol."""
LOOK_SECONDS = 0.25
"""How often it is looked what became of the music."""
ENDINGS = frozenset({Kind.FINISH, Kind.SKIP, Kind.STOP})

Emit = Callable[[dict[str, Any]], None]


def named_opening(home: Home, music: Sequence[str], station: str | None) -> tuple[Opening, tuple[tuple[str, str], ...]]:
    """How to begin with music that was named, or a station; and (path, why) of files that cannot be played.

    Raises:
        PlayerError: the station is unknown, or nothing is found.
    """
    station_id = None if station is None else Stations(home.database).find(station).id
    if not music:
        return Opening(station_id=station_id), ()
    found = find_music(home.database, music, partial(find_tracks, home))
    notice = "" if not found.failures else f"{len(found.failures)} of the files cannot be played and are passed over."
    return Opening(station_id=station_id, tracks=found.tracks, notice=notice), found.failures


def hand_over(home: Home, client: RemoteClient, music: Sequence[str], then: str | None, emit: Emit) -> list[TrackRow]:
    """Let the running player play what is named, and a station afterwards.

    Returns:
        The tracks that were handed over.

    Raises:
        PlayerError: nothing is found, or the station is unknown.
    """
    opening, failures = named_opening(home, music, then)
    for path, error in failures:
        emit({"event": "notice", "notice": f"{path}: {error}"})
    if len(opening.tracks) > MOST_TRACKS:
        emit(
            {
                "event": "notice",
                "notice": f"Only the first {MOST_TRACKS:,} of {len(opening.tracks):,} tracks are played.",
            }
        )
    tracks = list(opening.tracks[:MOST_TRACKS])
    client.ask("play_named", ",".join(str(track.id) for track in tracks), then or "")
    return tracks


def hand_over_and_follow(
    home: Home, client: RemoteClient, music: Sequence[str], then: str | None, seconds: float | None, emit: Emit
) -> None:
    """The same, telling what becomes of the tracks until they are over, or something else plays; or pause after so long."""
    log = EventStore(home.database, Origin.CLI)
    last = max((event.id for event in log.read()), default=0)
    tracks = hand_over(home, client, music, then, emit)
    rows, left = {track.id: track for track in tracks}, [track.id for track in tracks]
    deadline = None if seconds is None else time.monotonic() + seconds
    begun = False
    while left:
        for event in log.read(last):
            last = event.id
            if event.kind == Kind.START and begun and event.track_id not in left:
                return
            begun = begun or (event.kind == Kind.START and event.track_id in left)
            if begun and event.track_id in rows:
                document = told(event, rows[event.track_id], None)
                if event.kind == Kind.START:
                    state = client.state()
                    document |= {key: state[key] for key in ("gain_db", "limited", "loudness_lufs")}
                elif event.kind in ENDINGS and event.track_id in left:
                    del left[: left.index(event.track_id) + 1]
                emit(document)
        if deadline is not None and time.monotonic() >= deadline:
            client.ask("pause", 1)
            return
        time.sleep(LOOK_SECONDS)
        try:
            client.ask("ping")
        except NoPlayerError:
            return
