from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from player.demo import demo_music
from tests.support.demo_credits import LICENCE_URLS, Credit, demo_credits

pytestmark = pytest.mark.slow

LARGEST_TOTAL_BYTES = 10_000_000
RATE = 16_000  # Hz; enough to hear by numbers
PAGE = demo_music().parent / "ATTRIBUTION.md"

every_excerpt = pytest.mark.parametrize("credit", demo_credits(), ids=lambda credit: credit.title)


@cache
def heard(file: Path) -> NDArray[np.float32]:
    """Decode a whole excerpt to mono, as the test's ear."""
    resampler = av.AudioResampler("fltp", rate=RATE)
    with av.open(str(demo_music() / file), "r") as container:
        pieces = [piece.to_ndarray() for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
    return np.concatenate(pieces, axis=1).mean(axis=0)


def decibels(samples: NDArray[np.float32]) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples.astype(np.float64) ** 2)) + 1e-12))


def spectra(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Power spectra of a tenth of a second each, (frames, bins), without the lowest and the empty top bins."""
    length = RATE // 10
    frames = samples[: len(samples) // length * length].reshape(-1, length).astype(np.float64)
    return np.abs(np.fft.rfft(frames * np.hanning(length), axis=1))[:, 5:600] ** 2 + 1e-12


def test_the_library_has_about_twenty_excerpts_in_at_most_ten_megabytes():
    files = list(demo_music().rglob("*.opus"))
    assert 18 <= len(files) <= 25
    assert sum(file.stat().st_size for file in files) <= LARGEST_TOTAL_BYTES


def test_every_file_has_exactly_one_credit_and_every_credit_a_file():
    files = sorted(path.relative_to(demo_music()) for path in demo_music().rglob("*") if path.is_file())
    assert files == sorted(credit.file for credit in demo_credits())


def test_there_are_many_genres_and_artists_and_none_dominates():
    table = demo_credits()
    assert len({credit.genre for credit in table}) >= 6
    artists = [credit.artist for credit in table]
    assert len(set(artists)) >= 8
    assert max(artists.count(artist) for artist in artists) <= 4


@every_excerpt
def test_an_excerpt_carries_the_tags_of_its_credit(credit: Credit):
    with av.open(str(demo_music() / credit.file), "r") as container:
        tags = {name.lower(): text for name, text in container.streams.audio[0].metadata.items()}
    told = [tags.get(name, "") for name in ("title", "artist", "album", "genre", "date", "track", "license")]
    named = (credit.title, credit.artist, credit.album, credit.genre, credit.date, str(credit.track_number))
    assert told == [*named, credit.licence_url]
    assert credit.licence in tags["comment"]


@every_excerpt
def test_an_excerpt_decodes_and_lasts_45_to_60_seconds(credit: Credit):
    seconds = len(heard(credit.file)) / RATE
    assert 45 <= seconds <= 60
    assert seconds == pytest.approx(credit.seconds, abs=0.1)


@every_excerpt
def test_an_excerpt_is_heard_all_the_way_through(credit: Credit):
    samples = heard(credit.file)
    assert decibels(samples) > -32
    seconds = samples[: len(samples) // RATE * RATE].reshape(-1, RATE)[:-1]
    assert min(decibels(second) for second in seconds) > -60


@every_excerpt
def test_an_excerpt_is_music_neither_noise_nor_a_held_tone(credit: Credit):
    power = spectra(heard(credit.file))
    flatness = np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1)
    assert np.median(flatness) < 0.25  # white noise: .56
    level = np.log(power / power.sum(axis=1, keepdims=True))
    change = np.abs(np.diff(level, axis=0)).mean()
    assert change > 0.3  # a held tone: 0


@every_excerpt
def test_an_excerpt_begins_and_ends_without_a_click(credit: Credit):
    samples = heard(credit.file)
    assert abs(samples[0]) < 0.02
    assert np.abs(samples[-16:]).max() < 0.02


@every_excerpt
def test_a_credit_says_whose_it_is_and_where_it_comes_from(credit: Credit):
    assert credit.licence in LICENCE_URLS
    assert all((credit.copyright, credit.package, credit.version, credit.stanza, credit.member))


@every_excerpt
def test_the_attribution_page_names_every_excerpt(credit: Credit):
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if f"`{credit.file.as_posix()}`" in line]
    assert len(rows) == 1
    for fact in (credit.title, credit.artist, credit.licence, f"{credit.package} {credit.version}"):
        assert fact in rows[0]


def test_the_attribution_page_has_no_other_rows():
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert len(rows) == len(demo_credits())


def test_a_licence_that_is_not_free_is_refused(monkeypatch):
    monkeypatch.setattr("tests.support.demo_credits.LICENCE_URLS", {"CC0-1.0": LICENCE_URLS["CC0-1.0"]})
    with pytest.raises(ValueError, match="takes no music under 'CC-BY"):
        demo_credits()
