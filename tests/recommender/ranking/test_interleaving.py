"""Two arms on one queue: fair, exact, and unmoved by re-ranking."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.ranking.interleaving import arm_of, interleave, pair_of
from recommender.ranking.rank import Request, Settings, TrackTable, commit, rank
from recommender.ranking.rules import Rule, RuleName, Spacing

COUNT = 40
COIN_SEED = 77


def catalogue(count=COUNT, seed=0):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    codes = np.arange(count, dtype=np.int64) // 2
    return TrackTable(np.arange(count, dtype=np.int64) * 7 + 3, vectors, codes, codes)


def requests(count=COUNT, places=12, first_slot=0, seed=1, **more):
    rng = np.random.default_rng(seed)

    def request(temperature):
        return Request(
            scores=rng.normal(size=count),
            candidates=np.ones(count, np.bool_),
            first_slot=first_slot,
            places=places,
            noise_seed=5,
            settings=Settings(temperature=temperature, spacing=Spacing(artist=1, track=8)),
            **more,
        )

    return request(0.4), request(0.9)


@pytest.mark.slow
def test_each_pair_has_one_slot_of_each_arm_and_the_coin_is_fair():
    slots = np.arange(20_000)
    arms = np.array([arm_of(COIN_SEED, int(slot)) for slot in slots]).reshape(-1, 2)
    assert np.all(arms.sum(axis=1) == 1)
    heads = arms[:, 0]
    assert abs(heads.mean() - 0.5) < 3 * 0.5 / np.sqrt(len(heads))
    # And it does not remember: what follows a head is a head as often as not.
    assert abs(heads[1:][heads[:-1] == 1].mean() - 0.5) < 4 * 0.5 / np.sqrt(len(heads) / 2)
    assert [pair_of(slot) for slot in range(6)] == [0, 0, 1, 1, 2, 2]


def test_trials_toss_their_own_coins():
    coins = np.array([[arm_of(seed, 2 * pair) for pair in range(400)] for seed in (1, 2)])
    assert 0.4 < np.mean(coins[0] == coins[1]) < 0.6


def test_each_row_is_what_its_arm_would_choose_after_the_rows_before():
    both, tracks = requests(), catalogue()
    mixed = interleave(tracks, both, COIN_SEED)
    for place, (row, arm) in enumerate(zip(mixed.ranking.rows, mixed.arms, strict=True)):
        assert arm == arm_of(COIN_SEED, row.slot)
        alone = replace(both[arm], pinned=mixed.ranking.tracks[:place], places=place + 1)
        expected = rank(tracks, alone).rows[place]
        assert (row.track, row.slot, row.eligible_count) == (expected.track, expected.slot, expected.eligible_count)
        assert row.utility == pytest.approx(expected.utility, abs=1e-6)
    assert len(set(mixed.ranking.tracks)) == 12
    assert set(mixed.arms) == {0, 1}


def test_two_arms_that_agree_rank_as_one():
    one, _ = requests()
    assert interleave(catalogue(), (one, one), COIN_SEED).ranking.tracks == rank(catalogue(), one).tracks


def test_a_place_committed_at_once_is_the_one_committed_when_it_is_served():
    both, tracks = requests(), catalogue()
    at_once = interleave(tracks, both, COIN_SEED, commit_first=5)
    later = interleave(tracks, both, COIN_SEED)
    for place in range(5):
        made = at_once.ranking.rows[place].commitment
        again = commit(tracks, both[later.arms[place]], later.ranking, place)
        assert made.propensity == pytest.approx(again.propensity, rel=1e-5)
        assert (made.track, made.slot, made.eligible_count) == (again.track, again.slot, again.eligible_count)
        assert made.temperature == both[later.arms[place]].settings.temperature


@pytest.mark.slow
def test_the_second_of_a_pair_is_drawn_as_often_as_its_propensity_says():
    """Over many noise seeds, given the first place, the second falls as its arm's softmax has it."""
    tracks, both = catalogue(8), requests(8, places=2)
    first = interleave(tracks, both, COIN_SEED).ranking.tracks[0]
    counts, expected = np.zeros(8), None
    for seed in range(20_000):
        mixed = interleave(tracks, tuple(replace(one, noise_seed=seed, places=1) for one in both), COIN_SEED)
        if mixed.ranking.tracks[0] != first:
            continue
        mixed = interleave(tracks, tuple(replace(one, noise_seed=seed) for one in both), COIN_SEED)
        second = mixed.ranking.rows[1]
        counts[second.track] += 1
        if expected is None:
            made = commit(tracks, both[mixed.arms[1]], mixed.ranking, 1)
            expected = np.zeros(8)
            expected[made.tracks] = np.exp(made.utilities / made.temperature - made.log_partition)
        if counts.sum() == 1500:
            break
    drawn = expected > 0
    assert counts[~drawn].sum() == 0
    statistic = float(((counts - counts.sum() * expected)[drawn] ** 2 / (counts.sum() * expected[drawn])).sum())
    from scipy.stats import chi2

    assert counts.sum() == 1500
    assert statistic < chi2.ppf(0.999, np.count_nonzero(drawn) - 1)
    # The other arm's softmax is not what was drawn from, so the test could have failed.
    other = commit(tracks, both[1 - mixed.arms[1]], mixed.ranking, 1)
    wrong = np.zeros(8)
    wrong[other.tracks] = np.exp(other.utilities / other.temperature - other.log_partition)
    assert float(((counts - counts.sum() * wrong)[drawn] ** 2 / (counts.sum() * wrong[drawn])).sum()) > 50


def test_a_slot_stays_its_arms_when_the_queue_moves_on():
    both, tracks = requests(), catalogue()
    whole = interleave(tracks, both, COIN_SEED)
    first = whole.ranking.tracks[0]
    rest = interleave(tracks, tuple(replace(one, first_slot=1, places=11, recent=(first,)) for one in both), COIN_SEED)
    assert rest.arms == whole.arms[1:]


def test_pinned_rows_are_nobodys_and_both_arms_know_of_them():
    both, tracks = requests(pinned=(4, 9, 4)), catalogue()
    mixed = interleave(tracks, both, COIN_SEED)
    assert mixed.ranking.tracks[:2] == (4, 9)
    assert mixed.arms[:2] == (None, None)
    assert None not in mixed.arms[2:]
    assert set(mixed.ranking.tracks[2:]).isdisjoint({4, 9})


def test_a_queue_that_runs_dry_says_why():
    blocks = np.ones(COUNT, np.bool_)
    blocks[:5] = False
    both = requests(rules=(Rule(RuleName.NEVER, blocks),))
    mixed = interleave(catalogue(), both, COIN_SEED)
    assert sorted(mixed.ranking.tracks) == [0, 1, 2, 3, 4]
    assert "never" in mixed.ranking.shortfall


@pytest.mark.parametrize(
    "change",
    [
        {"first_slot": 1},
        {"noise_seed": 6},
        {"recent": (1,)},
        {"candidates": np.zeros(COUNT, np.bool_)},
        {"rules": (Rule(RuleName.NEVER, np.zeros(COUNT, np.bool_)),)},
    ],
)
def test_arms_that_are_asked_for_other_places_are_refused(change):
    one, other = requests()
    with pytest.raises(ValueError, match="both arms must"):
        interleave(catalogue(), (one, replace(other, **change)), COIN_SEED)
