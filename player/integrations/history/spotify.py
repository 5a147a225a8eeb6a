"""Spotify: the extended streaming history, and the last year's that comes with the account data.

Extended (``Streaming_History_Audio_*.json``, formerly ``endsong_*.json``): one object a play, with how long it was heard and
why it began and ended. Account data (``StreamingHistory_music_*.json``, formerly ``StreamingHistory*.json``): names, the
minute it ended, and how long it was heard.
"""

from collections.abc import Iterator
from typing import Any

from player.integrations.history import fields
from player.integrations.history.archive import Export, ExportPart
from player.integrations.history.entries import (
    IMPOSSIBLE_DATE,
    NO_NAME,
    End,
    Entry,
    Item,
    LeftOut,
    Malformed,
    PlayEntry,
    TrackName,
    key_of,
    possible,
)
from player.integrations.history.json_stream import json_items

SOURCE = "spotify"
PODCAST = "podcasts, audiobooks and videos"
PRIVATE = "heard in a private session"
_WHAT = "Spotify streaming history (Streaming_History_Audio_….json, endsong_….json or StreamingHistory….json)"
_EXTENDED = ("streaming_history_audio", "endsong")
_SHORT = "streaminghistory"
_NOT_MUSIC = ("podcast", "video", "audiobook")
_ENDS = {
    "trackdone": End.FINISHED,
    "fwdbtn": End.NEXT,
    "backbtn": End.BACK,
    "clickrow": End.CHOSE,
    "clickside": End.CHOSE,
    "playbtn": End.CHOSE,
    "trackerror": End.FAILED,
}
"""Spotify's reasons for an end, as far as they say what the listener did; all others only say that playing stopped."""
_BY_HAND = frozenset({"clickrow", "clickside", "uriopen"})
"""Spotify's reasons for a start at which the listener picked this very track."""
_MILLISECONDS = 1000
_MICROSECONDS_A_MILLISECOND = 1000


def read_spotify(export: Export) -> Iterator[Item]:
    """The plays of a streaming history; of both kinds beside each other the extended one, which holds the other."""
    parts = export.wanted(_is_history, _WHAT)
    extended = [part for part in parts if part.basename.startswith(_EXTENDED)]
    for part in extended or parts:
        for line, value in json_items(part):
            yield _item(part, line, value)


def _is_history(part: ExportPart) -> bool:
    name = part.basename
    return (
        name.endswith(".json")
        and name.startswith((*_EXTENDED, _SHORT))
        and not any(word in name for word in _NOT_MUSIC)
    )


def _item(part: ExportPart, line: int, value: Any) -> Item:
    values = fields.document(value)
    if "ts" in values:
        return _extended(part, line, values)
    if "endTime" in values:
        return _short(part, line, values)
    return Malformed(part.name, line, "it is no play: there is neither “ts” nor “endTime”")


def _extended(part: ExportPart, line: int, values: fields.Document) -> Item:
    ended, milliseconds = fields.moment(values, "ts"), fields.number(values, "ms_played")
    if ended is None or milliseconds is None or milliseconds < 0:
        return Malformed(part.name, line, "“ts” is no time or “ms_played” no number of milliseconds")
    name = TrackName(
        fields.text(values, "master_metadata_album_artist_name"),
        fields.text(values, "master_metadata_track_name"),
        fields.text(values, "master_metadata_album_album_name", "master_metadata_album_name"),
    )
    if not name.title and (
        values.get("episode_name") or values.get("spotify_episode_uri") or values.get("audiobook_uri")
    ):
        return LeftOut(PODCAST)
    if values.get("incognito_mode") is True:
        return LeftOut(PRIVATE)
    reason = fields.text(values, "reason_end")
    play = PlayEntry(
        _end(reason, skipped=values.get("skipped") is True),
        started_us=ended - round(milliseconds * _MICROSECONDS_A_MILLISECOND),
        ended_us=ended,
        heard=milliseconds / _MILLISECONDS,
        chosen=fields.text(values, "reason_start") in _BY_HAND,
    )
    which = fields.text(values, "spotify_track_uri") or str(name)
    return _checked(name, play, key_of(SOURCE, ended, which, milliseconds, reason))


def _end(reason: str, *, skipped: bool) -> End:
    if reason in _ENDS:
        return _ENDS[reason]
    if not skipped:
        return End.STOPPED if reason else End.UNTOLD
    # Spotify calls it skipped when something else was started over it, too.
    return End.CHOSE if reason == "endplay" else End.NEXT


def _short(part: ExportPart, line: int, values: fields.Document) -> Item:
    ended, milliseconds = fields.moment(values, "endTime"), fields.number(values, "msPlayed")
    if ended is None or milliseconds is None or milliseconds < 0:
        return Malformed(part.name, line, "“endTime” is no time or “msPlayed” no number of milliseconds")
    name = TrackName(fields.text(values, "artistName"), fields.text(values, "trackName"))
    play = PlayEntry(
        End.UNTOLD,
        started_us=ended - round(milliseconds * _MICROSECONDS_A_MILLISECOND),
        ended_us=ended,
        heard=milliseconds / _MILLISECONDS,
    )
    return _checked(name, play, key_of(SOURCE, "account", ended, name, milliseconds))


def _checked(name: TrackName, play: PlayEntry, key: bytes) -> Item:
    if not name.title or not name.artist:
        return LeftOut(NO_NAME)
    assert play.ended_us is not None
    return Entry(key, name, play) if possible(play.ended_us) else LeftOut(IMPOSSIBLE_DATE)
