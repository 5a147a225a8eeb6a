"""Why a track stands where it stands: the parts are all there is, and taking one away is what the panel said."""

import time
from dataclasses import replace

import numpy as np
import pytest

from player.config import StationSettings
from player.errors import PlayerError
from player.feedback.event_history import load_history
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.feedback.labels import NOTHING_SAID
from player.stations.collection import load_collection
from player.stations.reason_keys import NOT_MUTABLE, check_less, parse_reason, seeds_left
from player.stations.seeds import Seed
from player.stations.station_queue import Listening, rank_station
from player.stations.station_scoring import StationScorer
from player.stations.stations import Stations
from player.stations.why import terms, why
from recommender.ranking.explain import ScorePart
from recommender.ranking.rank import Placer, commit

PLACES = 10


class Ranked:
    """A station of the demo library, ranked after what was told."""

    def __init__(self, home, station, settings=None, **more):
        self.collection = load_collection(home.database)
        self.history = load_history(home.database, self.collection.rows)
        self.scorer = StationScorer(self.collection, Stations(home.database).all(), station, None)
        self.now = time.time()
        listening = Listening(self.history.state, self.history.labels, self.now, **more)
        self.queue = rank_station(self.scorer, listening, settings or StationSettings(), PLACES)

    def why(self, row, **more):
        return why(self.queue, self.scorer, self.history.state, row, self.now, **more)

    @property
    def first(self):
        return self.queue.track_rows[0]

    def row(self, track_id):
        return self.collection.index[track_id]


@pytest.fixture
def told(demo):
    """A station of two seeds, and some thumbs, finishes and skips on it."""
    ids = demo.track_ids
    station = demo.station("Evening", f"track:{ids[0]}", f"track:{ids[9]}")
    log = EventStore(demo.database, "tui")
    kinds = ("up", "finish", "skip", "up", "down", "skip", "replay", "finish", "up")
    log.append_all(
        [
            NewEvent(kind, ids[2 * place + 1], station.id, position=4.0, action="next")
            for place, kind in enumerate(kinds)
        ]
    )
    return demo, station


def less(home, station, reason, track=None):
    EventStore(home.database, "tui").append(NewEvent("less", track or home.track_ids[0], station.id, note=reason))


def test_the_parts_sum_to_the_utility_and_their_leads_to_what_it_is_above_the_mean(told):
    ranked = Ranked(*told)
    for place, row in enumerate(ranked.queue.ranking.rows):
        said = ranked.why(row.track)
        assert said.place == place + 1
        assert sum(part.logits for part in said.parts) == pytest.approx(row.utility, abs=1e-6)
        assert sum(part.lead for part in said.parts) == pytest.approx(said.lead, abs=1e-6)
        assert (said.rank, said.eligible) == (row.utility_rank, row.eligible_count)
        assert said.given_up == pytest.approx(row.given_up, abs=1e-6)


def test_what_was_told_of_each_track_sums_to_the_part_what_you_told(told):
    ranked = Ranked(*told)
    for row in ranked.queue.track_rows:
        said = ranked.why(row)
        part = next(part for part in said.parts if part.part is ScorePart.HEAD)
        assert abs(part.lead) > 1e-3
        named = sum(label.lead for label in said.labels) + said.other_lead
        assert named == pytest.approx(part.lead, abs=1e-5)
        sizes = [abs(label.lead) for label in said.labels]
        assert sizes == sorted(sizes, reverse=True)
        assert len(said.labels) + said.other_labels == 9


def test_the_propensity_is_the_one_that_is_logged(told):
    ranked = Ranked(*told)
    for place, row in enumerate(ranked.queue.track_rows):
        logged = commit(ranked.collection.catalogue, ranked.queue.request, ranked.queue.ranking, place)
        assert ranked.why(row).propensity == pytest.approx(logged.propensity, rel=1e-6)


def test_the_rank_without_a_part_is_what_sorting_without_it_gives(told):
    ranked = Ranked(*told)
    catalogue, request = ranked.collection.catalogue, ranked.queue.request
    view = Placer(catalogue, request).view()
    made = terms(ranked.queue, view)
    for part in ranked.why(ranked.first).parts:
        rows = [row for name, row in zip(made.parts, made.logits, strict=True) if name is not part.part]
        left = np.sum(rows, axis=0)
        better = sum(1 for track in np.flatnonzero(view.mask) if left[track] > left[ranked.first])
        assert part.rank_without == better + 1


