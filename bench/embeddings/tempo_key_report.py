"""The measures, the tables and the verdicts of :mod:`bench.embeddings.tempo_key`, whose rule is carried out here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 0.04
"""Of a tempo, as in MIREX."""
OCTAVES = (1.0, 2.0, 3.0, 1 / 2, 1 / 3)
FIFTH = 7
RELATIVE = 9
"""Semitones from a major key up to the tonic of its relative minor."""
MINOR = 12
"""Keys from here on are minor."""
NORMAL_95 = 1.96
ROOM = 2 * 0.70 - 1
"""Agreement below this leaves no room for a mean accuracy of .70."""

Truths = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a library says about a clip.

    Attributes:
        what: "tempo" or "key".
        by: the estimator; its first word is the library.
        value: BPM; or 0 to 23, C major to B major and C minor to B minor.
        sureness: its confidence, on a scale of its own; 0 where it tells none.
        seconds: processor time.
    """

    what: str
    by: str
    value: float
    sureness: float
    seconds: float

    def as_row(self) -> list[object]:
        """For the file."""
        return list(astuple(self))


Answers = Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Material:
    """All estimates, clip by clip, with what is known of the clips.

    Attributes:
        made: of the made pieces.
        made_bpm: their tempi.
        made_key: their keys.
        as_it_is: of the real tracks.
        halves: of their halves.
        shifts: of the shifted tracks, by semitones.
        groups: the tracks' kinds of music.
        titled: of the tracks, of all the collection, whose titles name a key.
        title_keys: those keys.
    """

    made: Sequence[Answers]
    made_bpm: Truths
    made_key: Truths
    as_it_is: Sequence[Answers]
    halves: Sequence[tuple[Answers, Answers]]
    shifts: Mapping[int, Sequence[Answers]]
    groups: Sequence[str]
    titled: Sequence[Answers]
    title_keys: Truths


@dataclass(frozen=True, slots=True)
class Measure:
    """Mean of something between 0 and 1 with its 95 % interval over tracks."""

    mean: float
    plus_minus: float

    def __str__(self) -> str:
        return f"{self.mean:.2f} ± {self.plus_minus:.2f}"


Score = Callable[[Truths, Truths], Truths]
"""Estimates and truths to how right each is, 0 to 1."""


def tempo_right(found: Truths, truth: Truths) -> Truths:
    """Accuracy 1 of MIREX."""
    return _near(found, truth, 1.0)


def tempo_octave(found: Truths, truth: Truths) -> Truths:
    """Accuracy 2 of MIREX."""
    return np.max([_near(found, truth, factor) for factor in OCTAVES], axis=0)


def _near(found: Truths, truth: Truths, factor: float) -> Truths:
    return (np.abs(found - factor * truth) <= TOLERANCE * factor * truth).astype(np.float64)


def key_right(found: Truths, truth: Truths) -> Truths:
    """Tonic and mode."""
    return (found == truth).astype(np.float64)


def key_weighted(found: Truths, truth: Truths) -> Truths:
    """MIREX: a fifth away counts half, the relative key 0.3, the parallel key 0.2."""
    apart = (found - truth) % 12
    same_mode = (found >= MINOR) == (truth >= MINOR)
    # From a major key the relative minor's tonic lies 9 semitones up, from a minor key the relative major's 3.
    relative = np.where(truth >= MINOR, MINOR - RELATIVE, RELATIVE)
    weights = np.select(
        [
            same_mode & (apart == 0),
            same_mode & np.isin(apart, (FIFTH, MINOR - FIFTH)),
            ~same_mode & (apart == relative),
        ],
        [1.0, 0.5, 0.3],
        0.0,
    )
    return np.where(~same_mode & (apart == 0), 0.2, weights)


def transposed(keys: Truths, semitones: int) -> Truths:
    """The keys of the same music played so much higher."""
    return np.where(keys >= MINOR, (keys + semitones) % 12 + MINOR, (keys + semitones) % 12)


def measure(values: Truths) -> Measure:
    """Over (tracks,), or (tracks, tries) of which each track's mean counts once."""
    each = values.reshape(len(values), -1).mean(axis=1)
    return Measure(float(each.mean()), float(NORMAL_95 * each.std() / np.sqrt(len(each))))


def values(clips: Sequence[Answers], by: str) -> Truths:
    """What one estimator says of each clip."""
    return np.array([clip[by].value for clip in clips], np.float64)


def followed(material: Material, by: str, score: Score) -> Truths:
    """(tracks, shifts): how far the estimate follows a shift that is known."""
    original = values(material.as_it_is, by)
    what = material.as_it_is[0][by].what
    columns: list[Truths] = []
    for semitones, clips in material.shifts.items():
        expected = original * 2 ** (semitones / 12) if what == "tempo" else transposed(original, semitones)
        columns.append(score(values(clips, by), expected))
    return np.stack(columns, axis=1)


def sureness(clips: Sequence[Answers], by: str) -> Truths:
    """How sure one estimator is of each clip."""
    return np.array([clip[by].sureness for clip in clips], np.float64)


def surer_than_most(material: Material, by: str, clips: Sequence[Answers]) -> NDArray[np.bool_]:
    """The clips of which the estimator is surer than of the median track; none where it tells no confidence."""
    usual = sureness(material.as_it_is, by)
    return sureness(clips, by) > (np.median(usual) if np.ptp(usual) > 0 else np.inf)


