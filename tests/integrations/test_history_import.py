"""Importing: what is recorded, once and only once, whole batches, and how it ends when it is stopped or the file is bad."""

import csv
import json
from collections import Counter

import pytest
from sqlalchemy import func, select

from player.errors import PlayerError
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.integrations import history_import as importing
from player.integrations.history.archive import ExportError
from player.integrations.history_import import COLUMNS, import_history, write_report
from player.integrations.matching import Status
from player.storage.database import open_database
from player.storage.models import Event, ImportedRecord

SECOND = 1_000_000


def logged(database):
    return EventStore(database, "cli").read()


def count(database, model):
    with database.reader() as session:
        return session.scalar(select(func.count()).select_from(model))


def at(minute: int) -> str:
    return f"2020-05-01T{10 + minute // 60:02}:{minute % 60:02}:00Z"


def test_matched_plays_become_events_with_their_own_dates(database, history, spotify_play):
    folder = history(
        spotify_play("Yesterday - Remastered 2009", at=at(0)),
        spotify_play("Jóga", "Bjork", at=at(10), ms=5000, end="fwdbtn", skipped=True),
        spotify_play("Nothing I Own", "Nobody", at=at(20)),
    )
    report = import_history(database, "spotify", folder)
    first, second = logged(database)
    assert (first.kind, first.track_id, first.origin, first.station_id) == ("finish", 1, "import", None)
    assert first.time_us == 1_588_327_200 * SECOND
    assert (second.kind, second.track_id, second.position, second.action) == ("skip", 2, 5.0, "next")
    assert [report.entries_with(status) for status in Status] == [2, 0, 1]
    assert report.missing_artists(5) == [("Nobody", 1)]
    assert (report.recorded.entries, report.recorded.events, report.complete) == (2, 2, True)


def test_importing_again_adds_nothing_and_only_what_is_new_is_added(database, history, spotify_play):
    plays = [spotify_play(at=at(10 * n)) for n in range(5)]
    import_history(database, "spotify", history(*plays[:3]))
    again = import_history(database, "spotify", history(*plays))
    assert (again.recorded.known, again.recorded.entries) == (3, 2)
    assert (count(database, Event), count(database, ImportedRecord)) == (5, 5)


def test_a_play_that_stands_twice_in_the_export_is_one_play(database, history, spotify_play):
    import_history(database, "spotify", history(spotify_play(), spotify_play()))
    assert len(logged(database)) == 1


@pytest.mark.slow
def test_a_dry_run_counts_the_same_and_writes_nothing(database, history, spotify_play):
    folder = history(spotify_play(), spotify_play(), spotify_play(at=at(30)))
    dry = import_history(database, "spotify", folder, dry_run=True)
    assert (count(database, Event), count(database, ImportedRecord)) == (0, 0)
    assert dry.dry_run
    assert dry.recorded == import_history(database, "spotify", folder).recorded


@pytest.mark.slow
def test_what_was_undone_stays_undone_when_imported_again(database, history, spotify_play):
    folder = history(spotify_play())
    import_history(database, "spotify", folder)
    EventStore(database, "cli").append(NewEvent("undo", 1, undoes_id=1))
    import_history(database, "spotify", folder)
    assert [event.kind for event in logged(database)] == ["finish", "undo"]


def test_a_play_that_was_heard_here_or_told_by_another_source_is_not_told_again(
    database, history, spotify_play, tmp_path
):
    end = 1_588_327_200
    EventStore(database, "tui").append(NewEvent("finish", 1, 1, at_us=end * SECOND))
    import_history(database, "spotify", history(spotify_play(at=at(0)), spotify_play(at=at(30))))
    # Last.fm tells the start: Yesterday lasts 125 s.
    scrobbles = tmp_path / "scrobbles.csv"
    starts = (end - 125, end + 1800 - 120, end + 7200)
    rows = [f"{start},,The Beatles,,,,Yesterday,\n" for start in starts]
    scrobbles.write_text("uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid\n" + "".join(rows))
    report = import_history(database, "lastfm", scrobbles)
    assert (report.recorded.elsewhere, report.recorded.entries) == (2, 1)
    assert Counter(event.origin for event in logged(database)) == {"tui": 1, "import": 2}


