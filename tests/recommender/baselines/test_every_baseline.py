from dataclasses import replace

import numpy as np
import pytest

from recommender.baselines import BASELINES, Context, TrackFacts, build
from recommender.configuration import ClepConfig, SequentialConfig, TrainingConfig
from recommender.events import Outcome, empty_log
from recommender.models.model_scorer import ModelScorer
from recommender.models.station_scorer import AsServed
from recommender.training.retraining import retrain

TRACKS = 80
MODEL = "model"
ARTIST = np.arange(TRACKS) // 4
HISTORY_IS_ALL = [name for name, baseline in BASELINES.items() if not baseline.needs_crowd]
"""Baselines that learn nothing from a fit that the listener's own history does not tell them as well."""
STARTS_AT_RANDOM_BY_TRACK = ("random", "bpr", "als", "best")
"""Baselines that draw something for every track, or have a part that does, so that renumbering the catalogue draws it for another track."""


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(tracks=TRACKS)


@pytest.fixture(scope="module")
def crowd(world):
    """The same catalogue heard by 12 listeners, who hear most tracks and share a taste in pairs."""
    rng = np.random.default_rng(3)
    rows = 700
    listener, track = rng.integers(12, size=rows), rng.integers(TRACKS, size=rows)
    liked = world.catalogue.vectors[track, listener % 6] + 0.5 * rng.normal(size=rows) > 0
    kinds = np.array([Outcome.FINISH, Outcome.THUMB_UP, Outcome.SKIP_EARLY, Outcome.THUMB_DOWN])
    outcome = kinds[np.where(liked, 0, 2) + rng.integers(2, size=rows)]
    return replace(
        empty_log(TRACKS),
        listener=listener,
        station=np.zeros(rows, np.int64),
        track=track,
        time=np.cumsum(rng.exponential(300.0, size=rows)),
        outcome=outcome.astype(np.int8),
        label=np.where(liked, 1, -1).astype(np.int8),
        weight=rng.choice([0.3, 1.0], size=rows).astype(np.float32),
        explicit=np.isin(outcome, (Outcome.THUMB_UP, Outcome.THUMB_DOWN)),
        share=np.full(rows, np.nan, np.float32),
        known=np.full(rows, -1, np.int8),
    )


@pytest.fixture(scope="module")
def trained(world):
    quick = TrainingConfig(ClepConfig(epochs=2, head_epochs=2), SequentialConfig(epochs=2))
    return retrain(world.log, world.catalogue, quick, None, lambda _: None, lambda: False).model


def served(model, world):
    return AsServed(world.catalogue, ModelScorer(model, world.catalogue), MODEL)


@pytest.fixture(params=[*BASELINES, MODEL])
def make(request, world, trained):
    """A function that makes the recommender anew."""
    if request.param == MODEL:
        return lambda: served(trained, world)
    return lambda: build(request.param, TrackFacts(world.catalogue.vectors, ARTIST), seed=5)


@pytest.fixture
def recommender(make):
    return make()


def context_of(log, listener=0, station=0, time=None):
    own = log.where(log.listener == listener)
    after = float(log.time[-1]) + 60.0 if len(log) else 0.0
    return Context(listener, station, after if time is None else time, own)


def assert_sound(scores):
    assert scores.shape == (TRACKS,)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()


