"""Little pieces of music whose tempo and key are known, because they are made here.

Every piece is a chord progression with bass, melody and, mostly, drums. The 24 keys each come with the four timbres; tempi, rhythms,
progressions, tuning and noise go round beside them, so that nothing but the truth tells the truth.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

RATE = 44100
SECONDS = 24.0
SLOWEST, FASTEST = 60.0, 180.0
KEYS = 24
"""0 to 11 are C major to B major, 12 to 23 are C minor to B minor."""
MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)
MINOR_SCALE = (0, 2, 3, 5, 7, 8, 10)

Samples = NDArray[np.float64]

MAJOR_PROGRESSIONS = (
    ((0, "M"), (7, "M"), (9, "m"), (5, "M")),
    ((0, "M"), (5, "M"), (7, "M"), (0, "M")),
    ((2, "m"), (7, "M"), (0, "M"), (0, "M")),
    ((0, "M"), (9, "m"), (5, "M"), (7, "M")),
)
MINOR_PROGRESSIONS = (
    ((0, "m"), (8, "M"), (3, "M"), (10, "M")),
    ((0, "m"), (5, "m"), (7, "M"), (0, "m")),
    ((0, "m"), (10, "M"), (8, "M"), (7, "M")),
    ((0, "m"), (5, "m"), (10, "M"), (0, "m")),
)
"""Chords as semitones above the tonic, and major or minor; a bar each."""
CHORDS = {"M": (0, 4, 7), "m": (0, 3, 7)}

TIMBRES: dict[str, Callable[[float, int], float]] = {
    "flute": lambda _, partial: (1.0, 0.15, 0.05)[partial - 1] if partial <= 3 else 0.0,
    "piano": lambda _, partial: 0.6**partial,
    "saw": lambda _, partial: 1.0 / partial,
    "organ": lambda _, partial: {1: 1.0, 2: 0.8, 3: 0.5, 4: 0.4, 6: 0.3, 8: 0.2}.get(partial, 0.0),
}
"""How strong the n-th partial is."""
DECAY = {"flute": 0.5, "piano": 3.0, "saw": 1.0, "organ": 0.0}
"""Of the notes: nepers a second."""

RHYTHMS: tuple[tuple[str, int, dict[str, tuple[float, ...]]], ...] = (
    ("rock", 4, {"kick": (0, 2, 2.5), "snare": (1, 3), "hat": tuple(np.arange(0, 4, 0.5))}),
    ("house", 4, {"kick": (0, 1, 2, 3), "snare": (1, 3), "hat": (0.5, 1.5, 2.5, 3.5)}),
    ("funk", 4, {"kick": (0, 0.75, 2.25), "snare": (1, 3, 3.75), "hat": tuple(np.arange(0, 4, 0.25))}),
    ("waltz", 3, {"kick": (0,), "snare": (1, 2)}),
    ("click", 4, {"hat": (0, 1, 2, 3)}),
    ("no drums", 4, {}),
)
"""Name, beats in a bar, and where in the bar what is struck."""

NOISES_DB = (None, 20.0, 8.0)
"""Music over pink noise."""
TUNINGS = (0.0, -20.0, 15.0)
"""Cents away from A = 440 Hz."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What there is to know about a piece.

    Attributes:
        number: its place in the list, which decides all else.
        bpm: its tempo.
        key: see ``KEYS``.
        timbre: what its notes are played with.
        rhythm: place in ``RHYTHMS``.
    """

    number: int
    bpm: float
    key: int
    timbre: str
    rhythm: int

    @property
    def name(self) -> str:
        """Names the piece in the list of clips."""
        return f"made {self.number}"


def pieces() -> Iterator[Piece]:
    """All 96: every key with every timbre."""
    count = KEYS * len(TIMBRES)
    tempi = np.random.default_rng(1).permutation(np.linspace(SLOWEST, FASTEST, count))
    rhythms = np.random.default_rng(2).permutation(np.arange(count) % len(RHYTHMS))
    for number in range(count):
        timbre = tuple(TIMBRES)[number // KEYS]
        yield Piece(number, float(tempi[number]), number % KEYS, timbre, int(rhythms[number]))


def play(piece: Piece) -> NDArray[np.float32]:
    """The piece as mono samples at ``RATE``, within -1…1."""
    dice = np.random.default_rng(1000 + piece.number)
    _, beats_a_bar, drums = RHYTHMS[piece.rhythm]
    sound = np.zeros(int(SECONDS * RATE))
    beat = 60.0 / piece.bpm
    bars = int(SECONDS / (beat * beats_a_bar))
    minor = piece.key >= KEYS // 2
    progressions = MINOR_PROGRESSIONS if minor else MAJOR_PROGRESSIONS
    progression = progressions[int(dice.integers(len(progressions)))]
    for bar in range(bars):
        start = bar * beats_a_bar * beat
        _harmony(sound, piece, start, progression[bar % len(progression)], beat, beats_a_bar, dice)
        for drum, places in drums.items():
            for place in places:
                _add(sound, start + place * beat, 0.5 * _drum(drum, dice))
    return _mixed(sound, piece, dice)


def _harmony(
    sound: Samples,
    piece: Piece,
    start: float,
    chord: tuple[int, str],
    beat: float,
    beats: int,
    dice: np.random.Generator,
) -> None:
    """One bar: the chord on the first beat and once more inside, the bass on some beats, a melody of the scale."""
    root, kind = chord
    tonic = 48 + piece.key % 12
    scale = MINOR_SCALE if piece.key >= KEYS // 2 else MAJOR_SCALE
    for again in (0, 2) if beats == 4 else (0,):
        for step in CHORDS[kind]:
            note = _note(piece, tonic + (root + step) % 12, (2 if beats == 4 else beats) * beat)
            _add(sound, start + again * beat, 0.15 * note)
    for place in range(0, beats, int(dice.integers(1, 3))):
        _add(sound, start + place * beat, 0.3 * _note(piece, tonic - 12 + root % 12, beat))
    place = 0.0
    while place < beats:
        length = float(dice.choice((0.5, 1.0, 1.0, 2.0)))
        if dice.random() < 0.8:
            # Two times in three a note of the chord, else any of the scale.
            step = root + int(dice.choice(CHORDS[kind])) if dice.random() < 0.67 else int(dice.choice(scale))
            _add(sound, start + place * beat, 0.2 * _note(piece, tonic + 12 + step % 12, length * beat))
        place += length


def _note(piece: Piece, pitch: int, seconds: float) -> Samples:
    """A note of the piece's timbre and tuning; ``pitch`` as in MIDI."""
    cents = TUNINGS[piece.number % len(TUNINGS)]
    frequency = 440.0 * 2 ** ((pitch - 69 + cents / 100) / 12)
    times = np.arange(int(seconds * RATE)) / RATE
    tone = np.zeros(len(times))
    for partial in range(1, 13):
        strength = TIMBRES[piece.timbre](frequency, partial)
        if strength and partial * frequency < RATE / 2:
            tone += strength * np.sin(2 * np.pi * partial * frequency * times)
    attack = np.minimum(1.0, times / 0.01) * np.minimum(1.0, (seconds - times) / 0.02)
    return tone * attack * np.exp(-DECAY[piece.timbre] * times)


