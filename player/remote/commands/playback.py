"""Playing, pausing, skipping, seeking, the volume; the state of it all."""

import json
import time
from typing import Any

from player.library.loudness import Level
from player.library.tracks import TrackRow
from player.remote.context import Client, Remote, handles, updating
from player.remote.protocol import Ack, AckError, Answer, Pair, number, whole
from player.stations.snapshot import NowPlaying

PERCENT = 100
ON_AS_IT_IS = {"consume": "1", "random": "0", "repeat": "0", "single": "0"}
"""MPD's options as a station has them: what was played is gone, and an endless queue neither repeats nor ends."""


@handles("status")
def status(remote: Remote, _client: Client) -> Answer:
    """Tell what state the player is in."""
    snapshot, queue = remote.snapshot, remote.queue
    now = snapshot.now
    pairs: list[Pair] = [
        ("volume", round(snapshot.volume * PERCENT)),
        *ON_AS_IT_IS.items(),
        ("partition", "default"),
        ("playlist", queue.version),
        ("playlistlength", len(queue.entries)),
        ("mixrampdb", "0"),
        ("state", state_of(remote, now)),
    ]
    if snapshot.station is not None:
        pairs.append(("lastloadedplaylist", snapshot.station.name))
    if now is not None:
        pairs += [("song", 0), ("songid", queue.entries[0].id if queue.entries else now.track.id)]
    if now is not None and not remote.stopped:
        pairs += [
            ("time", f"{int(now.position)}:{round(now.duration)}"),
            ("elapsed", f"{now.position:.3f}"),
            ("duration", f"{now.duration:.3f}"),
        ]
    after = int(now is not None)
    if len(queue.entries) > after:
        pairs += [("nextsong", after), ("nextsongid", queue.entries[after].id)]
    if updating(snapshot):
        pairs.append(("updating_db", max(1, remote.updates)))
    return pairs


def state_of(remote: Remote, now: NowPlaying | None) -> str:
    """MPD's word for what the music does."""
    if now is None or (remote.stopped and not now.playing):
        return "stop"
    return "play" if now.playing else "pause"


@handles("currentsong")
def currentsong(remote: Remote, client: Client) -> Answer:
    """Tell what plays."""
    return list(remote.entry(client, 0, remote.queue.entries[0])) if remote.queue.playing else None


@handles("stats")
def stats(remote: Remote, _client: Client) -> Answer:
    """Count the library."""
    rows = remote.player.catalogue()
    return [
        ("artists", len({artist for row in rows for artist in row.all_artists})),
        ("albums", len({row.album_key for row in rows if row.album})),
        ("songs", len(rows)),
        ("uptime", int(time.monotonic() - remote.started)),
        ("db_update", remote.updated),
        ("db_playtime", round(sum(row.duration for row in rows))),
    ]


@handles("play", 0, 1)
def play(remote: Remote, _client: Client, place: str = "-1") -> Answer:
    """Go on, or play a place of the queue; what is chosen so was chosen by hand."""
    entries = remote.queue.entries
    at = whole(place)
    if at >= len(entries):
        raise AckError(Ack.ARG, f"the queue has {len(entries)} places")
    if at < 0 or (at == 0 and remote.queue.playing):
        remote.player.set_playing(True)
    else:
        remote.player.play_track(entries[at].track.id)
    return None


@handles("playid", 0, 1)
def playid(remote: Remote, client: Client, entry: str = "-1") -> Answer:
    """Go on, or play an entry of the queue."""
    wanted = whole(entry)
    return play(remote, client, str(remote.queue.place(wanted) if wanted >= 0 else -1))


@handles("pause", 0, 1)
def pause(remote: Remote, _client: Client, on: str = "") -> Answer:
    """Pause or go on; without a word whichever it is not."""
    if on:
        remote.player.set_playing(whole(on) == 0)
    else:
        remote.player.toggle_pause()
    return None


@handles("stop")
def stop(remote: Remote, _client: Client) -> Answer:
    """Pause; the place is kept, and what was heard says nothing about taste."""
    remote.player.set_playing(False)
    remote.stopped = True
    return None


@handles("next")
def next_song(remote: Remote, _client: Client) -> Answer:
    """Skip."""
    remote.player.next()
    return None


@handles("previous")
def previous(remote: Remote, _client: Client) -> Answer:
    """Start the track again, or go back to the one before."""
    remote.player.previous()
    return None


@handles("seek", 2)
def seek(remote: Remote, client: Client, place: str, seconds: str) -> Answer:
    """Go to a second of a place of the queue."""
    if whole(place) != 0 or not remote.queue.playing:
        play(remote, client, place)
    remote.player.seek(number(seconds))
    return None


@handles("seekid", 2)
def seekid(remote: Remote, client: Client, entry: str, seconds: str) -> Answer:
    """Go to a second of an entry."""
    return seek(remote, client, str(remote.queue.place(whole(entry))), seconds)


