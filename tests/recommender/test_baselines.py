import numpy as np
import pytest

from recommender.baselines import (
    ContentNeighbours,
    Context,
    LikeRate,
    PersonalMostPlayed,
    Popularity,
    RandomOrder,
)
from recommender.configuration import ClepConfig, SequentialConfig, TrainingConfig
from recommender.events import empty_log
from recommender.scoring import ModelScorer
from recommender.training import retrain

TRACKS = 80
BASELINES = ["random", "popularity", "like-rate", "personal most played", "content k-NN", "model"]


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(tracks=TRACKS)


@pytest.fixture(scope="module")
def trained(world):
    quick = TrainingConfig(ClepConfig(epochs=2, head_epochs=2), SequentialConfig(epochs=2))
    return retrain(world.log, world.catalogue, quick, None, lambda _: None, lambda: False).model


@pytest.fixture(params=BASELINES)
def recommender(request, world, trained):
    return {
        "random": RandomOrder,
        "popularity": Popularity,
        "like-rate": LikeRate,
        "personal most played": PersonalMostPlayed,
        "content k-NN": lambda: ContentNeighbours(world.catalogue.vectors),
        "model": lambda: ModelScorer(trained, world.catalogue),
    }[request.param]()


def context_of(log, listener=0, station=0):
    own = log.where(log.listener == listener)
    return Context(listener, station, float(own.time[-1]) + 60.0 if len(own) else 0.0, own)


class TestEveryRecommender:
    def test_scores_every_track_with_a_number(self, recommender, world):
        recommender.fit(world.log)
        scores = recommender.score(context_of(world.log))
        assert scores.shape == (TRACKS,)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()

    def test_scores_the_same_situation_the_same(self, recommender, world):
        recommender.fit(world.log)
        context = context_of(world.log)
        first = recommender.score(context).copy()
        recommender.score(context_of(world.log.where(np.arange(len(world.log)) < 50)))
        assert np.array_equal(recommender.score(context), first)

    def test_stands_a_listener_without_history(self, recommender, world):
        recommender.fit(world.log)
        scores = recommender.score(Context(7, 0, float(world.log.time[-1]) + 1.0, empty_log(TRACKS)))
        assert np.isfinite(scores).all()

    def test_stands_a_log_without_rows(self, recommender):
        recommender.fit(empty_log(TRACKS))
        assert np.isfinite(recommender.score(Context(0, -1, 0.0, empty_log(TRACKS)))).all()

    def test_a_second_fit_forgets_the_first(self, recommender, world):
        half = world.log.where(np.arange(len(world.log)) < 120)
        context = context_of(half)
        recommender.fit(half)
        fresh = recommender.score(context).copy()
        recommender.fit(world.log)
        recommender.fit(half)
        assert np.array_equal(recommender.score(context), fresh)

    def test_learning_in_one_go_or_as_history_goes_on_is_the_same(self, recommender, world):
        context = context_of(world.log)
        recommender.fit(world.log)
        at_once = recommender.score(context).copy()
        recommender.fit(world.log.where(np.arange(len(world.log)) < 120))
        assert recommender.score(context) == pytest.approx(at_once)

    def test_explains_in_words_with_a_figure(self, recommender, world):
        recommender.fit(world.log)
        text = recommender.explain(context_of(world.log), 3)
        assert any(character.isdigit() for character in text)
        assert text.strip() == text


def test_each_baseline_prefers_what_it_says(make_log):
    liked_by_all = [(u, 0, 1, u, 1) for u in range(1, 6)]
    divided = [(u, 0, 2, u + 10, 1) for u in range(1, 8)] + [(u, 0, 2, u + 20, -1) for u in range(1, 8)]
    own = [(0, 0, 3, 40 + i, 1) for i in range(3)]
    log = make_log(liked_by_all + divided + own, tracks=6)
    expected = {Popularity(): 2, LikeRate(): 1, PersonalMostPlayed(): 3}
    for recommender, best in expected.items():
        recommender.fit(log)
        assert int(np.argmax(recommender.score(context_of(log)))) == best


def test_neighbours_in_sound_rank_by_nearness_to_the_likes(make_log):
    angle = np.linspace(0.0, np.pi, 9)
    vectors = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    vectors[4] = np.nan
    recommender = ContentNeighbours(vectors)
    log = make_log([(0, 0, 0, 0, 1), (0, 0, 8, 1, -1)], tracks=9)
    recommender.fit(log)
    scores = recommender.score(context_of(log))
    assert scores[0] > scores[1] > scores[2]
    assert scores[4] == 0.0
    with pytest.raises(ValueError, match="about 3 tracks"):
        recommender.fit(empty_log(3))
