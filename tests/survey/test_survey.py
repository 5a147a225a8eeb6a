import os
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.feedback.event_history import load_history
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.feedback.labels import NOTHING_SAID
from player.library.tracks import TrackRow
from player.stations.collection import load_collection
from player.stations.station_queue import Listening, rank_station
from player.stations.station_scoring import StationScorer
from player.survey.groups import (
    MOST_GROUPS,
    NO_GENRE,
    OTHER_GENRES,
    UNHEARD,
    clusters,
    group_tracks,
    normalised,
)
from player.survey.session import load_plan, next_clip, plan_of
from player.survey.survey import (
    EDGE_SHARE,
    ORIGIN,
    Answers,
    Survey,
    SurveyPlan,
    answers_in,
)
from recommender.events import Outcome
from tests.support.library import settings


def track(number, genre="Folk", artist=None, duration=200.0, missing=False):
    artist = artist or f"Artist {number}"
    return TrackRow(number, f"/m/{number}.mp3", f"Title {number}", artist, "Album", genre, None, duration, missing)


def genres(rows):
    return group_tracks(rows, no_vectors)


def no_vectors():
    pytest.fail("the genres would have done")


def ask(plan, count, answer="like"):
    """The tracks that a survey of so many clips asks about."""
    given = {}
    while len(given) < count and (clip := plan.next(Answers(given))) is not None:
        given[clip.track.id] = answer
    return list(given)


# --- which track is next


def test_genres_take_turns_however_many_tracks_they_have():
    rows = [track(n, "Rock") for n in range(1, 61)] + [track(n, "Jazz") for n in range(61, 81)]
    rows += [track(n, "Folk") for n in range(81, 86)]
    genre = {row.id: row.genre for row in rows}
    asked = ask(SurveyPlan(rows, genres(rows)), 15)
    for turn in range(0, 15, 3):
        assert {genre[one] for one in asked[turn : turn + 3]} == {"Rock", "Jazz", "Folk"}
    rest = ask(SurveyPlan(rows, genres(rows)), len(rows))
    assert sorted(rest) == [row.id for row in rows], "in the end every track was asked about, once"


def test_the_order_is_no_order_of_the_library_and_the_same_every_time():
    rows = [track(n, f"Genre {n % 4}") for n in range(1, 81)]
    asked = ask(SurveyPlan(rows, genres(rows)), 60)
    assert asked == ask(SurveyPlan(list(reversed(rows)), genres(list(reversed(rows)))), 60)
    assert asked != ask(SurveyPlan(rows, genres(rows), seed=1), 60)
    assert abs(np.corrcoef(asked, range(60))[0, 1]) < 0.4
    turns = {tuple(one % 4 for one in asked[start : start + 4]) for start in range(0, 60, 4)}
    assert len(turns) > 5, "the genres do not follow each other in one order"


def test_a_track_that_goes_leaves_the_others_in_order():
    rows = [track(n, "Rock") for n in range(1, 31)]
    asked = ask(SurveyPlan(rows, [""] * 30), 30)
    fewer = [row for row in rows if row.id not in {asked[3], asked[20]}]
    assert ask(SurveyPlan(fewer, [""] * 28), 28) == [one for one in asked if one not in {asked[3], asked[20]}]


def test_no_artist_comes_twice_in_a_row_unless_no_other_is_left():
    rows = [track(n, "Rock", "Prolific") for n in range(1, 20)] + [track(n, "Rock", f"Other {n}") for n in (20, 21)]
    rows += [track(n, "Jazz", "PROLIFIC") for n in range(22, 25)]
    artist = {row.id: row.artist.casefold() for row in rows}
    groups = [row.genre for row in rows]
    names = [artist[one] for one in ask(SurveyPlan(rows, groups), len(rows))]
    assert len(names) == len(rows)
    assert names[:4].count("prolific") == 2
    assert names[5:] == ["prolific"] * len(names[5:])


