from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from recommender.ranking.gumbel import gumbel
from recommender.ranking.rank import Placer, Request, Settings, TrackTable, commit, rank
from recommender.ranking.rules import Spacing, standing_rules
from recommender.ranking.variety import Mix, Variety, aspect_of_likes

pytestmark = pytest.mark.slow


def mix_of(rng, count):
    """A mix of two aspects as some likes would have it, or of fewer where nothing is known of the liked tracks."""
    liked = rng.integers(0, count, 5)
    aspects = (aspect_of_likes(rng.integers(-1, kinds, count), liked, rng.random(5)) for kinds in (1, 4))
    return Mix(tuple(aspect for aspect in aspects if aspect is not None))


@st.composite
def rankings(draw):
    """A catalogue and a request of any small shape."""
    count = draw(st.integers(1, 30))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    vectors = rng.standard_normal((count, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[rng.random(count) < 0.1] = 0
    codes = rng.integers(-1, draw(st.integers(1, 8)), (2, count))
    blocked = rng.random((3, count)) < draw(st.sampled_from([0.0, 0.2, 0.9]))
    history = st.lists(st.integers(0, count - 1), max_size=12).map(tuple)
    request = Request(
        scores=rng.standard_normal(count) * draw(st.sampled_from([0.0, 1.0, 30.0])),
        candidates=rng.random(count) < 0.9,
        rules=standing_rules(*blocked),
        recent=draw(history),
        pinned=draw(history)[:3],
        first_slot=draw(st.integers(0, 1000)),
        places=draw(st.integers(0, 12)),
        noise_seed=draw(st.integers(-(2**63), 2**63 - 1)),
        settings=Settings(
            temperature=draw(st.sampled_from([0.05, 0.3, 2.0])),
            diversity=draw(st.sampled_from([0.0, 1.5])),
            window=draw(st.integers(0, 6)),
            spacing=Spacing(draw(st.integers(0, 3)), draw(st.integers(0, 50)), draw(st.integers(0, 4))),
            variety=draw(st.sampled_from(Variety)),
            calibration=draw(st.sampled_from([0.0, 2.0])),
        ),
        mix=draw(st.sampled_from([None, mix_of(rng, count)])),
    )
    return TrackTable(rng.permutation(1000)[:count], vectors, codes[0], codes[1]), request


@given(rankings())
@settings(max_examples=300, deadline=None)
def test_any_queue_keeps_the_promises_of_a_queue(drawn):
    catalogue, request = drawn
    ranking = rank(catalogue, request, commit_first=request.places)
    tracks = np.array(ranking.tracks, np.int64)
    assert len(set(tracks.tolist())) == len(tracks)
    assert all(row.pinned or request.candidates[row.track] for row in ranking.rows)
    for rule in request.rules:
        assert rule.relaxable or not rule.blocks[tracks].any()
    assert [row.slot for row in ranking.rows] == [request.first_slot + place for place in range(len(tracks))]
    assert (ranking.shortfall is None) == (len(tracks) == request.places)
    for row in ranking.rows:
        assert row.pinned == (row.propensity is None)
        assert row.pinned or 0 < row.propensity <= 1 + 1e-12
        assert row.given_up >= 0
        assert row.pinned or 1 <= row.utility_rank <= row.eligible_count


@given(rankings())
@settings(max_examples=200, deadline=None)
def test_the_chosen_track_is_the_best_of_utility_and_noise_over_all_eligible_tracks(drawn):
    catalogue, request = drawn
    placer = Placer(catalogue, request)
    for _ in range(request.places):
        row, view = placer.peek(), placer.view()
        if row is None:
            assert view.count == 0
            break
        keys = view.utilities / request.settings.temperature + gumbel(request.noise_seed, row.slot, catalogue.ids)
        assert keys[row.track] >= keys.max() - 1e-4  # float32 products, in another order
        assert (row.eligible_count, row.relaxed) == (view.count, view.relaxed)
        assert abs(row.utility - view.utilities[row.track]) < 1e-4
        placer.place(row.track)


@given(rankings())
@settings(max_examples=100, deadline=None)
def test_pins_that_no_rule_forbids_stay_in_front_in_their_order(drawn):
    catalogue, request = drawn
    forbidden = np.any([rule.blocks for rule in request.rules], axis=0)
    staying = [track for track in dict.fromkeys(request.pinned) if not forbidden[track]]
    assert list(rank(catalogue, request).tracks[: len(staying)]) == staying[: request.places]


@given(rankings(), st.data())
@settings(max_examples=100, deadline=None)
def test_playing_on_moves_no_row(drawn, data):
    catalogue, request = drawn
    request = replace(request, pinned=(), settings=replace(request.settings, spacing=Spacing(2, 0, 2)))
    queue = rank(catalogue, request)
    played = data.draw(st.integers(0, len(queue.tracks)))
    # Without a gap between repeats a heard track could come back where a queued one cannot: keep it out.
    gone = standing_rules(
        np.isin(np.arange(len(catalogue)), queue.tracks[:played]), *np.zeros((2, len(catalogue)), bool)
    )
    later = replace(
        request,
        recent=(*request.recent, *queue.tracks[:played]),
        rules=(*request.rules, *gone),
        first_slot=request.first_slot + played,
        places=request.places - played,
    )
    rest = queue.tracks[played:]
    # Behind them there may be more: resting tracks come back only when nothing else is left.
    assert rank(catalogue, later).tracks[: len(rest)] == rest


@given(rankings())
@settings(max_examples=50, deadline=None)
def test_the_same_inputs_give_the_same_queue_and_leave_the_inputs_alone(drawn):
    catalogue, request = drawn
    before = (request.scores.copy(), request.candidates.copy(), [rule.blocks.copy() for rule in request.rules])
    assert rank(catalogue, request).rows == rank(catalogue, request).rows
    assert np.array_equal(request.scores, before[0])
    assert np.array_equal(request.candidates, before[1])
    assert all(np.array_equal(rule.blocks, old) for rule, old in zip(request.rules, before[2], strict=True))


@given(rankings())
@settings(max_examples=100, deadline=None)
def test_the_longer_queue_begins_with_the_shorter_one(drawn):
    catalogue, request = drawn
    whole = rank(catalogue, request)
    fewer = replace(request, places=request.places // 2)
    assert rank(catalogue, fewer).tracks == whole.tracks[: request.places // 2]


@given(rankings())
@settings(max_examples=100, deadline=None)
def test_adding_a_constant_to_every_score_changes_no_place(drawn):
    catalogue, request = drawn
    rounded = replace(request, scores=np.round(request.scores * 64) / 64)
    raised = replace(rounded, scores=rounded.scores + 2.0)
    assert rank(catalogue, raised).tracks == rank(catalogue, rounded).tracks


def small_station(variety=Variety.MMR):
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((6, 3)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    catalogue = TrackTable(np.array([11, 12, 13, 21, 22, 23]), vectors, np.array([0, 0, 1, 1, 2, 2]), np.arange(6))
    scores = np.array([1.0, 0.2, -0.5, 0.4, 0.0, 0.8])
    settings_ = Settings(temperature=0.7, variety=variety, calibration=1.0, spacing=Spacing(artist=1, track=2))
    return catalogue, scores, settings_


DRAWN = 4000
NEVER_BY_CHANCE = 0.001
"""Of p-values: one right sampler in a thousand would fail, but the seeds are fixed, so none does from one day to the next."""


@pytest.fixture(scope="module", params=Variety)
def drawn_pairs(request):
    """How often each first and second track was drawn over noise seeds, and how often the propensities say it should."""
    catalogue, scores, dials = small_station(request.param)
    mix = Mix((aspect_of_likes(np.array([0, 0, 0, 1, 1, 2]), np.array([0, 3, 4]), np.ones(3)),))
    counts, shares = {}, {}
    for seed in range(DRAWN):
        asked = Request(scores, np.ones(6, np.bool_), recent=(3,), places=2, noise_seed=seed, settings=dials, mix=mix)
        ranking = rank(catalogue, asked)
        counts[ranking.tracks] = counts.get(ranking.tracks, 0) + 1
        if ranking.tracks not in shares:
            shares[ranking.tracks] = [commit(catalogue, asked, ranking, place).propensity for place in range(2)]
    return counts, shares


def p_value(counts, expected):
    return stats.power_divergence(counts, expected, lambda_="log-likelihood").pvalue


def test_propensities_are_the_frequencies_with_which_tracks_get_their_places(drawn_pairs):
    counts, shares = drawn_pairs
    pairs = list(counts)
    firsts = {first: shares[first, second][0] for first, second in pairs}
    assert abs(sum(firsts.values()) - 1) < 1e-9
    drawn = [sum(count for pair, count in counts.items() if pair[0] == first) for first in firsts]
    assert p_value(drawn, DRAWN * np.array(list(firsts.values()))) > NEVER_BY_CHANCE
    expected = np.array([DRAWN * np.prod(shares[pair]) for pair in pairs])
    assert abs(expected.sum() - DRAWN) < 1e-6 * DRAWN
    assert p_value([counts[pair] for pair in pairs], expected) > NEVER_BY_CHANCE


def test_so_many_draws_would_give_a_wrong_propensity_away(drawn_pairs):
    counts, shares = drawn_pairs
    pairs = list(counts)
    cooler = np.array([np.prod(shares[pair]) ** 1.1 for pair in pairs])  # as if the temperature were a tenth lower
    assert p_value([counts[pair] for pair in pairs], DRAWN * cooler / cooler.sum()) < NEVER_BY_CHANCE


def test_successive_slots_of_one_station_draw_like_independent_ones():
    catalogue, scores, dials = small_station()
    counts = np.zeros(6)
    for slot in range(DRAWN):
        request = Request(scores, np.ones(6, np.bool_), first_slot=slot, places=1, noise_seed=77, settings=dials)
        counts[rank(catalogue, request).tracks[0]] += 1
    weights = np.exp(scores / dials.temperature)
    assert stats.chisquare(counts, DRAWN * weights / weights.sum()).pvalue > 0.001