def test_the_rank_without_what_was_told_of_a_track_leaves_just_its_influence_out(told):
    ranked = Ranked(*told)
    said = ranked.why(ranked.first)
    view = Placer(ranked.collection.catalogue, ranked.queue.request).view()
    scores, vectors = ranked.queue.scores, ranked.collection.space.vectors
    for label in said.labels:
        own = ranked.queue.scores.labels.track == ranked.row(label.track_id)
        labels = vectors[scores.labels.track]
        left = np.array(
            [view.utilities[n] - scores.head.influences(labels, vectors[n])[own].sum() for n in range(len(vectors))]
        )
        better = sum(1 for n in np.flatnonzero(view.mask) if left[n] > left[ranked.first] + 1e-6)
        assert label.rank_without == better + 1


def test_without_a_seed_the_station_ranks_as_if_it_had_never_had_it(told):
    home, station = told
    ranked = Ranked(home, station)
    said = ranked.why(ranked.first)
    assert {seed.nearest for seed in said.seeds} == {True, False}
    for seed, kept in zip(said.seeds, reversed(station.seeds), strict=True):
        less_of = home.station(f"Only {kept}", str(kept))
        only = StationScorer(ranked.collection, [*Stations(home.database).all()], less_of, None)
        log_free = only.score(NOTHING_SAID, ranked.now).parts
        seeds = log_free.logits[log_free.parts.index(ScorePart.SEED)]
        made = terms(ranked.queue, Placer(ranked.collection.catalogue, ranked.queue.request).view())
        left = made.utilities - made.logits[made.parts.index(ScorePart.SEED)] + seeds
        assert seed.rank_without == made.rank(left, ranked.first)


def test_a_track_that_may_not_be_played_is_explained_with_the_rule_that_keeps_it_out(told):
    home, station = told
    ranked = Ranked(home, station)
    down = next(event.track_id for event in ranked.history.standing_of("down"))
    said = ranked.why(ranked.row(down))
    assert (said.place, said.propensity, said.blocked) == (None, None, "thumbed down here")
    assert sum(part.logits for part in said.parts) == pytest.approx(said.utility, abs=1e-6)


def test_a_pinned_track_has_no_propensity(told):
    home, station = told
    ranked = Ranked(home, station, pinned=(3,))
    said = ranked.why(3)
    assert (said.place, said.pinned, said.propensity) == (1, True, None)


def test_what_a_mode_adds_is_a_part_of_its_own(told):
    home, station = told
    bonus = np.linspace(0.0, 2.0, len(home.track_ids))
    ranked = Ranked(home, station, bonus=bonus)
    said = ranked.why(ranked.first)
    mode = next(part for part in said.parts if part.part is ScorePart.MODE)
    assert mode.logits == pytest.approx(bonus[ranked.first], abs=1e-6)
    assert sum(part.logits for part in said.parts) == pytest.approx(said.utility, abs=1e-6)


def test_the_dial_is_a_part_of_its_own(told):
    home, station = told
    ranked = Ranked(home, replace(station, dial=90))
    said = ranked.why(ranked.first)
    assert ScorePart.DIAL in {part.part for part in said.parts}
    assert sum(part.logits for part in said.parts) == pytest.approx(said.utility, abs=1e-6)


@pytest.mark.slow
def test_a_library_without_vectors_or_feedback_is_explained_too(tmp_path, songs):
    from tests.support.library import make_library, open_home

    make_library(tmp_path / "bare", [songs], vectors=False)
    home = open_home(tmp_path / "bare")
    try:
        ranked = Ranked(home, home.station())
        said = ranked.why(ranked.first)
        assert said.labels == ()
        assert said.rank == 1
    finally:
        home.close()


# --- less because of this


def test_a_muted_label_is_left_out_of_the_running_update(told):
    home, station = told
    before = Ranked(home, station)
    said = before.why(before.first).labels[0]
    less(home, station, said.key)
    after = Ranked(home, station)
    assert before.row(said.track_id) in before.queue.scores.labels.track
    assert before.row(said.track_id) not in after.queue.scores.labels.track
    assert said.key not in {label.key for label in after.why(before.first).labels}
    other = Ranked(home, home.station("Morning"))
    assert before.row(said.track_id) in other.queue.scores.labels.track, "elsewhere it counts as before"


