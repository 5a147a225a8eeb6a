import numpy as np
import pytest

from recommender.configuration import Negatives, SequenceLoss, SequentialConfig
from recommender.sequence.batches import BatchSampler
from recommender.sequence.negatives import (
    NegativeCounts,
    NegativeKind,
    NegativeSampler,
    shared_negatives,
    standing_labels,
)
from recommender.sequence.windows import listener_rows, padded


def draw(sampler, listener, station, target, repeat=1, seed=0):
    positions = [np.full(repeat, value, np.int64) for value in (listener, station, target)]
    return sampler.draw(*positions, np.random.default_rng(seed))


def test_realised_share_is_p_hard_over_eligible_positions(make_log):
    log = make_log([(0, 0, 1, 0, -1), (0, 0, 2, 1, -1), (0, 0, 5, 2, 1), (1, 0, 6, 3, 1)], tracks=50)
    rng = np.random.default_rng(1)
    listener = rng.integers(2, size=40_000)  # the second listener has no negative, so no position of theirs is eligible
    target = np.where(listener == 0, 5, 6)
    drawn = NegativeSampler(log, 0.4).draw(listener, np.zeros_like(listener), target, rng)
    assert np.array_equal(drawn.eligible, listener == 0)
    assert drawn.realised_share == pytest.approx(0.4, abs=0.015)
    assert not np.any(drawn.kind[listener == 1] >= NegativeKind.STATION)


@pytest.mark.parametrize("p_hard", [0.0, 1.0])
def test_extreme_shares_are_met_exactly(make_log, p_hard):
    log = make_log([(0, 0, 1, 0, -1), (0, 0, 5, 2, 1)], tracks=9)
    assert draw(NegativeSampler(log, p_hard), 0, 0, 5, repeat=100).realised_share == p_hard


def test_negatives_of_the_same_station_come_before_those_of_others(make_log):
    log = make_log([(0, 0, 1, 0, -1), (0, 1, 2, 1, -1), (0, 0, 5, 2, 1)], tracks=9)
    sampler = NegativeSampler(log, 1.0)
    here, elsewhere = draw(sampler, 0, 0, 5, repeat=50), draw(sampler, 0, 7, 5, repeat=50)
    assert set(here.track) == {1}
    assert set(here.kind) == {NegativeKind.STATION}
    assert set(elsewhere.track) == {1, 2}
    assert set(elsewhere.kind) == {NegativeKind.LISTENER}


def test_feedback_on_no_station_is_kept_apart_from_other_listeners(make_log):
    log = make_log([(0, 3, 1, 0, -1), (1, -1, 2, 1, -1), (1, -1, 5, 2, 1)], tracks=9)
    assert set(draw(NegativeSampler(log, 1.0), 1, -1, 5, repeat=50).track) == {2}


def test_the_latest_explicit_label_decides_whether_a_track_is_a_negative(make_log):
    disliked_then_liked = make_log([(0, 0, 1, 0, -1), (0, 0, 1, 1, 1), (0, 0, 5, 2, 1)], tracks=9)
    assert draw(NegativeSampler(disliked_then_liked, 1.0), 0, 0, 5).realised_share is None
    liked_then_disliked = make_log([(0, 0, 1, 0, 1), (0, 0, 1, 1, -1), (0, 0, 5, 2, 1)], tracks=9)
    assert set(draw(NegativeSampler(liked_then_disliked, 1.0), 0, 0, 5, repeat=20).track) == {1}


def test_a_later_skip_does_not_overrule_a_thumb(make_log):
    log = make_log([(0, 0, 1, 0, 1), (0, 0, 1, 1, -1), (0, 0, 5, 2, 1)], tracks=9)
    log.explicit[1] = False
    assert draw(NegativeSampler(log, 1.0), 0, 0, 5).realised_share is None


def test_draws_are_uniform_over_the_real_negatives_without_the_target(make_log):
    log = make_log([(0, 0, track, track, -1) for track in (1, 3, 4, 7)], tracks=9)
    drawn = draw(NegativeSampler(log, 1.0), 0, 0, 3, repeat=9000)
    tracks, counts = np.unique(drawn.track, return_counts=True)
    assert tracks.tolist() == [1, 4, 7]
    assert counts == pytest.approx(3000, rel=0.08)


