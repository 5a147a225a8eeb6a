import numpy as np
import pytest

from recommender.ranking.rules import Gate, Rule, RuleName, Spacing, open_tracks, relaxed_sentence, standing_rules

TRACKS = 10


def mask(*tracks):
    blocked = np.zeros(TRACKS, np.bool_)
    blocked[list(tracks)] = True
    return blocked


def gate(never=(), down=(), resting=(), artist=None, spacing=None, candidates=None, guests=None):
    return Gate(
        np.ones(TRACKS, np.bool_) if candidates is None else candidates,
        standing_rules(mask(*never), mask(*down), mask(*resting)),
        np.arange(TRACKS) if artist is None else np.asarray(artist),
        spacing or Spacing(artist=0, track=0),
        guests=guests or {},
    )


def eligible(built, heard=(), queued=()):
    found = built.eligible(heard, queued)
    return set(np.flatnonzero(found.mask).tolist()), found.relaxed


def test_every_standing_rule_keeps_its_tracks_out():
    assert eligible(gate(never=[0], down=[1], resting=[2]))[0] == set(range(3, 10))


def test_open_tracks_are_the_candidates_that_no_standing_rule_keeps_out():
    rules = standing_rules(mask(0), mask(1), mask(2))
    assert np.flatnonzero(open_tracks(mask(0, 1, 2, 3, 4), rules)).tolist() == [3, 4]


def test_queued_tracks_are_not_eligible_again():
    assert eligible(gate(), queued=[4, 5])[0] == set(range(10)) - {4, 5}


def test_an_artist_is_not_heard_again_within_the_spacing():
    built = gate(artist=[0, 0, 1, 1, 2, 2, 3, 3, 4, 4], spacing=Spacing(artist=2, track=0))
    assert eligible(built, heard=[0, 2], queued=[4])[0] == {0, 1, 6, 7, 8, 9}


def test_everyone_who_sings_on_a_track_is_spaced():
    built = gate(artist=range(10), guests={0: (5, 11), 7: (11,)}, spacing=Spacing(artist=1, track=0))
    assert eligible(built, heard=[0])[0] == {1, 2, 3, 4, 6, 8, 9}
    assert eligible(built, heard=[5])[0] == {1, 2, 3, 4, 6, 7, 8, 9}


def test_unknown_artists_are_not_spaced():
    built = gate(artist=[-1] * TRACKS, spacing=Spacing(artist=3, track=0))
    assert eligible(built, heard=[0, 1])[0] == set(range(10))


def test_recent_tracks_are_kept_out_but_at_most_half_of_those_open():
    built = gate(spacing=Spacing(artist=0, track=100))
    assert eligible(built, heard=[0, 1, 2, 3, 4, 5, 6, 7, 8, 9])[0] == {0, 1, 2, 3, 4}


def test_artist_spacing_shrinks_before_it_falls():
    built = gate(
        artist=[0, 0, 1, 1, 1, 1, 1, 1, 1, 1],
        spacing=Spacing(artist=3, track=0),
        candidates=mask(0, 1, 2, 3),
    )
    tracks, relaxed = eligible(built, heard=[0, 2])
    assert tracks == {0, 1}
    assert relaxed == (RuleName.ARTIST_SPACING,)


def test_the_track_gap_leaves_something_however_small_the_station():
    for count in range(1, 6):
        built = gate(spacing=Spacing(artist=1, track=100), candidates=mask(*range(count)))
        for queued in range(count):
            heard = [track % count for track in range(7)]
            tracks, _ = eligible(built, heard, list(range(queued)))
            assert tracks
            assert tracks <= set(range(queued, count))


def test_of_two_tracks_the_one_just_heard_waits():
    built = gate(spacing=Spacing(artist=0, track=100), candidates=mask(0, 1))
    assert eligible(built, heard=[1, 0]) == ({1}, ())


def test_versions_of_what_was_heard_wait_with_it_unless_they_are_all_that_is_left():
    def built(candidates, gap):
        return Gate(candidates, (), np.arange(TRACKS), Spacing(artist=0, track=gap), versions={0: (1, 2)})

    everything = np.ones(TRACKS, np.bool_)
    assert eligible(built(everything, 100), heard=[0])[0] == set(range(3, 10))
    assert eligible(built(everything, 1), heard=[0, 5])[0] == set(range(10)) - {5}, "beyond the gap they come back"
    assert eligible(built(mask(0, 1), 100), heard=[0])[0] == {1}


