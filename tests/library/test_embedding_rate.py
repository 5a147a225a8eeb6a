"""How fast it goes and when it will be done, in a sentence."""

from datetime import UTC, datetime

import pytest

from player.library import embedding_rate as module
from player.library.embedding_rate import FEW_TRACKS, Pace, keep_pace, load_pace, pace_key, projection
from player.storage.database import open_database

EVENING = datetime(2024, 5, 1, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tracks", "rate", "words"),
    [
        (10_000, 2.4, "10,000 tracks; at about 2.4 tracks a second this takes about 1 h 9 min (done about 23:39)."),
        (10_000, 0.5, "10,000 tracks; at about 30 tracks a minute this takes about 5 h 33 min (done about Thursday 04:03)."),
        (1_000_000, 0.5, "1,000,000 tracks; at about 30 tracks a minute this takes about 555 h 33 min (done about 25 May 2024)."),
        (300, 2.0, "300 tracks; at about 2.0 tracks a second this takes about 2 min (done about 22:32)."),
        (12, 4.0, "12 tracks; at about 4.0 tracks a second this takes about 3 s."),
        (1, 0.013, "1 track; at about 0.78 tracks a minute this takes about 1 min (done about 22:31)."),
    ],
)  # fmt: skip
def test_a_projection_in_words(tracks, rate, words):
    assert projection(tracks, rate, EVENING) == words


def test_a_hopeless_projection_is_words_too():
    assert "done about" in projection(10**9, 1e-9, EVENING)


def test_the_speed_is_that_after_the_first_result(monkeypatch):
    moment = 1000.0
    monkeypatch.setattr(module.time, "monotonic", lambda: moment)
    pace = Pace()
    moment += 60.0  # loading the network
    for done in range(FEW_TRACKS + 1):
        assert pace.measured is None
        assert pace.seconds_left(5) is None
        pace.heard()
        if done < FEW_TRACKS:
            moment += 0.5
    assert pace.measured == 2.0
    assert pace.seconds_left(5) == 2.5


def test_an_earlier_speed_serves_until_there_is_one(monkeypatch):
    moment = 0.0
    monkeypatch.setattr(module.time, "monotonic", lambda: moment)
    pace = Pace(4.0)
    assert pace.tracks_per_second == 4.0
    for _ in range(FEW_TRACKS + 1):
        moment += 0.5
        pace.heard()
    assert pace.tracks_per_second == 2.0


def test_a_speed_is_kept_for_each_front_end_and_number_of_workers(tmp_path):
    database = open_database(tmp_path / "player.db")
    keep_pace(database, pace_key("musicnn", "1", 2), 2.5)
    assert load_pace(database, pace_key("musicnn", "1", 2)) == 2.5
    assert load_pace(database, pace_key("musicnn", "1", 1)) is None
    for nonsense in (0, -1, float("inf"), "fast", None):
        keep_pace(database, "x", nonsense)
        assert load_pace(database, "x") is None
    database.close()
