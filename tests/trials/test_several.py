"""Trials of several listeners: e-values multiply, and what cannot be put together is said."""

import json

import numpy as np
import pytest

from player.errors import PlayerError, UsageError
from player.trials.several import read_trial, together_of
from recommender.evaluation.sequential_test import log_capital, wager


def status(tmp_path, name, differences, arms=("live", "artists")):
    test = wager(np.asarray(differences))
    path = tmp_path / name
    document = {"arms": [{"name": arm, "version": arm} for arm in arms], "pairs": test.pairs}
    path.write_text(json.dumps([document | {"test": {"difference": test.mean, "e_value": test.e_value}}]))
    return path


def test_listeners_who_agree_are_evidence_together_that_none_is_alone(tmp_path):
    rng = np.random.default_rng(0)
    each = [np.clip(rng.normal(0.18, 0.6, 30), -1, 1) for _ in range(6)]
    values = [wager(own).e_value for own in each]
    found = together_of([read_trial(status(tmp_path, f"{n}.json", own)) for n, own in enumerate(each)])
    assert found.e_value == pytest.approx(np.prod(values))
    assert found.e_value > 20 > max(values)
    assert found.pairs == 180
    assert found.difference == pytest.approx(np.concatenate(each).mean())


def test_without_a_difference_the_product_passes_twenty_in_no_more_than_one_of_twenty_worlds():
    rng = np.random.default_rng(1)
    capital = np.exp(log_capital(rng.choice([-1.0, 0.0, 1.0], (2000, 4, 12)))[..., -1])
    assert np.mean(capital.prod(axis=1) >= 20) <= 0.05


def test_other_arms_and_other_files_are_refused(tmp_path):
    one = read_trial(status(tmp_path, "a.json", [0.5]))
    other = read_trial(status(tmp_path, "b.json", [0.5], ("live", "shuffle")))
    with pytest.raises(UsageError, match="different arms"):
        together_of([one, other])
    (tmp_path / "c.json").write_text("{}")
    with pytest.raises(PlayerError, match="ab status"):
        read_trial(tmp_path / "c.json")
    (tmp_path / "d.json").write_text("[]")
    with pytest.raises(PlayerError, match="holds 0 trials"):
        read_trial(tmp_path / "d.json")