def best_agreement(material: Material, by: str, score: Score) -> tuple[str, Truths]:
    """With which estimator of another library this one agrees most, and where."""
    what = material.as_it_is[0][by].what
    others = [
        name
        for name, estimate in material.as_it_is[0].items()
        if estimate.what == what and name.split(maxsplit=1)[0] != by.split(maxsplit=1)[0]
    ]
    found = values(material.as_it_is, by)
    agreements = {name: score(found, values(material.as_it_is, name)) for name in others}
    best = max(agreements, key=lambda name: float(agreements[name].mean()))
    return best, agreements[best]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the rule: what was measured, of all tracks and of the surer half, and what it must reach (0: just told)."""

    name: str
    everything: Truths
    half: Truths
    least: float

    def passes(self, *, of_half: bool) -> bool:
        """Whether it is reached."""
        chosen = self.half if of_half else self.everything
        return len(chosen) > 0 and measure(chosen).mean >= self.least


def lines(material: Material, by: str) -> list[Line]:
    """The rule, for one estimator."""
    half = surer_than_most(material, by, material.as_it_is)
    if material.as_it_is[0][by].what == "tempo":
        made = values(material.made, by)
        right, octave = tempo_right(made, material.made_bpm), tempo_octave(made, material.made_bpm)
        follows, follows_octave = followed(material, by, tempo_right), followed(material, by, tempo_octave)
        _, agree = best_agreement(material, by, tempo_right)
        return [
            Line("made, right", right, right, 0.70),
            Line("made, octave", octave, octave, 0.85),
            Line("follows", follows, follows[half], 0.70),
            Line("follows, octave", follows_octave, follows_octave[half], 0.85),
            Line("agreement", agree, agree[half], ROOM),
        ]
    right = key_right(values(material.made, by), material.made_key)
    follows = followed(material, by, key_right)
    _, agree = best_agreement(material, by, key_right)
    titled = titles(material, by)
    weighted = key_weighted(values(material.made, by), material.made_key)
    follows_weighted = followed(material, by, key_weighted)
    return [
        Line("made, right", right, right, 0.70),
        Line("made, weighted", weighted, weighted, 0.0),
        Line("follows", follows, follows[half], 0.70),
        Line("follows, weighted", follows_weighted, follows_weighted[half], 0.0),
        Line("titles", titled, titled[surer_than_most(material, by, material.titled)], 0.60),
        Line("agreement", agree, agree[half], ROOM),
    ]


def titles(material: Material, by: str) -> Truths:
    """Whether the key is the title's, or a semitone below."""
    found = values(material.titled, by)
    return np.maximum(key_right(found, material.title_keys), key_right(found, transposed(material.title_keys, -1)))


def verdict(rule: Sequence[Line]) -> str:
    """What the rule says of one estimator."""
    if all(line.passes(of_half=False) for line in rule):
        return "measures up"
    if all(line.passes(of_half=True) for line in rule):
        return "the surer half"
    return "no: " + ", ".join(line.name for line in rule if not line.passes(of_half=False))


def report(material: Material) -> None:
    """Print the tables, in Markdown."""
    print(f"{len(material.made)} made pieces, {len(material.as_it_is)} real tracks, {len(material.titled)} titles\n")
    for what in ("tempo", "key"):
        names = [name for name, estimate in material.as_it_is[0].items() if estimate.what == what]
        rules = {name: lines(material, name) for name in names}
        needs = [line.name + (f" (≥ {line.least:.2f})" if line.least else "") for line in rules[names[0]]]
        _print_row([what, *needs, "second half as first", "agrees most with", "verdict"])
        _print_row(["---"] * (len(needs) + 4))
        for name, rule in rules.items():
            cells = [str(measure(line.everything)) for line in rule]
            _print_row([name, *cells, str(_halves(material, name)), _partner(material, name), verdict(rule)])
        print()
        _print_details(material, rules)


def _print_row(cells: Sequence[str]) -> None:
    print("| " + " | ".join(cells) + " |")


def _print_details(material: Material, rules: Mapping[str, Sequence[Line]]) -> None:
    """The surer half, kinds of music and processor time."""
    kinds = list(dict.fromkeys(material.groups))
    first = next(iter(rules.values()))
    _print_row(["surer half", *(line.name for line in first), *(f"follows, {kind}" for kind in kinds), "s a track"])
    _print_row(["---"] * (len(first) + len(kinds) + 2))
    for name, rule in rules.items():
        halves = ["–" if len(line.half) == 0 else f"{measure(line.half).mean:.2f}" for line in rule]
        follows = followed(material, name, _right(material, name))
        groups = [f"{measure(follows[np.array(material.groups) == kind]).mean:.2f}" for kind in kinds]
        seconds = float(np.median([clip[name].seconds for clip in material.as_it_is]))
        _print_row([name, *halves, *groups, f"{seconds:.2f}" if seconds else "–"])
    print()


def _right(material: Material, by: str) -> Score:
    return tempo_right if material.as_it_is[0][by].what == "tempo" else key_right


def _halves(material: Material, by: str) -> Measure:
    """How often the second half of a track gets the estimate of its first."""
    first, second = (values([pair[number] for pair in material.halves], by) for number in (0, 1))
    return measure(_right(material, by)(second, first))


def _partner(material: Material, by: str) -> str:
    return best_agreement(material, by, _right(material, by))[0]