def test_answered_and_banned_tracks_and_those_passed_over_are_not_asked_about():
    rows = [track(n) for n in range(1, 6)]
    plan = SurveyPlan(rows, [""] * 5)
    answers = Answers({1: "skip", 2: "like"}, never=frozenset({3}))
    asked = plan.next(answers, passed_over={4})
    assert asked is not None
    assert asked.track.id == 5
    assert plan.left(answers, {4}) == 1
    assert plan.next(answers, {4, 5}) is None


def test_progress_counts_what_is_left_of_a_small_library():
    plan = SurveyPlan([track(n) for n in (1, 2, 3)], [""] * 3)
    assert plan.progress(Answers({}), 60).of == 3
    progress = plan.progress(Answers({1: "like", 2: "skip"}), 60)
    assert (progress.words(), progress.verdicts) == ("2 of 3 · 1 liked", 1)
    assert plan.progress(Answers({1: "like", 2: "skip"}), 1).of == 2, "never fewer than were answered"
    assert SurveyPlan([], []).next(Answers({})) is None


@given(
    duration=st.floats(0.0, 5000.0),
    seconds=st.floats(1.0, 120.0),
    number=st.integers(1, 10_000),
)
def test_a_clip_lies_inside_its_track_and_away_from_its_ends_where_there_is_room(duration, seconds, number):
    clip = SurveyPlan([], [], seconds).clip(track(number, duration=duration))
    end = clip.start + clip.seconds
    if duration == 0:
        assert (clip.start, clip.seconds) == (0.0, seconds)
        return
    assert clip.seconds == min(seconds, duration)
    assert clip.start >= 0
    assert end <= duration + 1e-3
    if seconds <= (1 - 2 * EDGE_SHARE) * duration:
        assert clip.start >= EDGE_SHARE * duration - 1e-3
        assert end <= (1 - EDGE_SHARE) * duration + 1e-3


def test_clips_start_all_over_their_tracks():
    plan = SurveyPlan([], [])
    starts = [plan.clip(track(number, duration=110.0)).start for number in range(500)]
    assert min(starts) >= 11
    assert max(starts) <= 89
    counts, _ = np.histogram(starts, bins=6, range=(11, 89))
    assert counts.min() > 50


# --- groups


@pytest.mark.parametrize(
    "same",
    [
        ("Hip-Hop", "hip hop", "HIP_HOP"),
        ("Drum & Bass", "drum and bass", "Drum'n'Bass", "Drum’n’Bass"),
        ("\uff32ock", "rock"),
    ],
)
def test_spellings_of_a_genre_are_one(same):
    assert len({normalised(name) for name in same}) == 1
    assert normalised("Indie Rock") != normalised("Rock")


def test_many_small_genres_take_turns_as_one_and_so_do_tracks_without():
    rows = [track(n, f"Large {n % MOST_GROUPS}") for n in range(60)]
    rows += [track(60 + n, f"Tiny {n}") for n in range(20)] + [track(80 + n, "") for n in range(10)]
    sizes = Counter(genres(rows))
    assert sizes[OTHER_GENRES] == 20
    assert sizes[NO_GENRE] == 10
    assert len(sizes) == MOST_GROUPS + 2


@pytest.mark.parametrize(
    "tagged",
    [["Rock"] * 49 + [""] * 51, ["Rock"] * 81 + ["Jazz"] * 19],
    ids=["hardly tagged", "nearly all of one genre"],
)
def test_where_genres_say_little_sound_divides_the_library(tagged):
    rng = np.random.default_rng(0)
    side = rng.integers(3, size=100)
    vectors = (10 * np.eye(3, 8)[side] + rng.standard_normal((100, 8))).astype(np.float32)
    vectors[:4] = np.nan
    groups = np.array(group_tracks([track(n, genre) for n, genre in enumerate(tagged)], lambda: vectors))
    assert (groups[:4] == UNHEARD).all()
    for one in set(groups[4:]):
        assert len(set(side[4:][groups[4:] == one])) == 1, "no cluster holds two sides"