def _drum(name: str, dice: np.random.Generator) -> Samples:
    times = np.arange(int(0.15 * RATE)) / RATE
    hiss = dice.standard_normal(len(times))
    if name == "kick":
        return 1.5 * np.sin(2 * np.pi * (50 * times + 4 * (1 - np.exp(-30 * times)))) * np.exp(-20 * times)
    if name == "snare":
        return (0.5 * hiss + 0.5 * np.sin(2 * np.pi * 190 * times)) * np.exp(-25 * times)
    return 0.4 * np.diff(hiss, prepend=0.0) * np.exp(-60 * times)


def _add(sound: Samples, seconds: float, what: Samples) -> None:
    start = int(seconds * RATE)
    end = min(len(sound), start + len(what))
    if end > start:
        sound[start:end] += what[: end - start]


def _mixed(sound: Samples, piece: Piece, dice: np.random.Generator) -> NDArray[np.float32]:
    """With its noise, at a peak of 0.9."""
    decibels = NOISES_DB[piece.number // len(TUNINGS) % len(NOISES_DB)]
    if decibels is not None:
        # Paul Kellet's economy filter: white to pink within half a decibel over the audible range.
        white = dice.standard_normal(len(sound))
        filtered = [np.asarray(lfilter([gain], [1, -pole], white)) for gain, pole in PINK]
        pink = np.sum([*filtered, 0.1848 * white], axis=0)
        sound = sound + pink * np.sqrt((sound**2).mean() / (pink**2).mean()) * 10 ** (-decibels / 20)
    return (0.9 * sound / np.abs(sound).max()).astype(np.float32)


PINK = ((0.0990460, 0.99765), (0.2965164, 0.96300), (1.0526913, 0.57000))
"""Gains and poles."""
