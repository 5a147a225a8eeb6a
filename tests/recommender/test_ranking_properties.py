import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from recommender.ranking import Catalogue, Request, Settings, commit, rank
from recommender.rules import Spacing, standing_rules


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
            spacing=Spacing(draw(st.integers(0, 3)), draw(st.integers(0, 50))),
        ),
    )
    return Catalogue(rng.permutation(1000)[:count], vectors, codes[0], codes[1]), request


@given(rankings())
@settings(max_examples=300, deadline=None)
def test_any_queue_keeps_the_promises_of_a_queue(drawn):
    catalogue, request = drawn
    ranking = rank(catalogue, request, commit_first=request.places)
    tracks = np.array(ranking.tracks, np.int64)
    assert len(set(tracks.tolist())) == len(tracks)
    assert request.candidates[tracks].all()
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
@settings(max_examples=100, deadline=None)
def test_the_longer_queue_begins_with_the_shorter_one(drawn):
    catalogue, request = drawn
    whole = rank(catalogue, request)
    fewer = Request(
        request.scores, request.candidates, request.rules, request.recent, request.pinned, request.first_slot,
        request.places // 2, request.noise_seed, request.settings,
    )  # fmt: skip
    assert rank(catalogue, fewer).tracks == whole.tracks[: request.places // 2]


@given(rankings())
@settings(max_examples=100, deadline=None)
def test_adding_a_constant_to_every_score_changes_no_place(drawn):
    catalogue, request = drawn
    raised = Request(
        np.round(request.scores * 64) / 64 + 2.0, request.candidates, request.rules, request.recent, request.pinned,
        request.first_slot, request.places, request.noise_seed, request.settings,
    )  # fmt: skip
    rounded = Request(
        np.round(request.scores * 64) / 64, request.candidates, request.rules, request.recent, request.pinned,
        request.first_slot, request.places, request.noise_seed, request.settings,
    )  # fmt: skip
    assert rank(catalogue, raised).tracks == rank(catalogue, rounded).tracks


def small_station():
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((6, 3)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    catalogue = Catalogue(np.array([11, 12, 13, 21, 22, 23]), vectors, np.array([0, 0, 1, 1, 2, 2]), np.arange(6))
    scores = np.array([1.0, 0.2, -0.5, 0.4, 0.0, 0.8])
    settings_ = Settings(temperature=0.7, spacing=Spacing(artist=1, track=2))
    return catalogue, scores, settings_


def test_propensities_are_the_frequencies_with_which_tracks_get_their_places():
    catalogue, scores, dials = small_station()
    drawn = 6000
    firsts, seconds, expected_first, expected_second = np.zeros(6), {}, np.zeros(6), {}
    for seed in range(drawn):
        request = Request(scores, np.ones(6, np.bool_), recent=(3,), places=2, noise_seed=seed, settings=dials)
        ranking = rank(catalogue, request)
        first, second = ranking.tracks
        firsts[first] += 1
        if not expected_first[first]:
            expected_first[first] = commit(catalogue, request, ranking, 0).propensity
        seconds[first, second] = seconds.get((first, second), 0) + 1
        if (first, second) not in expected_second:
            expected_second[first, second] = commit(catalogue, request, ranking, 1).propensity
    seen = firsts > 0
    assert expected_first.sum() == 1 or abs(expected_first.sum() - 1) < 1e-9
    assert stats.chisquare(firsts[seen], drawn * expected_first[seen]).pvalue > 0.001
    pairs = list(seconds)
    expected = np.array([drawn * expected_first[first] * expected_second[first, second] for first, second in pairs])
    assert abs(expected.sum() - drawn) < 1e-6 * drawn
    assert stats.chisquare([seconds[pair] for pair in pairs], expected).pvalue > 0.001


def test_successive_slots_of_one_station_draw_like_independent_ones():
    catalogue, scores, dials = small_station()
    drawn = 6000
    counts = np.zeros(6)
    for slot in range(drawn):
        request = Request(scores, np.ones(6, np.bool_), first_slot=slot, places=1, noise_seed=77, settings=dials)
        counts[rank(catalogue, request).tracks[0]] += 1
    weights = np.exp(scores / dials.temperature)
    assert stats.chisquare(counts, drawn * weights / weights.sum()).pvalue > 0.001