def test_real_negatives_are_those_that_a_look_through_the_log_finds(make_log):
    rng = np.random.default_rng(5)
    rows = [
        (int(rng.integers(4)), int(rng.integers(-1, 4)), int(rng.integers(9)), time, int(rng.choice([-1, 1])))
        for time in range(70)
    ]
    sampler = NegativeSampler(make_log(rows, tracks=9), 1.0)
    for listener in range(4):
        for station in range(-1, 5):
            said = {(on, track): label for who, on, track, _, label in rows if who == listener}
            last = {track: label for who, _, track, _, label in rows if who == listener}
            here = {track for (on, track), label in said.items() if on == station and label < 0} - {8}
            anywhere = {track for track, label in last.items() if label < 0} - {8}
            assert set(draw(sampler, listener, station, 8, repeat=300).track) == (here or anywhere)


@pytest.mark.parametrize(("target", "left"), [(400, [100, 300]), (100, [300, 400]), (7, [100, 300, 400])])
def test_where_nearly_all_is_liked_the_rest_is_drawn_from_evenly(make_log, target, left):
    liked = [(0, 0, track, track, 1) for track in range(402) if track not in {100, 300, 400}]
    drawn = draw(NegativeSampler(make_log(liked, tracks=402), 0.4), 0, 0, target, repeat=6000)
    tracks, counts = np.unique(drawn.track, return_counts=True)
    unliked = np.isin(tracks, left)
    assert tracks[unliked].tolist() == left
    assert unliked.all()
    assert counts == pytest.approx(6000 / len(left), rel=0.08)


@pytest.mark.parametrize("unliked", [[], [1]])
def test_where_all_but_the_target_is_liked_another_than_the_target_is_drawn(make_log, unliked):
    log = make_log([(0, 0, track, track, 1) for track in range(3) if track not in unliked], tracks=3)
    assert set(draw(NegativeSampler(log, 0.4), 0, 0, 1, repeat=200).track) == {0, 2}


def test_of_two_tracks_the_other_one_is_drawn(make_log):
    drawn = draw(NegativeSampler(make_log([(0, 0, 0, 0, 1)], tracks=2), 0.4), 0, 0, 0, repeat=50)
    assert (set(drawn.track), set(drawn.kind)) == ({1}, {NegativeKind.RANDOM})


def test_shared_negatives_are_even_and_know_how_often_each_was_expected():
    tracks, expected = shared_negatives(5, 20_000, np.random.default_rng(1))
    assert (tracks.tolist(), expected.tolist()) == ([0, 1, 2, 3, 4], [1.0] * 5)
    drawn = [shared_negatives(8, 7, np.random.default_rng(seed)) for seed in range(2000)]
    counts = np.bincount(np.concatenate([tracks for tracks, _ in drawn]))
    assert counts == pytest.approx(np.full(8, 2000 * 7 / 8), rel=0.1)
    assert drawn[0][1] == pytest.approx(7 / 8)
    assert len(shared_negatives(8, 1, np.random.default_rng(0))[0]) == 1
    assert len(shared_negatives(7, 7, np.random.default_rng(0))[0]) == 7
    with pytest.raises(ValueError, match="0 shared negatives"):
        shared_negatives(8, 0, np.random.default_rng(0))


def test_random_draws_avoid_the_target_and_what_is_liked(make_log):
    log = make_log([(0, 0, track, track, 1) for track in (0, 1, 2)], tracks=6)
    drawn = draw(NegativeSampler(log, 0.4), 0, 0, 5, repeat=3000)
    assert set(drawn.track) == {3, 4}


def test_a_catalogue_of_one_track_has_no_negative(make_log):
    drawn = draw(NegativeSampler(make_log([(0, 0, 0, 0, 1)], tracks=1), 0.4), 0, 0, 0)
    assert drawn.kind.tolist() == [NegativeKind.NONE]