@handles("seekcur", 1)
def seekcur(remote: Remote, _client: Client, seconds: str) -> Answer:
    """Go to a second of what plays, or with a sign so many on or back."""
    if seconds.startswith(("+", "-")):
        remote.player.seek_by(number(seconds))
    else:
        remote.player.seek(number(seconds))
    return None


@handles("setvol", 1)
def setvol(remote: Remote, _client: Client, percent: str) -> Answer:
    """Set the volume."""
    wanted = whole(percent)
    if not 0 <= wanted <= PERCENT:
        raise AckError(Ack.ARG, f"a volume is 0 to {PERCENT}")
    remote.player.set_volume(wanted / PERCENT)
    return None


@handles("volume", 1)
def volume(remote: Remote, _client: Client, change: str) -> Answer:
    """Change the volume by so many percent."""
    remote.player.set_volume(remote.snapshot.volume + whole(change) / PERCENT)
    return None


@handles("getvol")
def getvol(remote: Remote, _client: Client) -> Answer:
    """Tell the volume."""
    return [("volume", round(remote.snapshot.volume * PERCENT))]


def _option(name: str, kept: str) -> None:
    @handles(name, 1)
    def set_option(_remote: Remote, _client: Client, value: str) -> Answer:
        if value != kept:
            raise AckError(Ack.ARG, f"{name} stays {kept}: a station's queue has no end, and what was played leaves it")
        return None

    _ = set_option


for _name, _kept in {**ON_AS_IT_IS, "crossfade": "0"}.items():
    _option(_name, _kept)


@handles("replay_gain_status")
def replay_gain_status(_remote: Remote, _client: Client) -> Answer:
    """Tell how loudness is made alike; that is for the settings to say."""
    return [("replay_gain_mode", "auto")]


@handles("clearerror")
def clearerror(_remote: Remote, _client: Client) -> Answer:
    """Take back an error; none is kept."""
    return None


# --- the player's own --------------------------------------------------------------------------------------------------


@handles("player_state")
def player_state(remote: Remote, _client: Client) -> Answer:
    """Tell everything at once as one JSON document, for ``player status`` and the remote screen."""
    snapshot, level = remote.snapshot, remote.player.level
    now, entries = snapshot.now, remote.queue.entries[int(remote.queue.playing) :]
    document: dict[str, Any] = {
        "state": {"play": "playing", "pause": "paused", "stop": "stopped"}[state_of(remote, now)],
        "station": None if snapshot.station is None else snapshot.station.name,
        "track": None if now is None else {**_track(now.track), "album": now.track.album},
        "position": None if now is None else round(now.position, 3),
        "duration": None if now is None else round(now.duration, 3),
        "thumb": None if now is None else now.thumb,
        "reason": None if now is None else now.reason,
        "volume": round(snapshot.volume * PERCENT),
        **(dict.fromkeys(Level().told) if now is None or level is None else level.told),
        "output": snapshot.output,
        "notice": snapshot.notice,
        "queue": [
            {
                **_track(entry.track),
                "duration": round(entry.track.duration, 3),
                "reason": entry.reason,
                "pinned": entry.pinned,
                "propensity": entry.propensity,
            }
            for entry in entries
        ],
    }
    return [("json", json.dumps(document, ensure_ascii=False))]


def _track(track: TrackRow) -> dict[str, Any]:
    return {"track_id": track.id, "title": track.title, "artist": track.artist}


@handles("play_named", 1, 2)
def play_named(remote: Remote, _client: Client, tracks: str, then: str = "") -> Answer:
    """Play tracks by their ids, with commas between, then a station; for ``player play``."""
    remote.player.play_named([whole(track) for track in tracks.split(",")], then)
    return None


@handles("thumb", 1, 2)
def thumb(remote: Remote, _client: Client, which: str, uri: str = "") -> Answer:
    """Thumb what plays, or a track, ``up`` or ``down`` on the station that is on; ``clear`` takes the thumb off."""
    values = {"up": 1, "down": -1, "clear": 0}
    if which not in values:
        raise AckError(Ack.ARG, "a thumb is up, down or clear")
    now = remote.snapshot.now
    if not uri and now is None:
        raise AckError(Ack.NO_EXIST, "nothing is playing that could be thumbed")
    track = remote.library.track(uri).id if uri or now is None else now.track.id
    give_thumb(remote, track, values[which])
    return None


def give_thumb(remote: Remote, track: int, value: int) -> None:
    """Make a track's thumb +1, -1 or none; on the station that is on, or for all stations where none is."""
    player, held = remote.player, remote.player.thumbs().get(track, 0)
    if value == held:
        return
    # The player's own command takes a thumb off that is given twice.
    given = 1 if (value or held) > 0 else -1
    if remote.snapshot.station is None:
        player.thumb_everywhere(given, track)
    else:
        player.thumb(given, track)


@handles("undo")
def undo(remote: Remote, _client: Client) -> Answer:
    """Take the last feedback back."""
    remote.player.undo()
    return None