def test_without_vectors_poor_genres_must_do():
    rows = [track(1, "Rock"), track(2, ""), track(3, ""), track(4, "")]
    for vectors in (np.full((4, 0), np.nan, np.float32), np.full((4, 3), np.nan, np.float32)):
        assert group_tracks(rows, lambda vectors=vectors: vectors) == ("rock", NO_GENRE, NO_GENRE, NO_GENRE)


def test_clusters_are_those_of_plain_k_means():
    rng = np.random.default_rng(3)
    centres = 8 * rng.standard_normal((5, 6))
    vectors = (np.repeat(centres, 40, axis=0) + rng.standard_normal((200, 6))).astype(np.float32)
    found = clusters(vectors, 5)
    # Slow and obvious: nobody is nearer to another cluster's mean than to that of their own.
    means = [vectors[found == k].mean(axis=0) for k in range(5)]
    for row, own in zip(vectors, found, strict=True):
        assert own == min(range(5), key=lambda k: sum((row - means[k]) ** 2))
    assert all(len(set(found[start : start + 40])) == 1 for start in range(0, 200, 40))


def test_clusters_of_nothing_but_copies_are_one():
    assert set(clusters(np.ones((20, 4), np.float32), 6)) == {0}
    assert list(clusters(np.ones((1, 4), np.float32), 3)) == [0]


# --- the log


def test_answers_are_on_disk_and_known_to_the_next_survey(demo):
    plan = load_plan(demo.database)
    survey = Survey(demo.database, plan, 60)
    asked = []
    for answer in ("like", "dislike", "skip"):
        clip = survey.next()
        asked.append(clip.track.id)
        survey.answer(answer, clip.track.id, position=clip.start)
    events = EventStore(demo.database, "cli").read()
    assert [(event.kind, event.origin, event.station_id) for event in events] == [
        ("up", ORIGIN, None), ("down", ORIGIN, None), ("clear", ORIGIN, None),
    ]  # fmt: skip
    again = Survey(demo.database, load_plan(demo.database), 60)
    assert dict(again.answers.given) == dict(zip(asked, ("like", "dislike", "skip"), strict=True))
    assert again.next() == survey.next()
    assert again.next().track.id not in asked


def test_a_survey_notices_what_another_one_was_told(demo):
    first, second = (Survey(demo.database, load_plan(demo.database), 60) for _ in range(2))
    clip = first.next()
    first.answer("like", clip.track.id)
    second.catch_up()
    assert second.answers == first.answers
    assert second.next() == first.next()


def test_an_answer_taken_back_is_asked_for_again(demo):
    survey = Survey(demo.database, load_plan(demo.database), 60)
    clip = survey.next()
    event = survey.answer("dislike", clip.track.id)
    survey.take_back(event)
    assert survey.answers.given == {}
    assert survey.next() == clip
    assert load_history(demo.database, demo.rows).labels == []


def test_the_last_answer_about_a_track_counts_and_a_skip_leaves_no_opinion(demo):
    survey = Survey(demo.database, load_plan(demo.database), 60)
    track_id = demo.track_ids[0]
    labels = []
    for answer in ("like", "dislike", "skip", "like"):
        survey.answer(answer, track_id)
        labels.append([item.signal.label for item in load_history(demo.database, demo.rows).labels])
    assert labels == [[1], [-1], [], [1]]
    assert survey.answers.count("like") == 1
    assert len(survey.answers.given) == 1


def test_a_clip_is_no_play(demo):
    station = demo.station()
    survey = Survey(demo.database, load_plan(demo.database), 60)
    for answer in ("like", "dislike", "skip"):
        survey.answer(answer, survey.next().track.id, position=12.0)
    state = load_history(demo.database, demo.rows).state
    assert state.plays == []
    assert dict(state.tallies) == {}
    assert dict(state.slots) == {}
    assert not state.thumbs.get(station.id)
    assert answers_in(EventStore(demo.database, "cli").read()).count("skip") == 1


