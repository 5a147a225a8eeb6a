"""A simulated listener's taste, moods, boredom and habits."""

from dataclasses import replace

import numpy as np
import pytest

from bench.simulation.listener import (
    DAY,
    EARLY_SECONDS,
    FIRST_SESSION,
    LATEST_SKIP,
    Listener,
    Temperament,
    logistic,
)
from bench.simulation.world import clustered_world

QUIET = Temperament(mood_spread=0.0)
"""Without moods, so that only what was heard moves the liking."""


@pytest.fixture(scope="module")
def world():
    return clustered_world(400, seed=1)


def test_the_mean_liking_over_the_library_is_the_one_asked_for(world):
    for seed in range(5):
        assert Listener(world, Temperament(mean_liking=0.3), seed).taste.probability.mean() == pytest.approx(
            0.3, abs=1e-6
        )


def test_the_tracks_at_the_centres_of_the_liked_sounds_are_liked_more_than_others(world):
    sound_alone = Temperament(artist_spread=0.0, quality_spread=0.0, own_spread=0.0)
    tastes = [Listener(world, sound_alone, seed).taste for seed in range(20)]
    assert np.mean([taste.probability[taste.liked].mean() for taste in tastes]) > 0.6


def test_taste_is_a_log_ratio_of_two_mixtures_of_sounds_and_the_slow_way_agrees(world):
    sound_alone = Temperament(artist_spread=0.0, quality_spread=0.0, own_spread=0.0)
    listener = Listener(world, sound_alone, seed=3)
    centres = np.random.default_rng((3, 0, 0)).choice(len(world), 6, replace=False)
    vectors = world.space.vectors.astype(np.float64)

    def density(track, some):
        return np.mean([np.exp(6.0 * (vectors[track] @ vectors[centre])) for centre in some])

    slow = np.array([np.log(density(i, centres[:3]) / density(i, centres[3:])) for i in range(len(world))])
    assert np.corrcoef(slow, listener.taste.logits)[0, 1] == pytest.approx(1.0, abs=1e-6)
    assert listener.taste.logits.std() == pytest.approx(sound_alone.taste_spread)


def test_listeners_agree_on_quality_alone_when_nothing_else_moves_them(world):
    nothing_else = Temperament(taste_spread=0.0, artist_spread=0.0, own_spread=0.0)
    assert np.allclose(Listener(world, nothing_else, 1).taste.logits, Listener(world, nothing_else, 2).taste.logits)


def test_a_track_just_heard_is_liked_less_and_recovers_with_rest(world):
    listener = Listener(world, replace(QUIET, weariness=0.0), seed=0)
    fresh = listener.liking(FIRST_SESSION)
    listener.hear(7, 1.0, FIRST_SESSION)
    lost = [(fresh - listener.liking(FIRST_SESSION + rest))[7] for rest in (0.0, 4 * DAY, 8 * DAY)]
    assert lost == pytest.approx([2.0, 1.0, 0.5])
    assert np.delete(fresh - listener.liking(FIRST_SESSION), 7) == pytest.approx(0.0)


def test_boredom_adds_up_with_every_hearing_and_a_track_left_early_bores_less(world):
    quiet = replace(QUIET, weariness=0.0)
    twice, once, hardly = (Listener(world, quiet, seed=0) for _ in range(3))
    twice.hear(7, 1.0, FIRST_SESSION)
    twice.hear(7, 1.0, FIRST_SESSION)
    once.hear(7, 1.0, FIRST_SESSION)
    hardly.hear(7, 0.05, FIRST_SESSION)
    assert twice.liking(FIRST_SESSION)[7] < once.liking(FIRST_SESSION)[7] < hardly.liking(FIRST_SESSION)[7]