def test_one_that_was_stopped_keeps_whole_batches_and_goes_on_later(database, history, spotify_play, monkeypatch):
    monkeypatch.setattr(importing, "BATCH", 2)
    folder = history(*(spotify_play(at=at(10 * n)) for n in range(7)))
    asked = iter([False, False, True])
    stopped = import_history(database, "spotify", folder, should_stop=lambda: next(asked))
    assert (stopped.complete, stopped.recorded.entries, len(logged(database))) == (False, 4, 4)
    resumed = import_history(database, "spotify", folder)
    assert (resumed.complete, resumed.recorded.known, resumed.recorded.entries) == (True, 4, 3)
    assert len({event.time_us for event in logged(database)}) == 7


def test_an_interrupted_batch_is_not_there_at_all(database, history, spotify_play, monkeypatch):
    monkeypatch.setattr(importing, "BATCH", 2)
    folder = history(*(spotify_play(at=at(10 * n)) for n in range(4)))

    def interrupt(progress):
        if progress.stage == "Recording":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_history(database, "spotify", folder, progress=interrupt)
    assert count(database, Event) == count(database, ImportedRecord) == 2
    import_history(database, "spotify", folder)
    assert count(database, Event) == count(database, ImportedRecord) == 4


def test_a_history_damaged_at_its_end_leaves_the_log_as_it_was(database, history, spotify_play):
    folder = history(spotify_play())
    (folder / "Streaming_History_Audio_2021_1.json").write_text(json.dumps([spotify_play(at=at(30))])[:-5])
    with pytest.raises(ExportError, match=r"Streaming_History_Audio_2021_1\.json, line 1: .* nothing was recorded"):
        import_history(database, "spotify", folder)
    assert count(database, Event) == 0


def test_a_few_malformed_plays_are_forgiven_and_many_are_not(database, history, spotify_play):
    good = [spotify_play(at=at(n)) for n in range(30)]
    report = import_history(database, "spotify", history(*good, *[{"ts": 1}] * 20))
    assert (report.malformed, len(report.problems)) == (20, 20)
    with pytest.raises(ExportError, match=r"21 of 51 entries of .*, the first at .*line 1: .*nothing was recorded"):
        import_history(database, "spotify", history(*good, *[{"ts": 1}] * 21))


def test_a_file_of_another_service_is_refused(database, export):
    other = export({"StreamingHistory0.json": json.dumps([{"food": "bread"}])})
    with pytest.raises(ExportError, match=r"1 of 1 entries"):
        import_history(database, "spotify", other.path)


def test_an_empty_history_and_an_empty_library_say_so(database, history, spotify_play, tmp_path):
    with pytest.raises(ExportError, match=r"holds no entries"):
        import_history(database, "spotify", history())
    empty = open_database(tmp_path / "empty" / "player.db")
    with pytest.raises(PlayerError, match=r"The library is empty"):
        import_history(empty, "spotify", history(spotify_play()))
    empty.close()


def test_progress_tells_the_stages_in_order_with_a_total(database, history, spotify_play, monkeypatch):
    monkeypatch.setattr(importing, "_TELL_EVERY", 1)
    told = []
    import_history(database, "spotify", history(spotify_play(), spotify_play(at=at(30))), progress=told.append)
    assert list(dict.fromkeys(progress.stage for progress in told)) == ["Reading", "Matching names", "Recording"]
    assert (told[-1].done, told[-1].total) == (2, 2)
    assert told[-1].seconds_left == 0


@pytest.mark.slow
def test_the_report_lists_every_name_and_no_formula(database, history, spotify_play, tmp_path):
    folder = history(
        *(spotify_play(at=at(30 * n)) for n in range(3)),
        spotify_play("=HYPERLINK(1)", "@evil"),
        spotify_play("Feeling Good (Live)", "Muse"),
    )
    write_report(import_history(database, "spotify", folder, dry_run=True), tmp_path / "report.csv")
    with (tmp_path / "report.csv").open(newline="") as file:
        header, first, *others = csv.reader(file)
    assert tuple(header) == COLUMNS
    assert first[:5] == ["matched", "exact", "3", "The Beatles", "Yesterday"]
    assert first[8:] == ["1", "The Beatles", "Yesterday", "Help!"]
    assert ["unmatched", "", "1", "'@evil", "'=HYPERLINK(1)"] in [row[:5] for row in others]
    assert ["matched", "version", "1", "Muse", "Feeling Good (Live)"] in [row[:5] for row in others]