def test_feedback_that_is_not_of_the_survey_is_no_answer_but_a_ban_is_heeded(demo):
    station, ids = demo.station(), demo.track_ids
    log = EventStore(demo.database, "tui")
    log.append_all([NewEvent("up", ids[0], station.id), NewEvent("skip", ids[1]), NewEvent("never", ids[2])])
    survey = Survey(demo.database, load_plan(demo.database), 60)
    assert survey.answers == Answers({}, frozenset({ids[2]}))
    asked = ask(load_plan(demo.database), 60)
    assert {ids[0], ids[1]} <= set(asked)


def test_missing_files_are_passed_over_and_counted(demo):
    survey = Survey(demo.database, load_plan(demo.database), 60)
    first = survey.next()
    gone = {first.track.path}
    following = survey.next(lambda row: row.path not in gone)
    assert following.track.id != first.track.id
    assert survey.progress.of == len(demo.rows) - 1


def test_next_clip_says_what_is_not_there_and_why_nothing_is_left(tones, monkeypatch, tmp_path):
    plan = load_plan(tones.database)
    first = Survey(tones.database, plan, 60).next()
    gone = SurveyPlan([first.track], [""])
    monkeypatch.setattr("player.survey.session.text_to_path", lambda _text: tmp_path / "gone.flac")
    clip, words = next_clip(Survey(tones.database, gone, 60))
    assert clip is None
    assert f"The file of “{first.track.title}” is missing" in words
    assert "None of the tracks can be asked about" in words
    assert next_clip(Survey(tones.database, SurveyPlan([], []), 60)) == (
        None, "The library is empty; add music with `player scan FOLDER`.",
    )  # fmt: skip


def test_the_end_of_a_round_and_of_the_library_are_told_apart(tones):
    plan = load_plan(tones.database)
    survey = Survey(tones.database, plan, 2)
    for answer in ("like", "dislike"):
        survey.answer(answer, survey.next().track.id)
    assert survey.next() is None
    assert survey.why_nothing() == "That was the last of 2 clips: 1 liked, 1 disliked."
    survey.aim = 60
    while (clip := survey.next()) is not None:
        survey.answer("skip", clip.track.id)
    assert survey.why_nothing() == "Nothing is left to ask about: 8 tracks answered, 1 liked."


# --- what it is worth


def test_a_station_begun_after_thirty_answers_plays_what_was_liked(demo):
    """Genres of the demo library are clusters of its (made-up) vectors, so a taste for two of them can be learned."""
    collection = load_collection(demo.database)
    genre_of = {row.id: row.genre for row in collection.rows}
    liked_genres = sorted(set(genre_of.values()))[:2]
    survey = Survey(demo.database, plan_of(collection), 12)
    asked = []
    while (clip := survey.next()) is not None:
        asked.append(clip.track.id)
        survey.answer("like" if clip.track.genre in liked_genres else "dislike", clip.track.id)
    station = demo.station("First")
    scorer = StationScorer(collection, [station], station, None)
    history = load_history(demo.database, collection.rows)
    new = [row for row in range(len(collection)) if collection.rows[row].id not in asked]
    likes = np.array([genre_of[collection.rows[row].id] in liked_genres for row in new])
    with_answers = scorer.score(history.labels, 0.0).total[new]
    without = scorer.score(NOTHING_SAID, 0.0).total[new]
    assert without.std() == 0
    assert with_answers[likes].min() > with_answers[~likes].max()
    plainly = settings(breadth=1.0, diversity=0.0).station
    queue = rank_station(scorer, Listening(history.state, history.labels, 0.0), plainly, 3)
    assert {genre_of[collection.rows[row].id] for row in queue.track_rows} <= set(liked_genres)
    assert Outcome.THUMB_UP in queue.scores.labels.outcome


def test_importing_the_values_of_a_survey_imports_nothing_heavy():
    import subprocess
    import sys

    code = "import sys, player.survey.view; print([n for n in ('numpy', 'sqlalchemy') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    assert done.stdout.strip() == "[]"
