import numpy as np
import pytest

from recommender.training.worth import Worth, _gain, variance_shares


def test_shares_sum_to_one_and_follow_the_loudest():
    rng = np.random.default_rng(0)
    parts = rng.normal(size=(500, 3)) * [3.0, 1.0, 0.0]
    shares = variance_shares(parts)
    assert shares.sum() == pytest.approx(1.0)
    assert shares[0] > 0.8
    assert shares[2] == 0.0
    assert not variance_shares(np.zeros((5, 2))).any()


def test_the_gain_is_the_difference_of_pair_aucs_and_a_part_of_noise_gains_nothing():
    rng = np.random.default_rng(1)
    label = rng.choice([-1, 1], 160).astype(np.int8)
    scores = np.stack([label + rng.normal(size=160), 0.05 * rng.normal(size=160)], axis=1)
    station = np.zeros(160, np.int64)
    counts = rng.multinomial(160, np.full(160, 1 / 160), 300)
    gain, low, high = _gain(scores, 0, label, station, counts)
    slow = [
        np.mean(
            [
                (each[p] > each[m]) + 0.5 * (each[p] == each[m])
                for p in np.flatnonzero(label > 0)
                for m in np.flatnonzero(label < 0)
            ]
        )
        for each in (scores.sum(axis=1), scores[:, 1])
    ]
    assert gain == pytest.approx(slow[0] - slow[1])
    assert 0.0 < low < gain < high
    assert Worth("clep", 0.9, gain, low, high).verdict == "earns its place"
    noise = _gain(scores, 1, label, station, counts)
    assert noise[1] < 0.0 < noise[2]
    assert Worth("sequence", 0.001, *noise).verdict == "earns nothing here"
    assert _gain(scores, 0, label, np.arange(160), counts) == (None, None, None)
