"""Apple Music's play activity: what is read, what is left out, what is malformed."""

import pytest

from player.integrations.history.apple import NOT_HEARD, read_apple
from player.integrations.history.archive import ExportError
from player.integrations.history.entries import NO_NAME, End, Entry, LeftOut, Malformed

NAME = "Apple Music Play Activity.csv"
HEADER = (
    "Artist Name,Song Name,Album Name,Event Type,Media Type,Event End Timestamp,Media Duration In Milliseconds,"
    "Play Duration Milliseconds,End Reason Type"
)


def read(export, *rows, header=HEADER):
    return list(read_apple(export({NAME: "\n".join([header, *rows]) + "\n"})))


def test_a_play_says_what_was_heard_how_long_and_how_it_ended(export):
    (entry,) = read(
        export, "Björk,Jóga,Homogenic,PLAY_END,AUDIO,2021-05-01T10:00:00.000Z,305000,12000,TRACK_SKIPPED_FORWARDS"
    )
    assert isinstance(entry, Entry)
    assert (entry.name.artist, entry.name.title, entry.name.album, entry.name.seconds) == (
        "Björk",
        "Jóga",
        "Homogenic",
        305.0,
    )
    assert (entry.said.end, entry.said.heard, entry.said.ended_us) == (End.NEXT, 12.0, 1_619_863_200_000_000)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ("A,B,C,LYRIC_DISPLAY,AUDIO,2021-05-01T10:00:00Z,1,1,", LeftOut(NOT_HEARD)),
        ("A,,C,PLAY_END,AUDIO,2021-05-01T10:00:00Z,1,1,", LeftOut(NO_NAME)),
        ("A,B,C,PLAY_END,AUDIO,yesterday,1,1,", Malformed),
        ("A,B,C,PLAY_END,AUDIO,2021-05-01T10:00:00Z,1,long,", Malformed),
    ],
)
def test_what_is_no_play_is_left_out_and_what_is_broken_is_named(export, row, kind):
    (found,) = read(export, row)
    assert found == kind or isinstance(found, kind)


def test_an_older_export_without_artists_is_read_and_another_table_is_refused(export):
    (entry,) = read(
        export,
        "Jóga,PLAY_END,2021-05-01T10:00:00Z,-5",
        header="Content Name,Event Type,Event End Timestamp,Play Duration Milliseconds",
    )
    assert (entry.name.title, entry.said.heard) == ("Jóga", 0.0)
    with pytest.raises(ExportError, match="no columns"):
        read(export, "1", header="Something")
