"""Speech told from music: a synthetic voice of syllables, fricatives and pauses beside tones, noise and beats."""

import numpy as np
import pytest

from player.insight.speech import RATE, measure_speech, named_as_speech, sounds_like_speech
from player.library.tracks import TrackRow
from player.stations.collection import load_collection


def voice(seconds):
    """Vowels and fricatives in syllables of a fifth of a second, and a pause behind every few."""
    random, pieces = np.random.default_rng(1), []
    time = np.arange(RATE // 5) / RATE
    for number in range(int(seconds * 5)):
        bow = np.sin(np.pi * time * 5) ** 2
        if number % 6 == 5:
            pieces.append(np.zeros_like(time))
        elif number % 3 == 2:
            pieces.append(0.15 * bow * random.normal(size=len(time)))
        else:
            pitch = random.uniform(90, 160)
            pieces.append(bow * sum(np.sin(2 * np.pi * pitch * h * time) / h for h in range(1, 6)))
    return np.concatenate(pieces).astype(np.float32)


def test_a_voice_is_speech_and_tones_noise_beats_and_silence_are_not():
    time = np.arange(RATE * 20) / RATE
    beats = np.sin(2 * np.pi * 80 * time) * np.exp(-((time % 0.5) * 12))
    music = {
        "tone": np.sin(2 * np.pi * 440 * time),
        "noise": np.random.default_rng(2).normal(size=len(time)),
        "beats": beats + 0.3 * np.sin(2 * np.pi * 220 * time),
        "silence": np.zeros(len(time)),
        "nothing": np.zeros(0),
    }
    assert measure_speech(voice(20)).is_speech
    assert not [name for name, samples in music.items() if measure_speech(samples.astype(np.float32)).is_speech]


@pytest.mark.slow
def test_the_demo_library_holds_no_speech(demo):
    assert not [row.title for row in load_collection(demo.database).rows[::6] if sounds_like_speech(row)]


@pytest.mark.parametrize(
    ("genre", "path", "spoken"),
    [
        ("Audiobook", "/m/a.mp3", True),
        ("Rock; Spoken Word", "/m/a.mp3", True),
        ("", "/m/Podcasts/a.mp3", True),
        ("Rock", "/m/Interpol/Speeches.mp3", False),
    ],
)
def test_a_genre_or_folder_calls_it_spoken(genre, path, spoken):
    assert named_as_speech(TrackRow(1, path, "T", "A", "", genre, None, 60.0, missing=False)) is spoken
