import math
from dataclasses import replace

import numpy as np
import pytest

from recommender.ranking.gumbel import gumbel
from recommender.ranking.rank import KEPT_UTILITIES, Move, Placer, Request, Settings, TrackTable, commit, moves, rank
from recommender.ranking.rules import RuleName, Spacing, standing_rules
from recommender.ranking.variety import RIDGE, Mix, Variety, aspect_of_likes

FREE = Spacing(artist=0, track=0, album=0)


def library(count=60, dimensions=8, artists=20, seed=0):
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((count, dimensions)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    artist = rng.integers(0, artists, count)
    return TrackTable(rng.permutation(10 * count)[:count], vectors, artist, artist * 2 + rng.integers(0, 2, count))


def ask(catalogue, seed=0, **options):
    scores = np.random.default_rng(seed + 100).standard_normal(len(catalogue))
    return Request(**{"scores": scores, "candidates": np.ones(len(catalogue), np.bool_), "places": 12} | options)


def mixed(seed, count=60):
    """What 30 likes want of five genres and three eras; genres of some tracks are not known."""
    rng = np.random.default_rng(seed + 200)
    liked, weights = rng.integers(0, count, 30), rng.random(30)
    return Mix(tuple(aspect_of_likes(rng.integers(-1, kinds, count), liked, weights) for kinds in (5, 3)))


def slow_variety(catalogue, request, track, window):
    """The definition, from determinants for the DPP."""
    if not window or request.settings.variety is Variety.NONE:
        return 0.0
    cosines = [float(catalogue.vectors[track] @ catalogue.vectors[other]) for other in window]
    if request.settings.variety is Variety.MMR:
        return 1 - max(cosines)

    def log_gain(tracks_before, new):
        rows = np.array([*tracks_before, new], np.float64)
        kernel = (1 + rows @ rows.T) / 2
        np.fill_diagonal(kernel, 1 + RIDGE)
        return np.linalg.slogdet(kernel)[1] - np.linalg.slogdet(kernel[:-1, :-1])[1]

    copy, right = (log_gain([np.array([1.0, 0.0])], np.array(new)) for new in ([1.0, 0.0], [0.0, 1.0]))
    gain = log_gain(catalogue.vectors[list(window)].astype(np.float64), catalogue.vectors[track].astype(np.float64))
    return (gain - copy) / (right - copy)


def slow_calibration(request, track, before):
    """By how much less KL(p || q~) is with the track than with one of a kind that nobody wants."""

    def divergence(aspect, kinds):
        found = 0.0
        for kind, share in enumerate(aspect.wanted):
            smoothed = 0.99 * kinds.count(kind) / len(kinds) + 0.01 * share
            found += share * math.log(share / smoothed) if share > 0 else 0.0
        return found

    gain = 0.0
    for aspect in () if request.mix is None else request.mix.aspects:
        kinds = [int(aspect.codes[other]) for other in before[-20:] if aspect.codes[other] >= 0]
        nobodys = len(aspect.wanted)
        of_kind = [
            aspect.evidence * (divergence(aspect, [*kinds, nobodys]) - divergence(aspect, [*kinds, kind]))
            for kind in range(len(aspect.wanted))
        ]
        code = int(aspect.codes[track])
        gain += of_kind[code] if code >= 0 else float(aspect.wanted @ of_kind)
    return gain


def slow_utilities(catalogue, request, before):
    """The definition, track by track."""
    settings = request.settings
    window = before[-settings.window :] if settings.window else []
    found = []
    for track in range(len(catalogue)):
        utility = float(request.scores[track])
        utility += settings.diversity * slow_variety(catalogue, request, track, list(dict.fromkeys(window)))
        utility += settings.calibration * slow_calibration(request, track, before)
        for since, other in enumerate(reversed(window)):
            fade = 1 - since / settings.window
            for codes, penalty in (
                (catalogue.artist, settings.artist_penalty),
                (catalogue.album, settings.album_penalty),
            ):
                if codes[track] >= 0 and codes[track] == codes[other]:
                    utility -= penalty * fade
        found.append(utility)
    return found


def slow_eligible(catalogue, request, queued):
    """The hard rules in full strength."""
    before = [*request.recent, *queued]
    blocked = set(queued)
    for rule in request.rules:
        blocked |= set(np.flatnonzero(rule.blocks).tolist())
    gap = min(request.settings.spacing.track, (len(catalogue) - len(blocked - set(queued))) // 2)
    blocked |= set(before[-gap:]) if gap else set()
    spacing = request.settings.spacing
    artists = {int(catalogue.artist[track]) for track in last(before, spacing.artist)} - {-1}
    albums = {int(catalogue.album[track]) for track in last(before, spacing.album)} - {-1}
    return [
        track
        for track in range(len(catalogue))
        if track not in blocked and catalogue.artist[track] not in artists and catalogue.album[track] not in albums
    ]


def last(places, count):
    return places[-count:] if count else []


def slow_rank(catalogue, request):
    """(track, propensity) place by place."""
    queued, propensities = [], []
    temperature = request.settings.temperature
    for place in range(request.places):
        utilities = slow_utilities(catalogue, request, [*request.recent, *queued])
        eligible = slow_eligible(catalogue, request, queued)
        noise = gumbel(request.noise_seed, request.first_slot + place, catalogue.ids)
        track = max(eligible, key=lambda t: utilities[t] / temperature + noise[t])
        total = sum(math.exp(utilities[t] / temperature) for t in eligible)
        propensities.append(math.exp(utilities[track] / temperature) / total)
        queued.append(track)
    return queued, propensities


@pytest.mark.slow
@pytest.mark.parametrize("variety", Variety)
@pytest.mark.parametrize("seed", range(4))
def test_rank_does_what_its_definition_says_track_by_track(seed, variety):
    catalogue = library(seed=seed)
    unknown = np.where(np.arange(60) % 7 == 0, -1, catalogue.album)
    catalogue = replace(catalogue, album=unknown)
    rules = standing_rules(*(np.random.default_rng(seed).random((3, 60)) < 0.05))
    request = ask(
        catalogue, seed, rules=rules, recent=(3, 1, 4, 1, 5, 9, 2, 6), first_slot=40, noise_seed=seed,
        settings=Settings(window=5, variety=variety, spacing=Spacing(artist=2, track=20, album=3)), mix=mixed(seed),
    )  # fmt: skip
    tracks, propensities = slow_rank(catalogue, request)
    ranking = rank(catalogue, request, commit_first=12)
    assert list(ranking.tracks) == tracks
    assert [row.propensity for row in ranking.rows] == pytest.approx(propensities, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("variety", Variety)
@pytest.mark.parametrize(("spread", "temperature"), [(0.0, 2.0), (0.01, 0.05), (1.0, 0.05), (3.0, 0.3), (3.0, 2.0)])
def test_skipping_tracks_that_cannot_win_loses_no_winner(variety, spread, temperature):
    catalogue = library(count=4000, artists=400)
    for seed in range(4):
        request = ask(
            catalogue, scores=spread * np.random.default_rng(seed).standard_normal(4000), recent=(1, 2, 3), noise_seed=seed,
            settings=Settings(temperature=temperature, diversity=1.5, variety=variety), mix=mixed(seed, 4000),
        )  # fmt: skip
        placer = Placer(catalogue, request)
        for slot in range(10):
            keys = placer.view().utilities / temperature + gumbel(seed, slot, catalogue.ids)
            row = placer.peek()
            assert row.track == np.argmax(keys)
            placer.place(row.track)


def test_two_placers_over_one_queue_never_give_a_track_twice_and_know_their_propensities():
    catalogue = library()
    arms = [Placer(catalogue, ask(catalogue, seed)) for seed in (0, 1)]
    for turn in range(12):
        arm, other = arms[turn % 2], arms[1 - turn % 2]
        row = arm.peek()
        alone = Placer(catalogue, ask(catalogue, turn % 2), queued=arm.queued)
        assert arm.commitment(row).propensity == pytest.approx(alone.commitment(alone.peek()).propensity, rel=1e-4)
        arm.place(row.track)
        other.place(row.track)
    assert arms[0].queued == arms[1].queued
    assert len(set(arms[0].queued)) == 12


def test_two_rankings_without_an_event_agree():
    catalogue = library()
    request = ask(catalogue, recent=(1, 2, 3))
    assert rank(catalogue, request).rows == rank(catalogue, request).rows


def test_playing_the_first_track_leaves_the_rest_of_the_queue_in_place():
    catalogue = library(count=300, artists=100)
    request = ask(catalogue, recent=(7, 8), places=10)
    queue = rank(catalogue, request).tracks
    played = replace(request, recent=(7, 8, queue[0]), first_slot=1)
    assert rank(catalogue, played).tracks[:9] == queue[1:]


def test_an_event_that_changes_no_score_moves_nothing():
    catalogue = library()
    request = ask(catalogue)
    queue = rank(catalogue, request).tracks
    again = replace(request, scores=request.scores.copy(), rules=standing_rules(*np.zeros((3, 60), np.bool_)))
    assert rank(catalogue, again).tracks == queue


def test_a_new_track_that_scores_low_does_not_reshuffle_the_queue():
    catalogue = library()
    request = ask(catalogue)
    grown = TrackTable(
        np.append(catalogue.ids, 99_999),
        np.concatenate([catalogue.vectors, catalogue.vectors[:1]]),
        np.append(catalogue.artist, 500),
        np.append(catalogue.album, 500),
    )
    asked = replace(request, scores=np.append(request.scores, -50.0), candidates=np.ones(61, np.bool_))
    assert rank(grown, asked).tracks == rank(catalogue, request).tracks


def test_thumbing_a_track_down_takes_it_off_and_closes_the_gap_only_behind_it():
    catalogue = library(count=200)
    request = ask(catalogue)
    queue = rank(catalogue, request).tracks
    down = np.arange(200) == queue[6]
    none = np.zeros(200, np.bool_)
    after = rank(catalogue, replace(request, rules=standing_rules(none, down, none))).tracks
    assert after[:6] == queue[:6]
    assert queue[6] not in after


def test_a_pinned_track_need_not_be_a_candidate():
    catalogue = library()
    candidates = np.arange(60) < 30
    tracks = rank(catalogue, ask(catalogue, candidates=candidates, pinned=(40,))).tracks
    assert tracks[0] == 40
    assert max(tracks[1:]) < 30


def test_pinned_tracks_keep_the_first_places_and_have_no_propensity():
    catalogue = library()
    ranking = rank(catalogue, ask(catalogue, pinned=(30, 31)), commit_first=2)
    assert ranking.tracks[:2] == (30, 31)
    assert [row.pinned for row in ranking.rows[:4]] == [True, True, False, False]
    assert [row.propensity is None for row in ranking.rows[:5]] == [True, True, False, False, True]
    with pytest.raises(ValueError, match="place 1 is pinned"):
        commit(catalogue, ask(catalogue, pinned=(30, 31)), ranking, 0)


def test_pinning_what_was_chosen_anyway_changes_nothing():
    catalogue = library()
    request = ask(catalogue)
    queue = rank(catalogue, request).tracks
    assert rank(catalogue, replace(request, pinned=queue[:1])).tracks == queue


def test_a_pinned_track_that_was_ruled_out_since_or_pinned_twice_is_dropped():
    catalogue = library()
    none = np.zeros(60, np.bool_)
    rules = standing_rules(none, np.arange(60) == 30, np.arange(60) == 32)
    tracks = rank(catalogue, ask(catalogue, pinned=(30, 31, 31, 32), rules=rules)).tracks
    assert tracks[0] == 31
    assert not {30, 32} & set(tracks)
    assert len(set(tracks)) == len(tracks)


def test_committing_later_gives_what_committing_at_once_gave():
    catalogue = library()
    request = ask(catalogue, recent=(5, 6, 7), pinned=(9,))
    at_once = rank(catalogue, request, commit_first=11)
    later = rank(catalogue, request)
    for place in range(1, 12):
        one, other = at_once.rows[place].commitment, commit(catalogue, request, later, place)
        assert one.propensity == pytest.approx(other.propensity, rel=1e-4)
        assert one.log_partition == pytest.approx(other.log_partition, abs=1e-4)
        assert (one.slot, one.rank, one.track, one.eligible_count) == (
            other.slot,
            other.rank,
            other.track,
            other.eligible_count,
        )


def test_a_commitment_holds_the_softmax_that_its_propensity_comes_from():
    catalogue = library()
    entry = rank(catalogue, ask(catalogue, recent=(1, 2)), commit_first=1).rows[0].commitment
    scaled = entry.utilities.astype(np.float64) / entry.temperature
    assert len(entry.tracks) == entry.eligible_count
    assert np.exp(scaled - entry.log_partition).sum() == pytest.approx(1, abs=1e-4)
    place = entry.tracks.tolist().index(entry.track)
    assert np.exp(scaled[place] - entry.log_partition) == pytest.approx(entry.propensity, rel=1e-4)
    assert (np.diff(entry.utilities) <= 0).all()


def test_a_large_eligible_set_keeps_only_its_best_utilities():
    catalogue = library(count=5000)
    request = ask(catalogue, settings=Settings(spacing=FREE))
    entry = rank(catalogue, request, commit_first=1).rows[0].commitment
    assert entry.eligible_count == 5000
    assert entry.tracks.tolist() == np.argsort(-request.scores)[:KEPT_UTILITIES].tolist()


def test_almost_without_temperature_and_diversity_the_queue_is_the_order_of_scores():
    catalogue = library()
    plain = Settings(temperature=1e-6, diversity=0, artist_penalty=0, album_penalty=0, spacing=FREE)
    request = ask(catalogue, settings=plain)
    ranking = rank(catalogue, request, commit_first=12)
    assert ranking.tracks == tuple(np.argsort(-request.scores)[:12].tolist())
    assert all(row.propensity == pytest.approx(1) for row in ranking.rows)
    assert all(row.given_up == 0 and row.utility_rank == 1 for row in ranking.rows)


def test_more_diversity_puts_tracks_further_apart_in_the_queue():
    catalogue = library(count=400)
    apart = []
    for diversity in (0.0, 1.0, 4.0):
        request = ask(catalogue, settings=Settings(temperature=0.05, diversity=diversity, spacing=FREE))
        vectors = catalogue.vectors[list(rank(catalogue, request).tracks)]
        apart.append(1 - np.mean((vectors @ vectors.T)[np.triu_indices(12, 1)]))
    assert apart[0] < apart[1] < apart[2]


def test_the_diversity_lead_is_how_much_variety_speaks_for_a_track_against_the_average():
    catalogue = library()
    request = ask(catalogue, recent=(3,), settings=Settings(spacing=FREE, artist_penalty=0, album_penalty=0))
    row = rank(catalogue, request).rows[0]
    gains = 0.75 * (1 - catalogue.vectors @ catalogue.vectors[3])
    assert row.eligible_count == 60  # a track gap of 0 keeps nothing out, not even the one just heard
    assert row.diversity_lead == pytest.approx(gains[row.track] - gains.mean(), abs=1e-5)


def test_a_small_station_queues_each_track_once_and_says_why_it_stops():
    catalogue = library(count=3)
    ranking = rank(catalogue, ask(catalogue))
    assert sorted(ranking.tracks) == [0, 1, 2]
    assert ranking.shortfall == "Nothing more to queue: of 3 tracks, 3 queued."


def test_a_station_of_one_track_plays_it_again():
    catalogue = library(count=1)
    assert rank(catalogue, ask(catalogue, recent=(0, 0, 0))).tracks == (0,)


def test_a_full_queue_has_no_shortfall():
    catalogue = library()
    assert rank(catalogue, ask(catalogue)).shortfall is None


def test_rules_that_gave_way_are_reported():
    catalogue = replace(library(), artist=np.zeros(60, np.int64))
    assert rank(catalogue, ask(catalogue)).relaxed == (RuleName.ALBUM_SPACING, RuleName.ARTIST_SPACING)


def test_an_empty_catalogue_gives_an_empty_queue_with_a_reason():
    empty = TrackTable(
        np.empty(0, np.int64), np.empty((0, 8), np.float32), np.empty(0, np.int64), np.empty(0, np.int64)
    )
    ranking = rank(empty, ask(empty))
    assert ranking.tracks == ()
    assert ranking.shortfall == "This station has no tracks to choose from."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": np.zeros(3)}, "must have 60 rows"),
        ({"scores": np.full(60, np.nan)}, "scores must be finite"),
        ({"recent": (60,)}, "track indices in 0…59"),
        ({"recent": (61,)}, "track indices in 0…59"),
        ({"mix": Mix((aspect_of_likes(np.zeros(59, np.int64), np.array([0]), np.ones(1)),))}, "has 59 rows"),
        ({"pinned": (-1,)}, "track indices in 0…59"),
        ({"rules": standing_rules(*np.zeros((3, 5), np.bool_))}, "“never” has 5 rows"),
    ],
)
def test_arguments_that_do_not_fit_are_named(change, message):
    catalogue = library()
    with pytest.raises(ValueError, match=message):
        rank(catalogue, replace(ask(catalogue), **change))


def test_a_temperature_of_zero_and_a_lone_column_are_refused():
    with pytest.raises(ValueError, match="temperature must be above 0"):
        Settings(temperature=0)
    with pytest.raises(ValueError, match="album has 1 rows, ids has 2"):
        TrackTable(np.arange(2), np.zeros((2, 2), np.float32), np.arange(2), np.arange(1))


def test_rows_say_how_far_they_moved():
    found = moves([1, 2, 3, 4], [3, 1, 2, 9])
    assert found == [Move(3, 2), Move(1, -1), Move(2, -1), Move(9, 0, new=True)]
    assert [move.label for move in found] == ["▲2", "▼1", "▼1", "●new"]


def test_a_row_that_stayed_says_nothing():
    assert [move.label for move in moves([5, 6], [5, 6])] == ["", ""]


def test_an_empty_queue_has_no_moves():
    assert moves([1, 2], []) == []
