"""ListenBrainz: listens and love/hate, from the zip of the user data export, its files, or an older single JSON array."""

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
    Judgement,
    LeftOut,
    Malformed,
    PlayEntry,
    TrackName,
    key_of,
    possible,
)
from player.integrations.history.json_stream import json_items
from player.storage.event_kinds import Kind

SOURCE = "listenbrainz"
TAKEN_BACK = "love or hate that was taken back"
_WHAT = "ListenBrainz export (listens/….jsonl, feedback.jsonl)"
_NOT_HISTORY = ("user.json", "pinned_recording.jsonl")
_FEEDBACK = "feedback"
_MILLISECONDS = 1000


def read_listenbrainz(export: Export) -> Iterator[Item]:
    """Listens first: love and hate name a recording only by its identifiers, and the listens tell what those are called."""
    parts = export.wanted(_is_history, _WHAT)
    names: dict[str, TrackName] = {}
    for part in sorted(parts, key=lambda part: (part.basename.startswith(_FEEDBACK), part.name)):
        for line, value in json_items(part):
            yield _item(part, line, value, names)


def _is_history(part: ExportPart) -> bool:
    return part.basename.endswith((".json", ".jsonl")) and part.basename not in _NOT_HISTORY


def _item(part: ExportPart, line: int, value: Any, names: dict[str, TrackName]) -> Item:
    if isinstance(value, ValueError):
        return Malformed(part.name, line, str(value))
    values = fields.document(value)
    if "listened_at" in values:
        return _listen(part, line, values, names)
    if "score" in values:
        return _feedback(part, line, values, names)
    return Malformed(part.name, line, "it is neither a listen (“listened_at”) nor feedback (“score”)")


def _listen(part: ExportPart, line: int, values: fields.Document, names: dict[str, TrackName]) -> Item:
    listened = fields.moment(values, "listened_at")
    if listened is None:
        return Malformed(part.name, line, "“listened_at” is no time")
    metadata = fields.document(values.get("track_metadata"))
    more, mapped = fields.document(metadata.get("additional_info")), fields.document(metadata.get("mbid_mapping"))
    recording = fields.text(more, "recording_mbid") or fields.text(mapped, "recording_mbid")
    sound_id = fields.text(metadata, "recording_msid") or fields.text(more, "recording_msid")
    name = TrackName(
        fields.text(metadata, "artist_name"),
        fields.text(metadata, "track_name"),
        fields.text(metadata, "release_name"),
        recording_id=recording.lower(),
        seconds=_seconds(more),
    )
    if not name.title or not name.artist:
        return LeftOut(NO_NAME)
    for identifier in filter(None, (name.recording_id, sound_id)):
        names.setdefault(identifier, name)
    if not possible(listened):
        return LeftOut(IMPOSSIBLE_DATE)
    heard = fields.number(more, "ms_played")
    # Without it, a listen was submitted because half of the track or four minutes were heard.
    play = (
        PlayEntry(End.FINISHED, started_us=listened)
        if heard is None or heard <= 0
        else PlayEntry(End.UNTOLD, started_us=listened, heard=heard / _MILLISECONDS)
    )
    return Entry(key_of(SOURCE, "listen", listened, sound_id or name), name, play)


def _seconds(more: fields.Document) -> float | None:
    milliseconds = fields.number(more, "duration_ms")
    seconds = milliseconds / _MILLISECONDS if milliseconds is not None else fields.number(more, "duration")
    return seconds if seconds is not None and seconds > 0 else None


def _feedback(part: ExportPart, line: int, values: fields.Document, names: dict[str, TrackName]) -> Item:
    score, created = fields.number(values, "score"), fields.moment(values, "created")
    if created is None or score not in {-1.0, 0.0, 1.0}:
        return Malformed(part.name, line, "“created” is no time or “score” not 1, 0 or -1")
    if score == 0:
        return LeftOut(TAKEN_BACK)
    if not possible(created):
        return LeftOut(IMPOSSIBLE_DATE)
    recording, sound_id = fields.text(values, "recording_mbid").lower(), fields.text(values, "recording_msid")
    metadata = fields.document(values.get("track_metadata"))
    named = TrackName(
        fields.text(metadata, "artist_name"),
        fields.text(metadata, "track_name"),
        fields.text(metadata, "release_name"),
        recording_id=recording,
    )
    if not named.title or not named.artist:
        named = names.get(recording) or names.get(sound_id) or TrackName("", "", recording_id=recording)
    if not named.title and not named.recording_id:
        return LeftOut(NO_NAME)
    return Entry(
        key_of(SOURCE, "feedback", created, recording or sound_id or named, score),
        named,
        Judgement(Kind.UP if score > 0 else Kind.DOWN, created),
    )
