"""The listening at a glance, over a real log."""

from datetime import UTC, datetime

from player.feedback.event_history import load_history
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.insight.listening_summary import listening_summary


def test_plays_are_counted_by_day_answers_by_artist_and_what_was_taken_back_is_marked(demo):
    station = demo.station()
    store = EventStore(demo.database, "tui")
    first, second = demo.rows[:2]
    for kind in ("finish", "finish", "up"):
        store.append(NewEvent(kind, first.id, station.id))
    mistaken = store.append(NewEvent("skip", second.id, station.id, action="next", position=2.0))
    store.append(NewEvent("undo", second.id, undoes_id=mistaken.id))
    history = load_history(demo.database, demo.rows)
    now = datetime.now(UTC)
    summary = listening_summary(
        history,
        {row.id: row for row in demo.rows},
        {station.id: "Evening"},
        now,
        lambda row: ["mellow"] * (row.id == first.id),
    )
    assert sum(summary.days.values()) == sum(summary.hours) == 2
    assert "you heard 2 tracks, 0 in the seven before; new to you: 1" in summary.sentences[0]
    (artist,) = summary.artists
    assert (artist.name, artist.share, artist.answers) == (first.artist, 1.0, 3)
    assert [(sound.name, sound.answers) for sound in summary.sounds] == [("mellow", 3)]
    newest, skipped, *_ = summary.log
    assert newest.event.words == "took something back"
    assert not skipped.event.stands
    assert skipped.title == f"{second.title} · {second.artist}"