class TestEveryRecommender:
    @pytest.mark.slow
    def test_scores_every_track_with_a_number(self, recommender, world, crowd):
        for log in (world.log, crowd):
            recommender.fit(log)
            assert_sound(recommender.score(context_of(log)))

    @pytest.mark.slow
    def test_scores_the_same_situation_the_same(self, recommender, crowd):
        recommender.fit(crowd)
        context = context_of(crowd)
        first = recommender.score(context).copy()
        recommender.score(context_of(crowd.first(50), listener=2))
        assert np.array_equal(recommender.score(context), first)

    @pytest.mark.slow
    def test_the_same_seed_and_log_give_the_same_scores(self, make, crowd):
        scores = []
        for recommender in (make(), make()):
            recommender.fit(crowd)
            scores.append(recommender.score(context_of(crowd, listener=3)))
        assert np.array_equal(*scores)

    @pytest.mark.slow
    def test_stands_a_listener_it_never_met(self, recommender, crowd):
        recommender.fit(crowd)
        after = float(crowd.time[-1]) + 1.0
        for listener in (7, 12, 10_000):
            assert_sound(recommender.score(Context(listener, 0, after, empty_log(TRACKS))))
            newcomer = replace(crowd.first(9), listener=np.full(9, listener))
            assert_sound(recommender.score(Context(listener, 0, after, newcomer)))

    @pytest.mark.slow
    def test_stands_a_log_without_rows(self, recommender, crowd):
        recommender.fit(empty_log(TRACKS))
        assert_sound(recommender.score(Context(0, -1, 0.0, empty_log(TRACKS))))
        assert_sound(recommender.score(context_of(crowd)))

    @pytest.mark.slow
    @pytest.mark.parametrize("label", [1, 0, -1])
    def test_stands_labels_that_are_all_the_same(self, recommender, crowd, label):
        log = replace(crowd, label=np.full(len(crowd), label, np.int8))
        recommender.fit(log)
        assert_sound(recommender.score(context_of(log)))
        assert "nan" not in recommender.explain(context_of(log), 0).lower()

    @pytest.mark.slow
    def test_stands_labels_of_no_weight(self, recommender, crowd):
        log = replace(crowd, weight=np.zeros(len(crowd), np.float32))
        recommender.fit(log)
        assert_sound(recommender.score(context_of(log)))

    def test_stands_tracks_that_nobody_heard(self, recommender, crowd):
        log = crowd.where(crowd.track < TRACKS // 2)
        recommender.fit(log)
        scores = recommender.score(context_of(log))
        assert_sound(scores)
        for track in (0, TRACKS - 1):
            assert recommender.explain(context_of(log), track)

    def test_stands_a_single_row(self, recommender, crowd):
        recommender.fit(crowd.first(1))
        assert_sound(recommender.score(context_of(crowd.first(1), listener=int(crowd.listener[0]))))

    @pytest.mark.slow
    def test_a_second_fit_forgets_the_first(self, recommender, crowd):
        half = crowd.first(350)
        context = context_of(half)
        recommender.fit(half)
        fresh = recommender.score(context).copy()
        recommender.fit(crowd)
        recommender.fit(half)
        assert np.array_equal(recommender.score(context), fresh)

    @pytest.mark.slow
    def test_later_rows_of_the_log_are_not_looked_at(self, make, crowd):
        """Two futures of one past: fitted on the past, with its rows as history, neither future can show."""
        past = crowd.first(400)
        turned = replace(crowd, label=np.where(np.arange(len(crowd)) < 400, crowd.label, -crowd.label).astype(np.int8))
        scores = []
        for future in (crowd, turned):
            recommender = make()
            recommender.fit(future.first(400))
            own = future.where((future.listener == 1) & (future.time <= past.time[-1]))
            scores.append(recommender.score(Context(1, 0, float(past.time[-1]) + 1.0, own)))
        assert np.array_equal(*scores)

    @pytest.mark.slow
    def test_what_happens_to_the_log_after_the_fit_changes_nothing(self, recommender, crowd):
        log = replace(crowd, label=crowd.label.copy(), track=crowd.track.copy())
        context = context_of(crowd)
        recommender.fit(log)
        before = recommender.score(context).copy()
        log.label[:], log.track[:] = -1, 0
        assert np.array_equal(recommender.score(context), before)

    @pytest.mark.slow
    def test_scoring_leaves_the_history_alone(self, recommender, crowd):
        context = context_of(crowd)
        before = {name: column.copy() for name, column in context.history.columns().items()}
        recommender.fit(crowd)
        recommender.score(context)
        recommender.explain(context, 1)
        for name, column in context.history.columns().items():
            assert np.array_equal(column, before[name], equal_nan=column.dtype.kind == "f"), name

    @pytest.mark.slow
    def test_explains_in_words_with_a_figure(self, recommender, world, crowd):
        for log in (world.log, crowd):
            recommender.fit(log)
            for context in (context_of(log), Context(99, 0, 1e9, empty_log(TRACKS))):
                text = recommender.explain(context, 3)
                assert any(character.isdigit() for character in text)
                assert text.strip() == text
                assert "nan" not in text.lower()


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in BASELINES if name not in STARTS_AT_RANDOM_BY_TRACK])
def test_renumbering_the_catalogue_renumbers_the_scores(name, world, crowd):
    order = np.random.default_rng(1).permutation(TRACKS)  # new index of each track
    moved = replace(crowd, track=order[crowd.track])
    scores = []
    for log, old in ((crowd, np.arange(TRACKS)), (moved, np.argsort(order))):
        recommender = build(name, TrackFacts(world.catalogue.vectors[old], ARTIST[old]), seed=5)
        recommender.fit(log)
        scores.append(recommender.score(context_of(log)))
    tolerance = 0.05 if name == "stacked" else 1e-4  # als, which starts at random by track, is one of its parts
    assert scores[1][order] == pytest.approx(scores[0], abs=tolerance)


