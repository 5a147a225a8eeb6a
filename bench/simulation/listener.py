"""One simulated listener: a known taste, moods, boredom and habits. Simulation, not people: see ``docs/research/simulation.md``.

The log odds of liking track i at a moment are

    level + taste(i) + mood of the session(i) − boredom with the track(i) − weariness of the sound(i)

and a play is liked with that probability. All of it is known to the simulation, none of it to what recommends. Every
draw is keyed by the listener's seed and what it is for, so two policies meet the same person: the same taste, the same
sessions and moods, the same luck at the n-th play.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from bench.simulation.world import World

Doubles = NDArray[np.float64]

HOUR = 3600.0
DAY = 24 * HOUR
DURATION = 210.0
"""Seconds of every track: a usual length, and excerpts stand for whole tracks."""
EARLY_SECONDS = 30.0
"""A skip before this is early, as the player has it."""
QUICKEST_SKIP = 2.0
"""Seconds in which nobody has judged a track yet."""
MEAN_EARLY_SKIP = 8.0
"""Seconds: of Spotify's plays 24 % were left within 5 s and 35 % within 30 s (Lamere 2014), so early skips crowd near 0."""
LATEST_SKIP = 0.9
"""Share of a track from which the player counts it as finished."""
BISECTIONS = 40
FIRST_SESSION = 1.7e9
"""Seconds on the log's clock at which everybody begins."""


class Draw(IntEnum):
    """What a random stream is for; part of its key."""

    TASTE = 0
    OWN = 1
    SESSION = 2
    REACTION = 3
    VERDICTS = 4
    ARTISTS = 5


QUALITY_KEY = 20240607
"""Key of what all listeners of a world agree on."""


@dataclass(frozen=True, slots=True)
class Temperament:
    """The numbers of a kind of listener; spreads and penalties are in logits of liking.

    Attributes:
        mean_liking: mean probability of liking over the whole library, fresh and without mood. Of Spotify's plays 51 %
            were heard to the end (Lamere 2014), of tracks largely chosen by hand; a library played at random does worse.
        taste_spread: standard deviation over the library of the taste that follows from sound. At 1 thirty opinions order unheard
            tracks by sound about as well as real people's do (Emotify: AUC .54 to .61); 1.5, as it was before, gives .65.
        artist_spread: of what this listener thinks of each artist beside the sound.
        quality_spread: of what all listeners agree on and the sound does not say: the like-rate of a track.
        own_spread: of what is this listener's alone and the sound does not say.
        liked_sounds, disliked_sounds: components of the two mixtures of sounds.
        concentration: κ of the mixtures' components: at 6 the nearest component decides wherever it is a cosine of .3
            nearer than the next, so a taste has several sides that no straight line separates.
        mood_spread: of a session's leaning towards one of the liked sounds.
        boredom: what a track loses right after it was played through.
        boredom_half_life: seconds in which that halves; interest comes back with rest (Kapoor et al. 2015).
        weariness: what a track loses for each track of the very same sound heard just now. An hour of cosine .6 costs
            about one logit.
        weariness_half_life: seconds in which that halves.
        session_plays: mean plays of a session (geometric).
        session_gap: mean seconds between sessions (exponential).
        inattention: share of plays that run to their end unheard, whatever they are.
        thumb_up, thumb_down: probability of a thumb on a liked or disliked play that is heard.
        early_skip, late_skip: probabilities of leaving a disliked play without a thumb, early or later.
        unneeded_skip: probability of leaving a liked one later. With these and the mean liking a third of random plays
            is left within 30 s and nearly half before the end, as Lamere found.
    """

    mean_liking: float = 0.4
    taste_spread: float = 1.0
    artist_spread: float = 0.5
    quality_spread: float = 0.5
    own_spread: float = 0.75
    liked_sounds: int = 3
    disliked_sounds: int = 3
    concentration: float = 6.0
    mood_spread: float = 0.5
    boredom: float = 2.0
    boredom_half_life: float = 4 * DAY
    weariness: float = 0.2
    weariness_half_life: float = HOUR / 3
    session_plays: float = 20.0
    session_gap: float = 1 * DAY
    inattention: float = 0.1
    thumb_up: float = 0.1
    thumb_down: float = 0.1
    early_skip: float = 0.55
    late_skip: float = 0.2
    unneeded_skip: float = 0.05


