"""What a ranking is asked and what it answers: plain values, all frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recommender.ranking.rules import Rule, RuleName, Spacing
from recommender.ranking.variety import Mix, Variety

KEPT_UTILITIES = 1000
"""How many utilities a committed place keeps, best first: enough to weigh it again; the rest is in its log partition."""
UNKNOWN = -1
"""The code of an artist or album that is not known."""


@dataclass(frozen=True, slots=True)
class TrackTable:
    """The tracks as the ranking knows them.

    Attributes:
        ids: (n,) int64 that name the tracks for good; they key the noise.
        vectors: (n, d) float32 rows of length 1 (or 0 where nothing is known), as ``ContentSpace.vectors``.
        artist: (n,) int64 codes from 0, equal for tracks by the same artist, ``UNKNOWN`` where it is not known.
        album: (n,) int64, likewise for albums.
        guests: codes of further artists, by the index of the tracks that have any.
        versions: indices of other versions of the same song (live, remastered, demo), by the index of the tracks that have any.
    """

    ids: NDArray[np.int64]
    vectors: NDArray[np.float32]
    artist: NDArray[np.int64]
    album: NDArray[np.int64]
    guests: Mapping[int, tuple[int, ...]] = field(default_factory=dict[int, tuple[int, ...]])
    versions: Mapping[int, tuple[int, ...]] = field(default_factory=dict[int, tuple[int, ...]])

    def __post_init__(self) -> None:
        """Check that the columns belong together; raises ValueError saying which does not."""
        for name in ("vectors", "artist", "album"):
            if len(getattr(self, name)) != len(self.ids):
                raise ValueError(f"{name} has {len(getattr(self, name))} rows, ids has {len(self.ids)}")
        if min(self.artist.min(initial=0), self.album.min(initial=0)) < UNKNOWN:
            raise ValueError(f"artist and album codes must be {UNKNOWN} or above")

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Settings:
    """The dials of a ranking; utilities and penalties are in logits, like the scores.

    Attributes:
        temperature: how much the noise counts; see ``gumbel.temperature_for_breadth``.
        diversity: what a track at right angles to all recent places gains over a copy of one of them. At the default,
            queues of twenty from one classical seed on 240 real tracks were .81 classical; by likeness alone .90.
        variety: how that gain is measured.
        calibration: logits for each nat by which a track brings the last places nearer to the mix of the request.
        window: how many places back diversity and the soft penalties look.
        artist_penalty: what a track loses for an artist heard in the place before; fades to 0 across the window.
        album_penalty: the same for the album, on top.
        spacing: how far the hard sliding rules look back.
    """

    temperature: float = 0.3
    diversity: float = 0.75
    variety: Variety = Variety.MMR
    calibration: float = 0.5
    window: int = 10
    artist_penalty: float = 0.5
    album_penalty: float = 0.5
    spacing: Spacing = field(default_factory=Spacing)

    def __post_init__(self) -> None:
        """Raise ValueError when a dial is out of its range."""
        if not self.temperature > 0:
            raise ValueError(f"temperature must be above 0, not {self.temperature}")
        if self.window < 0 or min(self.diversity, self.calibration, self.artist_penalty, self.album_penalty) < 0:
            raise ValueError("window, diversity, calibration and penalties must not be negative")


@dataclass(frozen=True, slots=True)
class Request:
    """What one ranking is asked.

    Attributes:
        scores: (n,) blended scores in logits, finite.
        candidates: (n,) bool, the tracks that the station may play at all.
        rules: the standing rules; see ``rules.standing_rules``.
        recent: track indices heard on the station, oldest first, up to and including the one playing.
        pinned: track indices that keep the first places, such as the next track already prepared; they get no
            propensity, and need not be candidates. One that is pinned twice, or kept out by a standing rule, is dropped.
        first_slot: the absolute number of the first place (pinned or not); it grows by one with each track served.
        places: how many places to fill, pinned ones included.
        noise_seed: the station's.
        settings: the dials.
        mix: what share of the places each genre, era or tag should have; none for no such wish.
    """

    scores: NDArray[np.float64]
    candidates: NDArray[np.bool_]
    rules: tuple[Rule, ...] = ()
    recent: tuple[int, ...] = ()
    pinned: tuple[int, ...] = ()
    first_slot: int = 0
    places: int = 25
    noise_seed: int = 0
    settings: Settings = field(default_factory=Settings)
    mix: Mix | None = None


@dataclass(frozen=True, slots=True)
class Commitment:
    """What is logged when a place is served, enough to weigh it later.

    Attributes:
        slot, rank, track: absolute slot number, place in the list from 1, track index.
        score, utility: of the track; see ``ranking``.
        propensity: exp(utility / temperature − log_partition), in (0, 1].
        log_partition: log Σ exp(utility / temperature) over all eligible tracks.
        temperature: the one used.
        eligible_count: how many tracks were eligible.
        tracks: (k,) int64 track indices of the best utilities, best first, k ≤ ``KEPT_UTILITIES``.
        utilities: (k,) float32, theirs.
    """

    slot: int
    rank: int
    track: int
    score: float
    utility: float
    propensity: float
    log_partition: float
    temperature: float
    eligible_count: int
    tracks: NDArray[np.int64]
    utilities: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class RankedTrack:
    """One row of the queue.

    Attributes:
        slot, rank, track: absolute slot number, place in the list from 1, track index.
        pinned: it kept its place without being chosen; the fields below are then 0, all but the score.
        score: the blended score in logits.
        utility: the score with diversity, calibration and penalties.
        diversity_lead: what diversity, calibration and penalties spoke for this track, less their mean over the rivals:
            the best-scored eligible tracks, in a library of up to ``slate_builder.RIVALS`` tracks all that are eligible.
        given_up: the best utility among the rivals less this one: what the noise had to overcome, 0 for the best.
        utility_rank: 1 for a utility that no rival's exceeds.
        eligible_count: how many tracks were eligible.
        relaxed: rules that had to give way.
        commitment: what to log, for places committed at once.
    """

    slot: int
    rank: int
    track: int
    pinned: bool
    score: float
    utility: float = 0.0
    diversity_lead: float = 0.0
    given_up: float = 0.0
    utility_rank: int = 0
    eligible_count: int = 0
    relaxed: tuple[RuleName, ...] = ()
    commitment: Commitment | None = None

    @property
    def propensity(self) -> float | None:
        """The propensity when the place is committed; none when it is pinned or not committed yet."""
        return None if self.commitment is None else self.commitment.propensity


@dataclass(frozen=True, slots=True)
class Ranking:
    """A queue: ``rows`` in order, and one sentence that says why it is shorter than asked (none where it is not)."""

    rows: tuple[RankedTrack, ...]
    shortfall: str | None

    @property
    def tracks(self) -> tuple[int, ...]:
        """The track indices in order."""
        return tuple(row.track for row in self.rows)

    @property
    def relaxed(self) -> tuple[RuleName, ...]:
        """Every rule that had to give way somewhere, each once."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.relaxed))