def test_the_same_seed_draws_the_same_and_another_seed_does_not(make_world):
    log = make_world().log
    sampler = NegativeSampler(log, 0.4)
    positions = (log.listener, log.station, log.track)
    first, again, other = (sampler.draw(*positions, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first.track, again.track)
    assert not np.array_equal(first.track, other.track)
    assert not np.any(first.track == log.track)


def test_hard_negatives_come_from_the_given_rows_alone(make_world):
    log = make_world().log
    train = log.where(np.arange(len(log)) < 100)
    sampler = NegativeSampler(train, 1.0)
    drawn = sampler.draw(log.listener, log.station, log.track, np.random.default_rng(0))
    real = set(train.track[train.label < 0])
    assert set(drawn.track[drawn.kind >= NegativeKind.STATION]) <= real


def test_standing_labels_agree_with_a_walk_through_the_log(make_world):
    log = make_world(events=300, tracks=20).log
    implicit: dict[int, int] = {}
    explicit: dict[int, int] = {}
    for row in range(len(log)):
        (explicit if log.explicit[row] else implicit)[int(log.track[row])] = int(log.label[row])
    rows, label = standing_labels(log, np.zeros(len(log), np.int64))
    assert dict(zip(log.track[rows].tolist(), label.tolist(), strict=True)) == implicit | explicit


@pytest.mark.parametrize("p_hard", [-0.1, 1.1, float("nan")])
def test_a_share_that_is_no_probability_is_refused(make_log, p_hard):
    with pytest.raises(ValueError, match="between 0 and 1"):
        NegativeSampler(make_log([(0, 0, 0, 0, 1)], tracks=2), p_hard)


def test_only_the_kind_of_negatives_asked_for_is_drawn(make_log):
    log = make_log([(0, 0, 1, 0, -1), (0, 0, 2, 1, -1), (0, 0, 5, 2, 1)], tracks=9)
    log.explicit[1] = False
    drawn = {kind: set(draw(NegativeSampler(log, 1.0, kind), 0, 0, 5, repeat=50).track) for kind in Negatives}
    assert drawn == {Negatives.EXPLICIT: {1}, Negatives.IMPLICIT: {2}, Negatives.BOTH: {1, 2}}


def test_a_thumb_up_overrules_a_skip_also_where_only_skips_count(make_log):
    log = make_log([(0, 0, 1, 0, -1), (0, 0, 1, 1, 1), (0, 0, 5, 2, 1)], tracks=9)
    log.explicit[0] = False
    assert draw(NegativeSampler(log, 1.0, Negatives.IMPLICIT), 0, 0, 5).realised_share is None


def test_counts_say_where_the_negatives_came_from_and_add_up(make_log):
    log = make_log([(0, 0, 1, 0, -1), (0, 1, 2, 1, -1), (0, 0, 5, 2, 1), (1, 0, 6, 3, 1)], tracks=50)
    sampler = NegativeSampler(log, 1.0)
    here, elsewhere, nobody = (
        draw(sampler, *position, repeat=10).counts for position in ((0, 0, 5), (0, 7, 5), (1, 0, 6))
    )
    assert here == NegativeCounts(positions=10, eligible=10, station=10, listener=0)
    assert elsewhere == NegativeCounts(positions=10, eligible=10, station=0, listener=10)
    both = here + elsewhere + nobody
    assert both == NegativeCounts(positions=30, eligible=20, station=10, listener=10)
    assert (both.realised_share, both.share_of_all) == (1.0, 20 / 30)
    assert (NegativeCounts().realised_share, NegativeCounts().share_of_all) == (None, None)


@pytest.mark.parametrize("mode", [{}, {"loss": SequenceLoss.SOFTMAX, "hard_weight": 1.0}], ids=["pair", "softmax"])
@pytest.mark.parametrize("station", [1, 3])
def test_a_position_is_given_a_negative_of_the_station_of_its_target(make_log, mode, station):
    """A dislike on each station but the first: whoever asks for another station's gets one that is not of the target's."""
    dislikes = [(0, each, 1 + each, each, -1) for each in range(1, 4)]
    log = make_log([*dislikes, *((0, station, 6 + t % 2, 10 + t, 1) for t in range(8))], tracks=9)
    config = SequentialConfig(width=8, length=16, p_hard=1.0, **mode)
    rows, real = padded(listener_rows(log), 16)
    counts = BatchSampler(log, config).batch(rows, real, np.random.default_rng(0)).counts
    assert counts.positions == 10
    assert (counts.station, counts.listener) == (10, 0)
