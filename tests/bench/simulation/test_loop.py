"""The closed loop on small worlds with fixed seeds: every run is the same, so nothing here can flake."""

from dataclasses import replace

import numpy as np
import pytest

from bench.simulation import BREADTH, DIVERSITY, Plan, simulate
from bench.simulation.listener import Temperament
from bench.simulation.policies import content_only, like_rate, oracle, random_order, retrained, untrained
from bench.simulation.report import Figure, Summary, course, figures, recovery
from bench.simulation.world import STATION, clustered_world
from player.config import StationSettings
from recommender.configuration import ClepConfig, SequentialConfig, TrainingConfig
from recommender.events import Outcome

pytestmark = pytest.mark.slow

PLAN = Plan(plays=150, check_every=50)
LISTENERS = range(6)
CHANGE = Plan(plays=300, check_every=100, taste_changes_at=120)


@pytest.fixture(scope="module")
def world():
    return clustered_world(900, seed=1)


@pytest.fixture(scope="module")
def runs(world):
    policies = {"random": random_order, "content": content_only, "untrained": untrained, "oracle": oracle}
    return {name: [simulate(world, make, PLAN, seed) for seed in LISTENERS] for name, make in policies.items()}


def test_the_dials_are_the_players_own():
    assert StationSettings().breadth == BREADTH
    assert StationSettings().diversity == DIVERSITY


def test_the_same_arguments_give_the_same_run(world, runs):
    again = simulate(world, untrained, PLAN, seed=2)
    assert np.array_equal(again.track, runs["untrained"][2].track)
    assert np.array_equal(again.log.time, runs["untrained"][2].log.time)


def test_the_log_holds_every_play_once_and_a_thumb_up_besides(runs):
    for run in runs["untrained"]:
        ends = np.isin(run.log.outcome, [Outcome.FINISH, Outcome.SKIP_EARLY, Outcome.SKIP_LATE, Outcome.THUMB_DOWN])
        assert np.array_equal(run.log.track[ends], run.track)
        assert set(run.log.station.tolist()) == {STATION}
        assert np.all(np.diff(run.log.time) >= 0)


def test_a_track_thumbed_down_is_never_played_again(runs):
    for run in (run for own in runs.values() for run in own):
        for play in np.flatnonzero(run.thumb < 0):
            assert run.track[play] not in run.track[play + 1 :]


def test_propensities_are_probabilities_and_chance_spreads_them(runs):
    for own in runs.values():
        propensity = np.concatenate([run.propensity for run in own])
        assert propensity.min() > 0
        assert propensity.max() <= 1
    assert runs["random"][0].propensity.mean() < runs["untrained"][0].propensity.mean()


def test_the_loop_learns_against_random_surely_and_stays_below_the_listeners_own_mind(runs):
    summary = Summary.of(runs)
    ahead = summary.difference("untrained", "random", Figure.LAST)
    assert ahead.low is not None
    assert ahead.low > 0.05
    assert summary.difference("untrained", "oracle", Figure.LAST).mean < 0
    assert summary.difference("untrained", "random", Figure.ACCURACY).mean > 0.05
    assert summary.difference("untrained", "random", Figure.SKIPS).mean < 0


def test_a_station_does_not_collapse_onto_a_few_artists(world, runs):
    for run in runs["untrained"]:
        assert len(np.unique(world.ranking.artist[run.track[-100:]])) >= 10
        assert run.checks[-1].diversity.gini < 0.95


def test_one_listener_hears_less_of_what_they_like_right_after_their_taste_changed_and_more_in_the_end(world):
    changed = [simulate(world, untrained, CHANGE, seed) for seed in LISTENERS]
    found = recovery(changed, 120)
    assert found.shock.mean > 0.05
    assert found.regained.mean > 0.02


def test_until_the_taste_changes_nothing_differs(world):
    same = simulate(world, untrained, replace(CHANGE, taste_changes_at=None), seed=0)
    changed = simulate(world, untrained, CHANGE, seed=0)
    assert np.array_equal(same.track[:120], changed.track[:120])
    assert not np.array_equal(same.liking[120:], changed.liking[120:])


def test_content_only_and_like_rate_never_learn_what_sounds_alike(world):
    for make in (content_only, like_rate):
        run = simulate(world, make, replace(PLAN, plays=60, check_every=30), seed=0)
        assert abs(run.checks[0].accuracy - run.checks[1].accuracy) < 0.03


def test_a_retrained_policy_passes_through_the_real_training_and_notes_every_verdict(world):
    small = TrainingConfig(
        clep=ClepConfig(widths=(16, 8), epochs=2, head_epochs=2),
        sequential=SequentialConfig(width=16, blocks=1, length=16, epochs=2),
    )
    run = simulate(world, retrained(small, every=60), replace(PLAN, plays=130), seed=0)
    assert [note.split(":")[0].removesuffix("not promoted").removesuffix("promoted") for note in run.notes] == [
        "after 60 plays ",
        "after 120 plays ",
    ]
    assert np.array_equal(run.track[:60], simulate(world, untrained, replace(PLAN, plays=60), seed=0).track)


def test_a_seeded_station_stays_nearer_its_seed_than_one_of_the_whole_library(world):
    plan = replace(PLAN, plays=40)
    for seed in range(3):
        near = simulate(world, untrained, replace(plan, seeded=True), seed)
        far = simulate(world, untrained, plan, seed)
        seed_track = near.track[0]
        cosines = world.space.vectors @ world.space.vectors[seed_track]
        assert cosines[near.track].mean() > cosines[far.track].mean()


def test_figures_are_what_they_say(runs):
    run = runs["untrained"][0]
    values = dict(zip(Figure, figures(run), strict=True))
    assert values[Figure.SATISFACTION] == pytest.approx(run.liking.mean())
    assert values[Figure.RISE] == pytest.approx(run.liking[-100:].mean() - run.liking[:100].mean())
    assert values[Figure.SKIPS] == pytest.approx(run.skipped[50:].mean())
    assert values[Figure.COVERAGE] == pytest.approx(len(np.unique(run.track)) / 900)
    assert values[Figure.GINI_DRIFT] == pytest.approx(run.checks[2].diversity.gini - run.checks[1].diversity.gini)
    assert course([run]) == pytest.approx(run.liking.reshape(3, 50).mean(axis=1))


def test_intervals_are_over_listeners_and_a_single_one_has_none(runs):
    figure = Summary.of(runs).figure("random", Figure.LAST)
    assert figure.low is not None
    assert figure.high is not None
    assert figure.low < figure.mean < figure.high
    alone = Summary.of({"random": runs["random"][:1]}).figure("random", Figure.LAST)
    assert (alone.low, alone.high) == (None, None)


def test_policies_with_different_numbers_of_listeners_are_not_compared(runs):
    with pytest.raises(ValueError, match="same listeners"):
        Summary.of({"random": runs["random"], "oracle": runs["oracle"][:2]})


def test_windows_of_a_recovery_must_be_apart(runs):
    with pytest.raises(ValueError, match="before the change"):
        recovery(runs["random"], changed_at=75)


def test_a_library_in_which_all_is_thumbed_down_ends_with_a_sentence():
    hard_to_please = Temperament(mean_liking=0.01, thumb_down=1.0, inattention=0.0)
    with pytest.raises(ValueError, match="thumbed down here"):
        simulate(clustered_world(30, seed=0), random_order, Plan(plays=200, temperament=hard_to_please), seed=0)


def test_a_plan_without_plays_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        Plan(plays=0)
