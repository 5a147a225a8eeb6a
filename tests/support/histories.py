"""A made-up person's listening, and the exports that services would hand out of it."""

import json
import zipfile
from datetime import UTC, datetime

import numpy as np

from recommender.habits.plays import UNTOLD, PlayedTracks, Plays, sessions_of, verdicts


def listening(seed=0, sessions=60, tracks=40, artists=8, taste=2.5):
    """Random plays; an artist's taste and a track's own decide what is heard out, and sessions have moods."""
    rng = np.random.default_rng(seed)
    artist = rng.integers(0, artists, tracks)
    liking = rng.normal(0, taste / 2, artists)[artist] + rng.normal(0, taste / 2, tracks)
    track, ended, heard, now = [], [], [], 1.6e9
    for _ in range(sessions):
        now += 7200.0 + rng.exponential(40_000.0)
        mood = rng.normal(0, 1.5)
        for _ in range(rng.integers(4, 25)):
            one = int(rng.integers(0, tracks))
            whole = rng.random() < 1.0 / (1.0 + np.exp(-liking[one] - mood))
            seconds = 200.0 if whole else rng.uniform(1.0, 90.0)
            now += seconds + rng.uniform(0.0, 3.0)
            track.append(one)
            ended.append(now)
            heard.append(seconds)
    columns = np.array(track), np.array(ended), np.array(heard)
    share = columns[2] / 200.0
    count = len(track)
    return Plays(
        PlayedTracks(artist.astype(np.int64), artist.astype(np.int64)),
        *columns,
        share,
        verdicts(share, np.full(count, UNTOLD, np.int8)),
        np.full(count, -1, np.int8),
        sessions_of(columns[1], columns[2]),
    )


def account(plays):
    """Plays as the account data of Spotify have them: the minute of the end, and how long it was heard."""
    return [
        {
            "endTime": datetime.fromtimestamp(ended, UTC).strftime("%Y-%m-%d %H:%M"),
            "artistName": f"Artist {plays.catalogue.artist[track]}",
            "trackName": f"Track {track}",
            "msPlayed": round(heard * 1000),
        }
        for track, ended, heard in zip(plays.track.tolist(), plays.ended.tolist(), plays.heard.tolist(), strict=True)
    ]


def extended(plays):
    """The same with reasons."""
    reason = {1: "trackdone", -1: "fwdbtn", 0: "endplay"}
    return [
        {
            "ts": datetime.fromtimestamp(ended, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "ms_played": round(heard * 1000),
            "master_metadata_track_name": f"Track {track}",
            "master_metadata_album_artist_name": f"Artist {plays.catalogue.artist[track]}",
            "master_metadata_album_album_name": "",
            "spotify_track_uri": f"spotify:track:{track}",
            "reason_start": "clickrow",
            "reason_end": reason[verdict],
            "skipped": verdict < 0,
        }
        for track, ended, heard, verdict in zip(
            plays.track.tolist(), plays.ended.tolist(), plays.heard.tolist(), plays.verdict.tolist(), strict=True
        )
    ]


def packed(path, name, rows):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"Spotify/{name}", json.dumps(rows))
    return path