def test_an_hour_of_one_sound_wears_all_that_sounds_alike_and_nothing_opposite(world):
    listener = Listener(world, replace(QUIET, boredom=0.0), seed=0)
    fresh = listener.liking(FIRST_SESSION)
    for minute in range(0, 60, 4):
        listener.hear(0, 1.0, FIRST_SESSION + 60.0 * minute)
    lost = fresh - listener.liking(FIRST_SESSION + 3600.0)
    cosines = world.space.vectors @ world.space.vectors[0]
    assert lost[0] > 0.5
    assert np.corrcoef(lost[cosines > 0], cosines[cosines > 0])[0, 1] == pytest.approx(1.0, abs=1e-5)
    assert lost[cosines < 0] == pytest.approx(0.0)
    assert (fresh - listener.liking(FIRST_SESSION + DAY)).max() < 1e-6


def test_a_mood_leans_towards_a_liked_sound_and_changes_with_the_session(world):
    listener = Listener(world, Temperament(), seed=4)
    moods = []
    for number in range(12):
        listener.begin_session(number)
        moods.append(listener.liking(FIRST_SESSION) - listener.taste.logits)
    towards_a_liked = [mood[listener.taste.liked].max() for mood in moods]
    assert min(towards_a_liked) > 0.5
    assert 2 <= len({mood.tobytes() for mood in moods}) <= 3
    assert np.std(moods[0]) == pytest.approx(0.5)


@pytest.mark.slow
def test_reactions_have_the_rates_of_the_temperament(world):
    habits = Temperament()
    listener = Listener(world, habits, seed=0)
    liked = [listener.react(50.0, play) for play in range(3000)]
    disliked = [listener.react(-50.0, play) for play in range(3000)]
    attentive = 1.0 - habits.inattention
    assert all(reaction.likes for reaction in liked)
    assert not any(reaction.likes for reaction in disliked)
    share = 0.03
    """More than three standard errors of any share of 3,000."""
    assert np.mean([r.thumb > 0 for r in liked]) == pytest.approx(attentive * 0.1, abs=share)
    assert np.mean([r.thumb < 0 for r in disliked]) == pytest.approx(attentive * 0.1, abs=share)
    assert np.mean([r.early and r.thumb == 0 for r in disliked]) == pytest.approx(attentive * 0.9 * 0.55, abs=share)
    assert np.mean([not r.finished and not r.early for r in disliked]) == pytest.approx(
        attentive * 0.9 * 0.2, abs=share
    )
    assert np.mean([r.finished for r in liked]) > 0.9


def test_skips_fall_where_their_kind_says(world):
    listener = Listener(world, Temperament(), seed=0)
    reactions = [listener.react(-50.0, play) for play in range(3000)]
    early = np.array([r.share * 210.0 for r in reactions if r.early])
    late = np.array([r.share for r in reactions if not r.early and not r.finished])
    assert early.min() >= 2.0
    assert early.max() < EARLY_SECONDS
    assert np.median(early) < 10.0
    assert EARLY_SECONDS / 210.0 <= late.min() < 0.2
    assert 0.8 < late.max() < LATEST_SKIP


def test_a_play_is_liked_as_often_as_its_log_odds_say(world):
    listener = Listener(world, Temperament(), seed=0)
    liked = np.mean([listener.react(0.7, play).likes for play in range(4000)])
    assert liked == pytest.approx(float(logistic(np.array(0.7))), abs=0.03)


def test_a_change_of_taste_changes_what_follows_from_sound_and_nothing_else(world):
    deaf = Temperament(taste_spread=0.0)
    listener, unmoved = Listener(world, Temperament(), seed=2), Listener(world, deaf, seed=2)
    before, same = listener.taste.logits, unmoved.taste.logits
    listener.change_taste()
    unmoved.change_taste()
    assert np.corrcoef(before, listener.taste.logits)[0, 1] < 0.9
    assert np.allclose(same, unmoved.taste.logits)


def test_the_same_seed_is_the_same_person_and_another_seed_another(world):
    one, same, other = (Listener(world, Temperament(), seed) for seed in (5, 5, 6))
    assert np.array_equal(one.taste.logits, same.taste.logits)
    assert one.begin_session(3) == same.begin_session(3)
    assert one.react(0.0, 17) == same.react(0.0, 17)
    assert np.array_equal(one.verdicts(), same.verdicts())
    assert not np.allclose(one.taste.logits, other.taste.logits)
