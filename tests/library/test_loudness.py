"""Gains: to one level by track or album, never into clipping, whatever tags claim."""

import numpy as np
import pytest
from sqlalchemy import update

from embeddings.loudness import Loudness
from player.audio.messages import CEILING_DB
from player.config import AudioSettings
from player.library.embed import measure_pending
from player.library.loudness import (
    MOST_LIMITED_DB,
    LevelTable,
    any_unmeasured,
    known_loudness,
    store_loudness,
    unmeasured_tracks,
)
from player.storage.models import Track


@pytest.fixture
def tones(tones):
    """The tones, of none of which the loudness is known."""
    with tones.database.session() as session:
        session.execute(update(Track).values(lufs=None, true_peak_db=None))
    return tones


def put(home, track_id, **values):
    with home.database.session() as session:
        session.execute(update(Track).where(Track.id == track_id).values(**values))


def level(home, track_id, *, in_album=False, **settings):
    with home.database.reader() as session:
        return LevelTable(session).level(track_id, AudioSettings(**settings), in_album=in_album)


def test_a_measured_track_is_brought_to_the_target(tones):
    put(tones, 1, lufs=-9.5, true_peak_db=0.5)
    assert (level(tones, 1).gain_db, level(tones, 1).lufs) == (-8.5, -9.5)
    assert level(tones, 1, target_lufs=-14, preamp_db=2).gain_db == -2.5
    assert level(tones, 1, replaygain="off").gain_db == 0.0


def test_a_tag_counts_before_what_was_measured(tones):
    put(tones, 1, lufs=-9.5, true_peak_db=-2.0, track_gain=-4.0)
    assert (level(tones, 1).gain_db, level(tones, 1).lufs) == (-4.0, -14.0)
    put(tones, 1, track_gain=9000.0)
    assert level(tones, 1).lufs == -9.5


def test_a_quiet_track_is_turned_up_as_far_as_its_peaks_and_the_limiter_allow(tones):
    put(tones, 1, lufs=-22.0, true_peak_db=-3.0)
    found = level(tones, 1)
    assert (found.gain_db, found.excess_db, found.told["limited"]) == (4.0, 2.0, True)
    found = level(tones, 1, limiter=False)
    assert (found.gain_db, found.excess_db, found.told["limited"]) == (2.0, 0.0, False)
    put(tones, 1, lufs=-40.0)
    assert level(tones, 1).gain_db == 2.0 + MOST_LIMITED_DB
    assert level(tones, 1, prevent_clipping=False).gain_db == 22.0
    put(tones, 1, true_peak_db=None)
    assert level(tones, 1, limiter=False).gain_db == CEILING_DB, "a peak that is not known may be full scale"


def test_an_album_keeps_its_quiet_and_loud_tracks_where_it_is_played_as_one(tones):
    for track_id, lufs in ((1, -10.0), (2, -20.0)):
        put(tones, track_id, lufs=lufs, true_peak_db=-1.0, album_id="a", duration=60.0)
    together = 10 * np.log10((10**-1 + 10**-2) / 2)
    expected = pytest.approx(-18 - together, abs=0.02)
    assert level(tones, 1, in_album=True).gain_db == level(tones, 2, in_album=True).gain_db == expected
    assert level(tones, 2, replaygain="album").gain_db == expected
    assert level(tones, 1, in_album=True, replaygain="track").gain_db == -8.0
    put(tones, 1, album_gain=-3.0, album_peak=1.0)
    assert level(tones, 1, in_album=True).gain_db == -3.0
    put(tones, 3, album_id="a")  # one whose loudness is not known
    assert level(tones, 2, in_album=True).gain_db == level(tones, 2).gain_db


def test_an_unknown_track_gets_what_most_get_and_silence_nothing(tones):
    assert level(tones, 3).gain_db == 0.0
    for track_id, lufs in ((1, -9.0), (2, -11.0)):
        put(tones, track_id, lufs=lufs, true_peak_db=0.0)
    assert (level(tones, 3).gain_db, level(tones, 3).lufs) == (-8.0, None)
    with tones.database.session() as session:
        store_loudness(session, 3, Loudness(None, None))
    assert (level(tones, 3).gain_db, level(tones, 3).lufs) == (0.0, None)


def test_no_tag_makes_a_gain_that_is_no_number_or_that_clips(tones):
    claims = (None, -1e300, -60.0, -0.0, 0.0, 1e-300, 0.5, 60.0, 1e300, float("inf"))
    rng = np.random.default_rng(0)
    for _ in range(60):
        tags = dict(zip(("track_gain", "track_peak", "album_gain", "album_peak"), rng.choice(claims, 4), strict=True))
        put(tones, 1, lufs=-30.0, true_peak_db=-3.0, **tags)
        for mode in ("auto", "track", "album"):
            assert np.isfinite(level(tones, 1, in_album=True, replaygain=mode).gain_db)
        found = level(tones, 1, replaygain="track")
        assert found.gain_db - found.excess_db <= CEILING_DB + 3.0


@pytest.mark.slow
def test_only_what_neither_tags_nor_an_earlier_run_tell_is_measured(tones):
    put(tones, 1, track_gain=-3.0, track_peak=0.9)
    with tones.database.reader() as session:
        waiting = [track_id for track_id, _path in unmeasured_tracks(session)]
    assert sorted(waiting) == sorted({*tones.track_ids} - {1})
    seen = []
    left = measure_pending(
        tones.database, tones.paths, track_ids=None, workers=1, report=seen.append, should_stop=lambda: len(seen) == 2
    )
    assert left == len(waiting) - 2
    measure_pending(
        tones.database, tones.paths, track_ids=None, workers=1, report=seen.append, should_stop=lambda: False
    )
    with tones.database.reader() as session:
        assert not any_unmeasured(session)
        found = {one.track_id: one for one in known_loudness(session, tones.track_ids)}
    assert (found[1].source, found[1].lufs) == ("tag", -15.0)
    assert {found[track_id].source for track_id in waiting} == {"measured"}
    assert all(-8 < found[track_id].lufs < -4 for track_id in waiting)