@pytest.mark.parametrize("name", [*HISTORY_IS_ALL, MODEL])
def test_learning_in_one_go_or_as_history_goes_on_is_the_same(name, world, trained):
    made = served(trained, world) if name == MODEL else build(name, TrackFacts(world.catalogue.vectors, ARTIST))
    context = context_of(world.log)
    made.fit(world.log)
    at_once = made.score(context).copy()
    made.fit(world.log.first(120))
    assert made.score(context) == pytest.approx(at_once)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in BASELINES if name not in ("random", "bpr")])
def test_rows_after_the_fitted_log_count(name, world, crowd):
    recommender = build(name, TrackFacts(world.catalogue.vectors, ARTIST), seed=5)
    recommender.fit(crowd.first(600))
    time = float(crowd.time[-1]) + 60.0
    older, newer = (context_of(log, time=time) for log in (crowd.first(600), crowd))
    assert not np.array_equal(recommender.score(older), recommender.score(newer))


def test_bpr_takes_no_notice_of_rows_after_the_fitted_log(crowd):
    recommender = build("bpr", seed=5)
    recommender.fit(crowd.first(600))
    older, newer = (context_of(log) for log in (crowd.first(600), crowd))
    assert np.array_equal(recommender.score(older), recommender.score(newer))


LEARNS_FROM_OTHERS = [name for name, baseline in BASELINES.items() if baseline.needs_crowd]


@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNS_FROM_OTHERS)
def test_on_a_checkerboard_everyone_gets_their_own_colour(name):
    """Even listeners like even tracks and odd ones odd tracks; the right answer for what they never heard is known."""
    listeners, tracks = 40, 30
    listener, track = (grid.ravel() for grid in np.meshgrid(np.arange(listeners), np.arange(tracks), indexing="ij"))
    heard = np.random.default_rng(0).random(len(track)) < 0.6
    shuffled = np.random.default_rng(1).permutation(np.flatnonzero(heard))
    listener, track = listener[shuffled], track[shuffled]
    label = np.where(listener % 2 == track % 2, 1, -1).astype(np.int8)
    log = replace(
        empty_log(tracks),
        listener=listener,
        station=np.zeros(len(track), np.int64),
        track=track,
        time=np.arange(len(track), dtype=np.float64),
        outcome=np.where(label > 0, Outcome.THUMB_UP, Outcome.THUMB_DOWN).astype(np.int8),
        label=label,
        weight=np.ones(len(track), np.float32),
        explicit=np.ones(len(track), np.bool_),
        share=np.full(len(track), np.nan, np.float32),
        known=np.full(len(track), -1, np.int8),
    )
    recommender = build(name, seed=2)
    recommender.fit(log)
    for own in range(6):
        context = context_of(log, listener=own)
        unheard = np.setdiff1d(np.arange(tracks), context.history.track)
        scores, right = recommender.score(context)[unheard], unheard % 2 == own % 2
        assert scores[right].mean() > scores[~right].mean()
        assert (scores[right][:, None] > scores[~right][None, :]).mean() > 0.9
