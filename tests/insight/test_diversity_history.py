"""A period's diversity on a real database, and the page and the picture of it."""

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import numpy as np
import pytest
from sqlalchemy import update

from player.errors import PlayerError
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.feedback.served import Served
from player.insight.diversity_history import diversity_history, length_in_words, lorenz
from player.reports.diversity import diversity_page, save_picture, span_of
from player.storage.models import Decision, Event, Track, TrackFile
from recommender.ranking.diversity import gini

pytestmark = pytest.mark.slow

UNTIL = datetime(2026, 10, 31, 12, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=30)
BEFORE = SINCE - timedelta(days=30)


def play(database, tracks, start, *, station=1, version="content", trial=None):
    """Play tracks, ten an evening, from the evening of ``start`` on."""
    log = EventStore(database, "headless")
    moments = [start + timedelta(days=number // 10, minutes=4 * (number % 10)) for number in range(len(tracks))]
    at = [int(moment.timestamp() * 1e6) for moment in moments]
    decisions = log.serve(
        [
            Served(station, track, time_us, number, 1, 0.0, 0.5, version, "live", 1.0, 8, 0.0, b"", trial_id=trial)
            for number, (track, time_us) in enumerate(zip(tracks, at, strict=True))
        ]
    )
    with database.session() as session:
        for decision, time_us in zip(decisions, at, strict=True):
            session.execute(update(Decision).where(Decision.id == decision).values(time_us=time_us))
    return log.append_all(
        [
            NewEvent("finish", track, station, 200.0, "end", at_us=time_us, decision_id=decision)
            for track, time_us, decision in zip(tracks, at, decisions, strict=True)
        ]
    )


@pytest.fixture
def heard(database):
    """Eight tracks by three artists, whose files are there."""
    with database.session() as session:
        session.add_all(
            TrackFile(track_id=track, path=f"/music/{track}.opus", root="/music", size=1, mtime_ns=1)
            for track in range(1, 9)
        )
    return database


@pytest.fixture
def narrowed(heard):
    """All eight tracks before, one track over and over since; a model from the second evening of the period on."""
    play(heard, [1 + number % 8 for number in range(80)], BEFORE + timedelta(days=1))
    play(heard, [1] * 10, SINCE + timedelta(days=1))
    play(heard, [1] * 70, SINCE + timedelta(days=2), version="<b>v2")
    return heard


def test_figures_are_those_of_the_periods_plays(narrowed):
    found = diversity_history(narrowed, SINCE, UNTIL, None)
    assert (found.plays, found.before, found.compared) == (80, 80, 80)
    assert (found.artists_played, found.artists, found.tracks) == (1, 3, 8)
    assert found.figure("gini").value == pytest.approx(gini(np.array([80, 0, 0])))
    assert found.figure("repeat_rate").value == 1.0
    assert found.figure("never_played").value == 0.0
    assert found.figure("never_played").change is None
    assert [(each.artist, each.plays) for each in found.top] == [("Artist 1", 80)]


def test_a_narrowing_is_told_beside_what_chance_gives(narrowed):
    found = diversity_history(narrowed, SINCE, UNTIL, None)
    change = found.figure("gini").change
    assert change is not None
    assert change.beyond_chance
    assert change.difference > change.high
    assert found.sentence.startswith("Narrower than the 30 days before (Gini 0.67 after ")
    assert found.sentence.endswith("more than chance gives): 1 artist made half of 80 plays.")


def test_the_same_again_is_about_as_varied(heard):
    for start in (BEFORE, SINCE):
        play(heard, [1 + number % 8 for number in range(80)], start + timedelta(days=1))
    found = diversity_history(heard, SINCE, UNTIL, None)
    assert found.sentence.startswith("About as varied as the 30 days before")
    assert "no more than chance gives" in found.sentence


def test_with_too_little_before_nothing_is_compared(heard):
    play(heard, [1, 2, 3], BEFORE + timedelta(days=1))
    play(heard, [1 + number % 8 for number in range(40)], SINCE + timedelta(days=1))
    found = diversity_history(heard, SINCE, UNTIL, None)
    assert all(figure.change is None for figure in found.figures)
    assert "only 3 tracks were played in the 30 days before, too little to compare with." in found.sentence


def test_the_course_marks_where_another_version_began_to_choose_but_not_the_turns_of_a_trial(narrowed):
    play(narrowed, [2], SINCE + timedelta(days=20), version="arm a", trial=1)
    found = diversity_history(narrowed, SINCE, UNTIL, None)
    assert [mark.version for mark in found.models] == ["content", "<b>v2"]
    assert [mark.time for mark in found.models] == [SINCE.timestamp(), (SINCE + timedelta(days=2)).timestamp()]


def test_the_course_ends_with_the_gini_index_of_the_last_window(narrowed):
    found = diversity_history(narrowed, SINCE, UNTIL, None)
    assert found.window == 100
    # 80 plays before fill four fifths of the first window.
    assert len(found.course) == 80 - 20 + 1
    assert found.course[-1].time == pytest.approx((SINCE + timedelta(days=8, minutes=36)).timestamp())
    last = [1 + number % 8 for number in range(60, 80)] + [1] * 80
    counts = np.bincount([track % 3 for track in last])
    assert found.course[-1].gini == pytest.approx(gini(counts))
    span = span_of(found)
    assert all(0 <= share <= 1 for point in found.course for share in span.place(point.time, point.gini))


def test_a_station_has_its_own_plays_and_others_are_left_out(narrowed):
    play(narrowed, [4] * 30, SINCE + timedelta(days=3), station=2)
    assert diversity_history(narrowed, SINCE, UNTIL, "Station 2").plays == 30
    assert diversity_history(narrowed, SINCE, UNTIL, "Station 1").plays == 80
    assert diversity_history(narrowed, SINCE, UNTIL, None).plays == 110


def test_what_was_undone_or_imported_is_no_play(narrowed):
    last = play(narrowed, [2], SINCE + timedelta(days=9))[0]
    EventStore(narrowed, "cli").append(NewEvent("undo", 2, undoes_id=last.id))
    EventStore(narrowed, "import").append(
        NewEvent("finish", 2, at_us=int((SINCE + timedelta(days=9)).timestamp() * 1e6))
    )
    assert diversity_history(narrowed, SINCE, UNTIL, None).plays == 80


def test_an_artist_banned_with_all_tracks_is_none_the_station_could_have_played(narrowed):
    EventStore(narrowed, "cli").append_all([NewEvent("never", track, at_us=1) for track in (2, 5, 8)])
    assert diversity_history(narrowed, SINCE, UNTIL, None).artists == 2


@pytest.mark.parametrize(
    ("plays", "station", "told"),
    [
        (0, None, "No track was played here so far; from 20 on there is something to show."),
        (7, None, "Only 7 tracks were played here so far; from 20 on there is something to show."),
        (1, "Station 1", "Only 1 track was played here on “Station 1” so far; from 20 on there is something to show."),
    ],
)
def test_too_few_plays_are_a_sentence(database, plays, station, told):
    play(database, [1] * plays, SINCE + timedelta(days=1))
    with pytest.raises(PlayerError) as error:
        diversity_history(database, SINCE, UNTIL, station)
    assert str(error.value) == told


def test_too_few_plays_in_the_period_say_to_look_further_back(narrowed):
    with pytest.raises(
        PlayerError, match=r"^No track was played since 31 Oct 2026, 09:00, and 20 are needed; look further"
    ):
        diversity_history(narrowed, UNTIL - timedelta(hours=3), UNTIL, None)


def test_the_area_above_the_lorenz_curve_is_half_the_gini_index():
    counts = np.random.default_rng(0).poisson(1.0, 350)
    curve = lorenz(counts)
    area = np.trapezoid(curve[:, 1], curve[:, 0])
    assert (curve[0].tolist(), curve[-1].tolist()) == ([0.0, 0.0], [1.0, 1.0])
    assert 1 - 2 * area == pytest.approx(gini(counts))


def test_a_lorenz_curve_of_many_artists_has_no_more_points_than_a_picture():
    curve = lorenz(np.arange(10_000))
    assert len(curve) <= 401
    assert curve[-1].tolist() == [1.0, 1.0]


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def hostile(narrowed):
    with narrowed.session() as session:
        session.execute(update(Track).where(Track.id == 1).values(artist="<script>alert('$x$')</script>"))
    return diversity_history(narrowed, SINCE, UNTIL, None)


def test_the_page_has_no_script_fetches_nothing_and_shows_names_as_text(hostile):
    page = Page(diversity_page(hostile))
    assert not {"script", "img", "link", "iframe", "b"} & set(page.tags)
    assert not {"src", "onload"} & {name for name, _ in page.attributes}
    assert all(value.startswith("#") for name, value in page.attributes if name == "href")
    assert "<script>alert('$x$')</script>" in page.text
    assert "<b>v2" in page.text
    assert hostile.sentence in page.text
    assert page.tags.count("svg") == 2


def test_the_page_is_light_and_dark_and_whole(hostile):
    text = diversity_page(hostile)
    assert "prefers-color-scheme: dark" in text
    assert "default-src 'none'" in text
    assert "@" not in text.replace("@media", "")


def test_the_picture_is_a_png_whatever_the_names_are(hostile, tmp_path):
    path = tmp_path / "d.png"
    save_picture(hostile, path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_nothing_is_written_to_the_log(narrowed):
    with narrowed.reader() as session:
        before = session.query(Event).count(), session.query(Decision).count()
    diversity_history(narrowed, SINCE, UNTIL, None)
    with narrowed.reader() as session:
        assert (session.query(Event).count(), session.query(Decision).count()) == before


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(hours=12), "12 hours"),
        (timedelta(days=30), "30 days"),
        (timedelta(minutes=20), "1 hour"),
        (timedelta(days=2.4), "2 days"),
    ],
)
def test_a_span_is_told_in_words(span, words):
    assert length_in_words(span) == words
