import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.models.content_space import (
    MAX_PROTOTYPES,
    NEAREST,
    ContentSpace,
    LibrarySeed,
    TagSeed,
    TrackSeed,
    VectorSource,
    seed_columns,
    seed_similarity,
)

pytestmark = pytest.mark.slow

UNKNOWN = -1


def library(sizes=(60, 60, 60, 60), spreads=(1.0, 1.0, 1.0, 1.0), dimensions=40, seed=0):
    """Front-end vectors in clusters, with dimensions of very different scale and offset."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((len(sizes), dimensions)) * 2
    rows = [
        centre + spread * rng.standard_normal((size, dimensions))
        for centre, size, spread in zip(centres, sizes, spreads, strict=True)
    ]
    scale, offset = rng.lognormal(0, 3, dimensions), rng.standard_normal(dimensions) * 100
    return (np.concatenate(rows) * scale + offset).astype(np.float32)


def fit(vectors, artist=None, genre=None, **options):
    unknown = np.full(len(vectors), UNKNOWN)
    return ContentSpace.fit(
        vectors,
        unknown if artist is None else np.asarray(artist),
        unknown if genre is None else np.asarray(genre),
        **options,
    )


def tracks(*indices):
    return TrackSeed(np.array(indices, np.int64))


def group(place, size=60):
    return TrackSeed(np.arange(place * size, (place + 1) * size))


def test_rows_have_length_one_and_at_most_the_dimensions_asked_for():
    space = fit(library(), dimensions=16)
    assert space.vectors.shape == (240, 16)
    assert space.vectors.dtype == np.float32
    assert np.linalg.norm(space.vectors, axis=1) == pytest.approx(np.ones(240), abs=1e-5)


def test_the_projection_is_standardising_and_principal_components():
    vectors = library().astype(np.float64)
    standardised = (vectors - vectors.mean(axis=0)) / vectors.std(axis=0)
    _, _, axes = np.linalg.svd(standardised, full_matrices=False)
    slow = standardised @ axes[:10].T
    slow /= np.linalg.norm(slow, axis=1, keepdims=True)
    space = fit(library(), dimensions=10)
    assert space.vectors @ space.vectors.T == pytest.approx(slow @ slow.T, abs=1e-3)


def test_with_all_dimensions_kept_cosines_are_those_of_the_standardised_vectors():
    vectors = library().astype(np.float64)
    standardised = (vectors - vectors.mean(axis=0)) / vectors.std(axis=0)
    standardised /= np.linalg.norm(standardised, axis=1, keepdims=True)
    space = fit(library(), dimensions=64)
    assert space.vectors @ space.vectors.T == pytest.approx(standardised @ standardised.T, abs=1e-3)


def test_the_projection_puts_a_later_track_where_the_fit_would_have():
    vectors = library()
    space = fit(vectors)
    assert space.projection(vectors[17:20]) == pytest.approx(space.vectors[17:20], abs=1e-5)


def test_a_library_larger_than_a_batch_is_fitted_like_a_small_one():
    vectors = np.tile(library(), (36, 1))  # 8,640 rows
    small, large = fit(library()), fit(vectors)
    assert large.vectors[:240] @ large.vectors[:240].T == pytest.approx(small.vectors @ small.vectors.T, abs=1e-2)


def test_a_constant_dimension_says_nothing():
    vectors = library()
    vectors[:, 3] = 1234.567
    space = fit(vectors)
    without = fit(np.delete(vectors, 3, axis=1))
    assert space.vectors @ space.vectors.T == pytest.approx(without.vectors @ without.vectors.T, abs=1e-3)


def test_a_track_without_a_vector_is_stood_in_for_by_artist_then_genre_then_nothing():
    vectors = library()
    vectors[[0, 70, 130]] = np.nan
    vectors[200, 5] = np.inf
    artist, genre = np.full(240, UNKNOWN), np.repeat([0, 1, 2, UNKNOWN], 60)
    artist[[0, 1, 2]] = 9
    artist[130] = 8  # nobody else by this artist, so its genre stands in
    space = fit(vectors, artist, genre)
    assert space.source[[0, 70, 130, 200, 5]].tolist() == [
        VectorSource.ARTIST,
        VectorSource.GENRE,
        VectorSource.GENRE,
        VectorSource.LIBRARY,
        VectorSource.OWN,
    ]
    by_artist = space.vectors[[1, 2]].mean(axis=0)
    by_genre = np.delete(space.vectors[60:120], 10, axis=0).mean(axis=0)
    assert space.vectors[0] == pytest.approx(by_artist / np.linalg.norm(by_artist), abs=1e-5)
    assert space.vectors[70] == pytest.approx(by_genre / np.linalg.norm(by_genre), abs=1e-5)
    assert not space.vectors[200].any()


def test_a_stand_in_does_not_stand_in_for_others():
    vectors = library()
    vectors[:2] = np.nan
    artist, genre = np.full(240, UNKNOWN), np.full(240, UNKNOWN)
    artist[[0, 5]] = 1
    genre[[0, 1]] = 1  # the only other track of this genre has no vector of its own
    assert fit(vectors, artist, genre).source[:2].tolist() == [VectorSource.ARTIST, VectorSource.LIBRARY]


@pytest.mark.parametrize("count", [0, 1, 2, 3])
@pytest.mark.parametrize("lacking", [0, 1, 3])
def test_tiny_libraries_have_finite_spaces_and_similarities(count, lacking):
    vectors = np.random.default_rng(count).standard_normal((count, 12)).astype(np.float32)
    vectors[:lacking] = np.nan
    space = fit(vectors, np.zeros(count, np.int64))
    seeds = [LibrarySeed(), TagSeed(np.full(count, 0.5, np.float32))]
    seeds += [tracks(*range(count)), tracks(count - 1)] if count else []
    for chosen in (seeds, seeds[-1:], []):
        similarity = seed_similarity(space, chosen)
        assert similarity.shape == (count,)
        assert np.isfinite(similarity).all()


def test_of_two_tracks_the_seed_itself_is_the_closer_one():
    space = fit(library()[[0, 100]])
    assert seed_similarity(space, [tracks(0)]).tolist() == pytest.approx([1, -1])


def test_identical_vectors_prefer_nothing():
    similarity = seed_similarity(fit(np.ones((5, 8), np.float32)), [tracks(0, 1, 2, 3, 4)])
    assert similarity.tolist() == [0, 0, 0, 0, 0]


def test_a_station_of_one_track_is_close_to_its_own_kind():
    space = fit(library())
    similarity = seed_similarity(space, [tracks(130)])
    best = np.argsort(-similarity)[:40]
    assert best[0] == 130
    assert np.isin(best, np.arange(120, 180)).mean() > 0.9


def test_a_station_of_two_genres_plays_both_even_when_one_is_tight_and_one_is_broad():
    space = fit(library(spreads=(0.3, 2.5, 1.0, 1.0)))
    best = np.argsort(-seed_similarity(space, [group(0), group(1)]))[:40]
    assert (best < 60).sum() >= 10
    assert ((best >= 60) & (best < 120)).sum() >= 10


def test_one_seed_with_two_sides_is_close_to_both_and_not_to_their_middle():
    rng = np.random.default_rng(2)
    one, other = np.zeros(20), np.zeros(20)
    one[0], other[1] = 5.0, 5.0
    middle = (one + other) / 2
    rows = np.concatenate([centre + 0.5 * rng.standard_normal((30, 20)) for centre in (one, other, middle)])
    space = fit(rows.astype(np.float32))
    similarity = seed_similarity(space, [TrackSeed(np.arange(60))])
    assert similarity[:30].mean() > similarity[60:].mean() + 0.5
    assert similarity[30:60].mean() > similarity[60:].mean() + 0.5


def test_a_seed_of_many_tracks_treats_sampled_and_unsampled_members_alike():
    space = fit(library(sizes=(400, 400), spreads=(1, 1)))
    column = seed_columns(space, [TrackSeed(np.arange(400))])[0]
    assert column[:400].min() > column[400:].max()
    assert column[:400].std() < 0.2
    assert MAX_PROTOTYPES < 400


def test_closeness_is_the_mean_of_the_nearest_members_with_oneself_among_them():
    space = fit(library())
    members = np.arange(10)
    cosines = space.vectors @ space.vectors[members].T
    slow = np.sort(cosines, axis=1)[:, -NEAREST:].mean(axis=1)
    column = seed_columns(space, [TrackSeed(members)])[0]
    slope, intercept = np.polyfit(slow, column, 1)
    assert column == pytest.approx(slope * slow + intercept, abs=1e-4)


def test_the_library_as_a_seed_prefers_nothing():
    assert not seed_similarity(fit(library()), [LibrarySeed()]).any()
    assert not seed_similarity(fit(library()), []).any()


def test_a_tag_seed_orders_tracks_by_the_tags_probability():
    probabilities = np.random.default_rng(0).random(240).astype(np.float32)
    similarity = seed_similarity(fit(library()), [TagSeed(probabilities)])
    assert np.argsort(similarity).tolist() == np.argsort(probabilities).tolist()


def test_tracks_of_which_a_tag_is_unknown_lie_between():
    probabilities = np.linspace(0.01, 0.9, 240).astype(np.float32)
    probabilities[[10, 200]] = np.nan
    similarity = seed_similarity(fit(library()), [TagSeed(probabilities)])
    assert similarity.min() < similarity[10] == similarity[200] < similarity.max()


def test_a_tag_and_a_track_as_seeds_are_both_heard():
    probabilities = np.full(240, 0.05, np.float32)
    probabilities[180:] = np.linspace(0.3, 0.9, 60)
    best = np.argsort(-seed_similarity(fit(library()), [tracks(10), TagSeed(probabilities)]))[:30]
    assert (best < 60).any()
    assert (best >= 180).any()


@given(st.integers(0, 1000), st.integers(2, 40))
@settings(max_examples=60, deadline=None)
def test_one_unit_is_one_standard_deviation_of_the_library(seed, count):
    rng = np.random.default_rng(seed)
    space = fit(rng.standard_normal((count, 6)).astype(np.float32))
    similarity = seed_similarity(space, [TrackSeed(rng.integers(0, count, 3))]).astype(np.float64)
    assert similarity.mean() == pytest.approx(0, abs=1e-5)
    assert similarity.std() == pytest.approx(1, abs=1e-4) or not similarity.any()


def test_the_same_seeds_give_the_same_similarity_again():
    space = fit(library(sizes=(400, 400), spreads=(1, 1)))
    seeds = [TrackSeed(np.arange(300)), tracks(700)]
    assert seed_similarity(space, seeds).tolist() == seed_similarity(space, seeds).tolist()


def test_seeds_and_codes_that_do_not_fit_are_named():
    space = fit(library())
    with pytest.raises(ValueError, match="track indices in 0…239"):
        seed_similarity(space, [tracks(240)])
    with pytest.raises(ValueError, match="must have 240 probabilities, not 3"):
        seed_similarity(space, [TagSeed(np.zeros(3, np.float32))])
    with pytest.raises(ValueError, match="must have 240 rows"):
        ContentSpace.fit(library(), np.zeros(3, np.int64), np.zeros(240, np.int64))