def test_muting_a_label_is_as_if_it_had_never_been_told(told):
    """Exactly so, but for the fading: a label that was told still makes older ones older."""
    home, station = told
    last = Ranked(home, station).history.labels[0].event
    less(home, station, f"label:{last.track_id}")
    muted = Ranked(home, station).queue.scores.total
    EventStore(home.database, "tui").append(NewEvent("undo", last.track_id, station.id, undoes_id=last.id))
    np.testing.assert_allclose(Ranked(home, station).queue.scores.total, muted, atol=1e-9)


def test_a_muted_part_counts_nothing(told):
    home, station = told
    less(home, station, "part:head")
    ranked = Ranked(home, station)
    said = ranked.why(ranked.first)
    part = next(part for part in said.parts if part.part is ScorePart.HEAD)
    assert (part.logits, part.words) == (0.0, "ignored here")
    assert [(muted.key, muted.words) for muted in said.muted] == [("part:head", "your feedback")]


def test_a_muted_seed_is_as_if_the_station_had_not_had_it(told):
    home, station = told
    less(home, station, f"seed:{station.seeds[0]}")
    muted = Ranked(home, station)
    only = Ranked(home, home.station("Only", str(station.seeds[1])))
    part = muted.queue.scores.parts
    seed = part.parts.index(ScorePart.SEED)
    np.testing.assert_allclose(part.logits[seed], only.queue.scores.parts.logits[seed], atol=1e-6)
    assert [said.words for said in muted.why(muted.first).seeds] == [only.why(only.first).seeds[0].words]
    assert muted.why(muted.first).seeds[0].key == "", "the last one stays"


def test_taking_the_less_back_makes_everything_as_it_was(told):
    home, station = told
    before = Ranked(home, station).queue
    for reason in ("part:head", f"seed:{station.seeds[1]}", f"label:{home.track_ids[1]}"):
        less(home, station, reason)
    assert Ranked(home, station).queue.track_rows != before.track_rows
    events = load_history(home.database, home.rows).standing_of("less")
    EventStore(home.database, "tui").append_all(
        [NewEvent("undo", event.track_id, station.id, undoes_id=event.id) for event in events]
    )
    np.testing.assert_array_equal(Ranked(home, station).queue.scores.total, before.scores.total)


def refusal(call) -> str:
    with pytest.raises(PlayerError) as error:
        call()
    return str(error.value)


@pytest.mark.parametrize("part", NOT_MUTABLE)
def test_what_cannot_be_taken_away_is_refused_with_the_reason(part):
    assert NOT_MUTABLE[part] in refusal(lambda: parse_reason(f"part:{part}"))


@pytest.mark.parametrize("text", ["", "part:", "part:loudness", "label:x", "label:", "seed:", "mood:blue", "part"])
def test_what_is_no_reason_is_refused(text):
    assert "is not a reason" in refusal(lambda: parse_reason(text))


def test_the_last_seed_stays():
    seeds = (Seed("genre", "Jazz"), Seed("artist", "A:B"))
    jazz, artist = parse_reason("seed:genre:Jazz"), parse_reason("seed:artist:A:B")
    check_less(jazz, seeds, ())
    assert seeds_left(seeds, {str(jazz)}) == (Seed("artist", "A:B"),)
    assert "last seed" in refusal(lambda: check_less(artist, seeds, {str(jazz)}))
    assert "already" in refusal(lambda: check_less(jazz, seeds, {str(jazz)}))
    assert "no seed" in refusal(lambda: check_less(parse_reason("seed:genre:Folk"), seeds, ()))
    assert seeds_left(seeds, {str(jazz), str(artist), "hum:drum"}) == seeds


def test_what_was_told_sums_to_its_part_also_where_a_model_weighs_it(told):
    ranked = Ranked(*told)
    scores = ranked.queue.scores
    logits = scores.parts.logits.copy()
    logits[scores.parts.parts.index(ScorePart.HEAD)] *= 0.4
    parts = replace(scores.parts, logits=logits)
    weighed = replace(scores, parts=parts, total=logits.sum(axis=0), head_weight=0.4)
    request = replace(ranked.queue.request, scores=weighed.total)
    ranked.queue = replace(ranked.queue, scores=weighed, request=request)
    said = ranked.why(ranked.first)
    part = next(part for part in said.parts if part.part is ScorePart.HEAD)
    assert sum(label.lead for label in said.labels) + said.other_lead == pytest.approx(part.lead, abs=1e-5)
    assert sum(one.logits for one in said.parts) == pytest.approx(said.utility, abs=1e-6)
