"""Apple Music: ``Apple Music Play Activity.csv`` of the data that privacy.apple.com hands out.

One row a play (``Event Type`` PLAY_END), with its end, how long it was heard, the song's length and why it ended. Older exports
do not name the artist; their plays are then those of an artist without a name, told apart by the album.
"""

import csv
from collections.abc import Iterator, Mapping

from player.integrations.history import fields
from player.integrations.history.archive import Export, ExportError, ExportPart
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

SOURCE = "apple"
NOT_HEARD = "no play of a song (lyrics, videos, starts)"
_WHAT = "Apple Music play activity (Apple Music Play Activity.csv)"
_TITLE, _ENDED, _HEARD = ("Song Name", "Content Name"), "Event End Timestamp", "Play Duration Milliseconds"
_ENDS = {
    "NATURAL_END_OF_TRACK": End.FINISHED,
    "TRACK_SKIPPED_FORWARDS": End.NEXT,
    "TRACK_SKIPPED_BACKWARDS": End.BACK,
    "MANUALLY_SELECTED_PLAYBACK_OF_A_DIFF_ITEM": End.CHOSE,
    "FAILED_TO_LOAD": End.FAILED,
}
"""Apple's reasons for an end, as far as they say what the listener did; all others only say that playing stopped."""
_MILLISECONDS = 1000


def read_apple(export: Export) -> Iterator[Item]:
    """The plays of a play activity."""
    for part in export.wanted(lambda part: "play activity" in part.basename and part.basename.endswith(".csv"), _WHAT):
        with part.text() as stream:
            reader = csv.DictReader(stream)
            header = reader.fieldnames or ()
            if _ENDED not in header or _HEARD not in header or not set(_TITLE) & set(header):
                raise ExportError(
                    f"{part.name}, line 1: there are no columns {_TITLE[0]!r}, {_ENDED!r} and {_HEARD!r}; "
                    "name Apple Music Play Activity.csv."
                )
            yield from _rows(part, reader)


def _rows(part: ExportPart, reader: "csv.DictReader[str]") -> Iterator[Item]:
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Malformed(part.name, reader.line_num + 1, str(error))
            continue
        yield _item(part, reader.line_num, row)


def _item(part: ExportPart, line: int, row: Mapping[str, str]) -> Item:
    if row.get("Event Type", "PLAY_END") not in {"PLAY_END", ""} or row.get("Media Type", "AUDIO") == "VIDEO":
        return LeftOut(NOT_HEARD)
    ended, heard = fields.moment(row, _ENDED, "Event Received Timestamp"), fields.number(row, _HEARD)
    if ended is None or heard is None:
        return Malformed(part.name, line, f"{_ENDED!r} is no time or {_HEARD!r} no number")
    album, artist = fields.text(row, "Album Name", "Container Album Name"), fields.text(row, "Artist Name")
    length = fields.number(row, "Media Duration In Milliseconds")
    name = TrackName(
        artist,
        fields.text(row, *_TITLE),
        album,
        seconds=length / _MILLISECONDS if length is not None and length > 0 else None,
    )
    if not name.title:
        return LeftOut(NO_NAME)
    if not possible(ended):
        return LeftOut(IMPOSSIBLE_DATE)
    # A clock that was set back while it played gives less than nothing.
    seconds = max(0.0, heard / _MILLISECONDS)
    reason = row.get("End Reason Type", "")
    play = PlayEntry(_ENDS.get(reason, End.STOPPED), ended_us=ended, heard=seconds)
    return Entry(key_of(SOURCE, ended, name, heard, reason), name, play)