@dataclass(frozen=True, slots=True)
class Taste:
    """What a listener likes in the long run.

    Attributes:
        liked: (k,) tracks at the centres of the liked sounds.
        logits: (n,) log odds of liking each track, fresh and without mood.
    """

    liked: NDArray[np.int64]
    logits: Doubles

    @property
    def probability(self) -> Doubles:
        """(n,) of liking each track."""
        return logistic(self.logits)


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a listener did with one play.

    Attributes:
        likes: whether this play was liked: the truth, which the log only hints at.
        thumb: +1, -1 or 0 for none.
        share: of the track that was played, 0…1.
    """

    likes: bool
    thumb: int
    share: float

    @property
    def finished(self) -> bool:
        """Whether it was heard to its end."""
        return self.share >= LATEST_SKIP

    @property
    def early(self) -> bool:
        """Whether it was left early, by a skip or a thumb down."""
        return self.share * DURATION < EARLY_SECONDS


class Listener:
    """A listener in time: taste is fixed until :meth:`change_taste`, boredom and weariness follow what is heard.

    Boredom and weariness are satiation as a linear dynamical system (Leqi et al. 2021): each exposure adds
    to it, and it falls geometrically without one. Boredom is kept by track, weariness as one vector in content space,
    so that all that sounds alike wears.

    Args:
        world: what there is to hear.
        temperament: the kind of listener.
        seed: which one of that kind.
    """

    def __init__(self, world: World, temperament: Temperament, seed: int) -> None:
        self._world = world
        self._temperament = temperament
        self._seed = seed
        self._tastes = 0
        self.taste = self._draw_taste()
        self._mood = np.zeros(len(world))
        self._boredom = np.zeros(len(world))
        self._heard = np.zeros(world.space.vectors.shape[1])
        self._at = FIRST_SESSION

    def change_taste(self) -> None:
        """Take to other sounds from now on; what does not follow from sound stays."""
        self._tastes += 1
        self.taste = self._draw_taste()

    def begin_session(self, number: int) -> tuple[int, float]:
        """Begin the ``number``-th session: a new mood. Returns how many plays it has, and the pause before it."""
        rng = self._rng(Draw.SESSION, number)
        plays = int(rng.geometric(1.0 / self._temperament.session_plays))
        pause = float(rng.exponential(self._temperament.session_gap))
        vectors, towards = self._world.space.vectors, self.taste.liked[rng.integers(len(self.taste.liked))]
        self._mood = self._temperament.mood_spread * _standardised((vectors @ vectors[towards]).astype(np.float64))
        return plays, pause

    def liking(self, now: float) -> Doubles:
        """(n,) log odds of liking each track at this moment."""
        rested = now - self._at
        boredom = self._boredom * 0.5 ** (rested / self._temperament.boredom_half_life)
        sound = self._heard * 0.5 ** (rested / self._temperament.weariness_half_life)
        weariness = np.maximum(0.0, self._world.space.vectors @ sound)
        return (
            self.taste.logits
            + self._mood
            - self._temperament.boredom * boredom
            - self._temperament.weariness * weariness
        )

    def react(self, liking: float, play: int) -> Reaction:
        """What the listener does with a play.

        Args:
            liking: log odds of liking the track at its start.
            play: number of the play, which keys the luck.
        """
        habits = self._temperament
        rng = self._rng(Draw.REACTION, play)
        likes, listens, thumbs, leaves, where = rng.random(5)
        liked = bool(likes < logistic(np.array(liking)))
        if listens < habits.inattention:
            return Reaction(liked, 0, 1.0)
        if liked:
            thumb = int(thumbs < habits.thumb_up)
            return Reaction(liked, thumb, _late_share(where) if leaves < habits.unneeded_skip and not thumb else 1.0)
        if thumbs < habits.thumb_down:
            return Reaction(liked, -1, _early_share(where))
        if leaves < habits.early_skip:
            return Reaction(liked, 0, _early_share(where))
        return Reaction(liked, 0, _late_share(where) if leaves < habits.early_skip + habits.late_skip else 1.0)

    def hear(self, track: int, share: float, now: float) -> None:
        """Have heard this share of a track until ``now``."""
        rested = now - self._at
        self._boredom *= 0.5 ** (rested / self._temperament.boredom_half_life)
        self._heard *= 0.5 ** (rested / self._temperament.weariness_half_life)
        self._boredom[track] += share
        self._heard += share * self._world.space.vectors[track]
        self._at = now

    def verdicts(self) -> NDArray[np.bool_]:
        """(n,) whether each track would be liked, asked once about every one, fresh and without mood."""
        return self._rng(Draw.VERDICTS, self._tastes).random(len(self._world)) < self.taste.probability

    def _draw_taste(self) -> Taste:
        """Likes and dislikes centred on random tracks of the library, brought to the spread asked for.

        Had liked tracks the one mixture of sounds and disliked tracks the other, the log odds of liking would be the
        log ratio of the mixtures' densities (Bayes); that ratio is the taste.
        """
        habits, count = self._temperament, len(self._world)
        rng = self._rng(Draw.TASTE, self._tastes)
        centres = rng.choice(count, habits.liked_sounds + habits.disliked_sounds, replace=False)
        liked, disliked = centres[: habits.liked_sounds], centres[habits.liked_sounds :]
        sound = self._log_density(liked) - self._log_density(disliked)
        quality = np.random.default_rng(QUALITY_KEY).standard_normal(count)
        own = self._rng(Draw.OWN, 0).standard_normal(count)
        artist = self._world.ranking.artist
        artists = self._rng(Draw.ARTISTS, 0).standard_normal(int(artist.max()) + 1)[artist]
        logits = habits.taste_spread * _standardised(sound) + habits.artist_spread * artists
        logits += habits.quality_spread * quality + habits.own_spread * own
        return Taste(liked.astype(np.int64), logits + _level(logits, habits.mean_liking))

    def _log_density(self, centres: NDArray[np.int64]) -> Doubles:
        """(n,) log of an even mixture of von Mises–Fisher densities about these tracks, up to a constant."""
        vectors = self._world.space.vectors
        components = self._temperament.concentration * (vectors @ vectors[centres].T).astype(np.float64)
        return np.logaddexp.reduce(components, axis=1)

    def _rng(self, draw: Draw, number: int) -> np.random.Generator:
        return np.random.default_rng((self._seed, draw, number))


def logistic(logits: Doubles) -> Doubles:
    """Probabilities of log odds."""
    return 0.5 * (1.0 + np.tanh(0.5 * logits))


def _level(logits: Doubles, mean: float) -> float:
    """What to add to logits so that their mean probability is ``mean``, by bisection."""
    low, high = -20.0, 20.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if logistic(logits + middle).mean() < mean else (low, middle)
    return (low + high) / 2


def _standardised(column: Doubles) -> Doubles:
    """With mean 0 and standard deviation 1; zeros when it is constant."""
    spread = float(column.std())
    return np.zeros(len(column)) if spread == 0 else (column - column.mean()) / spread


def _early_share(luck: float) -> float:
    """Where an early skip falls: exponential, cut off at ``EARLY_SECONDS``."""
    room = 1.0 - np.exp(-(EARLY_SECONDS - QUICKEST_SKIP) / MEAN_EARLY_SKIP)
    return float(QUICKEST_SKIP - MEAN_EARLY_SKIP * np.log1p(-luck * room)) / DURATION


def _late_share(luck: float) -> float:
    """Where a later skip falls: anywhere between early and finished."""
    earliest = EARLY_SECONDS / DURATION
    return earliest + luck * (LATEST_SKIP - earliest)