def test_a_track_is_admitted_that_no_standing_rule_keeps_out_whatever_the_station_holds():
    built = gate(never=[0], resting=[1], candidates=mask(3))
    assert [built.admits(track) for track in range(3)] == [False, False, True]


def test_only_what_no_lasting_rule_keeps_out_is_ever_open():
    assert np.flatnonzero(gate(never=[0], down=[1], resting=[2]).ever_open).tolist() == list(range(2, 10))


def test_a_resting_track_comes_back_only_when_the_queue_would_be_empty():
    built = gate(resting=[3], candidates=mask(3))
    assert eligible(built) == ({3}, (RuleName.RESTING,))
    both = gate(resting=[3], candidates=mask(2, 3))
    assert eligible(both, queued=[2]) == (set(), ())


def test_never_and_thumbed_down_hold_when_nothing_else_is_left():
    assert eligible(gate(never=[0], down=[1], resting=[0], candidates=mask(0, 1))) == (set(), ())


def test_relaxable_rules_give_way_one_by_one_in_their_order():
    rules = (Rule(RuleName.RESTING, mask(0), relaxable=True), Rule(RuleName.NEVER, mask(1), relaxable=True))
    built = Gate(mask(0, 1), rules, np.arange(TRACKS), Spacing(0, 0))
    assert eligible(built) == ({0}, (RuleName.RESTING,))


def test_the_shortfall_counts_each_track_under_one_rule():
    built = gate(never=[0, 1], down=[1, 2], candidates=mask(0, 1, 2, 3))
    assert built.shortfall([3]) == "Nothing more to queue: of 4 tracks, 1 queued, 2 never, 1 thumbed down here."
    apart = gate(never=[0], down=[1], candidates=mask(0, 1))
    assert apart.shortfall([]) == "Nothing more to queue: of 2 tracks, 1 never, 1 thumbed down here."
    assert built.shortfall([0]) == "Nothing more to queue: of 4 tracks, 1 queued, 1 never, 1 thumbed down here."


def test_a_station_without_tracks_says_so():
    assert gate(candidates=mask()).shortfall([]) == "This station has no tracks to choose from."


def test_an_album_is_not_heard_again_within_the_spacing():
    albums = np.array([0, 0, 1, 1, 2, 2, 3, 3, -1, -1])
    built = Gate(np.ones(TRACKS, np.bool_), (), np.full(TRACKS, -1), Spacing(artist=0, track=0, album=2), albums)
    assert eligible(built, heard=[0, 8, 2])[0] == {0, 1, 4, 5, 6, 7, 8, 9}


def test_album_spacing_gives_way_before_artist_spacing():
    albums, artists = np.zeros(TRACKS, np.int64), np.array([0, 1] * 5)
    built = Gate(np.ones(TRACKS, np.bool_), (), artists, Spacing(artist=1, track=0, album=3), albums)
    assert eligible(built, heard=[0]) == ({1, 3, 5, 7, 9}, (RuleName.ALBUM_SPACING,))
    one_artist = Gate(np.ones(TRACKS, np.bool_), (), albums, Spacing(artist=1, track=0, album=3), albums)
    assert eligible(one_artist, heard=[0]) == (set(range(10)), (RuleName.ALBUM_SPACING, RuleName.ARTIST_SPACING))


@pytest.mark.parametrize(
    ("relaxed", "tracks", "sentence"),
    [
        ((), 3, ""),
        ((RuleName.ARTIST_SPACING,), 3, "Only 3 tracks can play here now: artists may follow each other."),
        ((RuleName.ALBUM_SPACING,), 9, "Only 9 tracks can play here now: albums may follow themselves."),
        ((RuleName.RESTING,), 1, "Only 1 track can play here now: resting tracks come back."),
        ((RuleName.RESTING,), 0, "Nothing else is left: resting tracks come back."),
        (
            (RuleName.ALBUM_SPACING, RuleName.ARTIST_SPACING, RuleName.RESTING),
            300,
            "Too little to choose from here: artists may follow each other and resting tracks come back.",
        ),
    ],
)
def test_rules_that_gave_way_are_told_in_a_sentence(relaxed, tracks, sentence):
    assert relaxed_sentence(relaxed, tracks) == sentence
