"""The set part in closed form: the baseline's map, the same in torch and numpy, for any listener and any catalogue."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from recommender.baselines import Context
from recommender.baselines.ease import RIDGE, Ease
from recommender.events import Outcome
from recommender.models import parameter_shapes as shapes
from recommender.models.numpy_inference import SequenceScorer, Tokens
from recommender.models.parameter_shapes import sequence_shapes
from recommender.sequence import linear_item_map as shallow
from recommender.sequence.network import tokens
from recommender.training.sequential_recommender import (
    ABLATIONS,
    BEST,
    Items,
    SequentialNetwork,
    SequentialRecommender,
    TrainedSequence,
    export_sequential,
)
from recommender.training.trainer import RowsInMemory

SMALL = replace(
    ABLATIONS["best − set target"],
    width=16,
    length=40,
    taste_width=4,
    batch=8,
    shared_negatives=32,
    epochs=1,
    dropout=0.0,
)
ALONE = replace(SMALL, order_weight=0.0, appeal=0.0)
"""Nothing but the shallow part in the score."""


@pytest.fixture
def log(make_log):
    rng = np.random.default_rng(4)
    rows = [(int(rng.integers(12)), 0, int(rng.integers(24)), t, int(rng.choice([-1, 1]))) for t in range(300)]
    return make_log(rows, tracks=26)


def network_for(log, config=ALONE):
    torch.manual_seed(0)
    items = Items.of(log, np.zeros((log.tracks, 0), np.float32), config.id_shrinkage)
    return items, SequentialNetwork(items, 1, config).eval()


@torch.no_grad()
def torch_scores(network, history):
    state = network(*tokens(history, np.arange(len(history))[None, :], network))[0, -1]
    query = network.query(state, torch.tensor(0))
    everything = torch.arange(history.tracks)
    together = network.score_all(query, network.scored(everything))
    assert torch.allclose(together, network.score(query, everything), atol=1e-5)
    return together.numpy()


def histories(log):
    return [log.where(log.listener == who) for who in np.unique(log.listener)]


def test_the_shallow_part_is_ease_on_the_same_likes_up_to_one_factor_that_gives_unit_spread(log):
    ease = Ease()
    ease.fit(log)
    _, network = network_for(log, replace(ALONE, shallow=RIDGE))
    ours = np.array([torch_scores(network, history) for history in histories(log)])
    theirs = np.array([ease.score(Context(0, 0, 0.0, history)) for history in histories(log)])
    assert ours == pytest.approx(theirs / theirs.std(), abs=1e-4)
    assert ours.std() == pytest.approx(1.0, abs=1e-4)


def test_a_track_liked_twice_counts_once_and_each_state_knows_only_what_came_before(log):
    _, network = network_for(log, replace(ALONE, shallow=5.0))
    history = log.where(log.listener == 3)
    rows = np.arange(len(history))[None, :]
    whole = network(*tokens(history, rows, network))[0]
    for end in (1, 5, len(history)):
        first = history.first(end)
        liked = set(first.track[first.label > 0].tolist())
        places = network.shallow.places(network.row[torch.tensor(sorted(liked), dtype=torch.int64)]).tolist()
        found = whole[end - 1, -network.config.length :]
        assert sorted(found[found > 0].tolist()) == sorted(places)
    like, track = np.full(len(history), Outcome.THUMB_UP, np.int8), np.full(len(history), history.track[0])
    often = replace(history, track=track, outcome=like)
    assert torch_scores(network, often) == pytest.approx(torch_scores(network, often.first(1)), abs=1e-5)
    assert torch_scores(network, often).any()


@pytest.mark.parametrize("set_weight", [0.0, 2.0])
@pytest.mark.parametrize("most", [5000, 7])
def test_numpy_gives_the_same_also_with_more_tracks_than_the_map_holds(log, monkeypatch, most, set_weight):
    for module in (shallow, shapes):
        monkeypatch.setattr(module, "MOST_SHALLOW", most)
    items, network = network_for(log, replace(SMALL, shallow=5.0, order_weight=0.5, set_weight=set_weight))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    arrays = export_sequential(TrainedSequence(network, items, 1, ()))
    assert {n: a.shape for n, a in arrays.items()} == sequence_shapes(network.config, 0, len(items.shrink) - 1, 1)
    likes = np.bincount(log.track[log.label > 0], minlength=log.tracks)
    known = items.row[likes >= np.sort(likes)[-most if most < log.tracks else 0]]
    placed = np.flatnonzero(arrays["sequence.shallow_place"])
    assert set(placed) <= set(known)
    assert len(placed) == min(most, np.count_nonzero(likes))
    standard = {"content.mean": np.zeros(0, np.float32), "content.scale": np.ones(0, np.float32)}
    none = np.zeros((log.tracks, 0), np.float32)
    scorer = SequenceScorer(arrays | standard, network.config, none, items.row, np.array([1]))
    for history in histories(log):
        expected = torch_scores(network, history)
        served = scorer.scores(Tokens.of(history, scorer.length), 0)
        assert np.abs(served - expected).max() <= 1e-5 * max(1.0, np.abs(expected).max())


def test_a_listener_without_likes_gets_finite_scores(log):
    _, network = network_for(log, replace(SMALL, shallow=5.0))
    dislikes = log.where((log.listener == 2) & (log.label < 0))
    assert np.isfinite(torch_scores(network, dislikes)).all()
    _, alone = network_for(log, replace(ALONE, shallow=5.0))
    assert not torch_scores(alone, dislikes).any()


def test_a_log_in_which_nobody_likes_anything_gives_a_map_of_zeros(log):
    dislikes = log.where(log.label < 0)
    _, network = network_for(dislikes, replace(ALONE, shallow=5.0))
    assert not torch_scores(network, dislikes.where(dislikes.listener == 1)).any()


def test_only_outcomes_that_say_so_are_likes(log):
    _, network = network_for(log, replace(ALONE, shallow=5.0))
    history = log.where(log.listener == 1).first(1)
    heard = {
        outcome: torch_scores(network, replace(history, outcome=np.array([outcome], np.int8))).any()
        for outcome in Outcome
        if outcome is not Outcome.PADDING
    }
    assert {outcome for outcome, counts in heard.items() if counts} == set(shapes.LIKED)


def test_a_training_that_has_not_all_likes_at_hand_is_refused_in_a_sentence(log):
    items = replace(Items.of(log, np.zeros((log.tracks, 0), np.float32), 5.0), likes=None)
    with pytest.raises(ValueError, match="set shallow to 0"):
        SequentialNetwork(items, 1, SMALL)
    assert RowsInMemory(log, SMALL, 0).likes is not None


def test_the_ablation_takes_the_map_away_and_nothing_else(log):
    without = ABLATIONS["best − shallow set"]
    assert replace(without, shallow=BEST.shallow) == BEST
    _, network = network_for(log, replace(without, width=16, length=16))
    assert network.shallow is None
    assert not {name for name in network.constants() if "shallow" in name}


@pytest.mark.slow
def test_a_refit_fits_the_map_on_the_validation_part_too(log):
    cut = np.arange(len(log)) < 200
    maps = {}
    for refit in (True, False):
        model = SequentialRecommender(replace(SMALL, refit=refit), seed=1)
        model.fit_with_validation(log.where(cut), log.where(~cut))
        maps[refit] = model._trained.network.shallow.weights
    for refit, learned in ((True, log), (False, log.where(cut))):
        fresh = network_for(learned, SMALL)[1].shallow.weights
        assert torch.equal(maps[refit], fresh)
