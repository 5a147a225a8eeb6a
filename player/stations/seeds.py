"""Seeds: what a station grows from, as it is written and as it is said."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from player.errors import PlayerError
from player.library.query import MOOD
from player.library.tracks import TrackRow

SeedKind = Literal["track", "artist", "album", "genre", "tag", "query", "library"]
SEED_KINDS: tuple[str, ...] = get_args(SeedKind)
SEEDS_TO_WRITE = "track:ID, artist:NAME, album:NAME, genre:NAME, tag:NAME, query:SEARCH or library"


@dataclass(frozen=True, slots=True)
class Seed:
    """One seed: ``track:12``, ``artist:NAME``, ``album:NAME``, ``genre:NAME``, ``tag:NAME``, ``query:WORDS`` or ``library``."""

    kind: str
    value: str = ""

    def __str__(self) -> str:
        return self.kind if self.kind == "library" else f"{self.kind}:{self.value}"


Sign = Literal["not", "more", "less"]


@dataclass(frozen=True, slots=True)
class SignedSeed:
    """What a station is not to play, or is to have more or less of: a seed with a sign.

    A station's tracks are apart from all that a "not" names, and what sounds like it comes less.
    """

    sign: Sign
    seed: Seed

    def __str__(self) -> str:
        return f"{self.sign} {self.seed}"


def signed(kind: str, value: str) -> Seed | SignedSeed:
    """A seed or leaning from how it is kept: the sign stands before the kind."""
    for sign in get_args(Sign):
        if kind.startswith(f"{sign} "):
            return SignedSeed(sign, Seed(kind.removeprefix(f"{sign} "), value))
    return Seed(kind, value)


def written(one: Seed | SignedSeed) -> tuple[str, str]:
    """Kind and value as they are kept; :func:`signed` reads them."""
    return (f"{one.sign} {one.seed.kind}", one.seed.value) if isinstance(one, SignedSeed) else (one.kind, one.value)


def apart(kept: Iterable[Seed | SignedSeed]) -> tuple[tuple[Seed, ...], tuple[SignedSeed, ...]]:
    """Seeds and leanings apart from each other."""
    both = list(kept)
    return tuple(one for one in both if isinstance(one, Seed)), tuple(
        one for one in both if isinstance(one, SignedSeed)
    )


def parse_seed(text: str) -> Seed:
    """Read ``kind:value``.

    Raises:
        PlayerError: the text is not a seed.
    """
    kind, _, value = text.partition(":")
    kind, value = kind.strip().lower(), value.strip()
    if kind == MOOD:
        kind = "tag"
    if kind == "library" and not value:
        return Seed("library")
    if kind not in SEED_KINDS or kind == "library" or not value:
        raise PlayerError(f"“{text}” is not a seed; a seed is {SEEDS_TO_WRITE}.")
    if kind == "track" and not value.isdecimal():
        raise PlayerError(f"“{text}”: a track seed takes the number that `player tracks` shows, as in track:12.")
    return Seed(kind, value)


def describe_seeds(seeds: Sequence[Seed | SignedSeed], rows: Iterable[TrackRow]) -> str:
    """Seeds as words for the screen: ``genre Classical, mellow, not artist Brahms``."""

    def words(seed: Seed | SignedSeed) -> str:
        if isinstance(seed, SignedSeed):
            return f"{seed.sign} {words(seed.seed)}"
        match seed.kind:
            case "library":
                return "the whole library"
            case "track":
                title = next((row.title for row in rows if row.id == int(seed.value)), "a track that is gone")
                return f"“{title}”"
            case "tag":
                return seed.value
            case "query":
                return f"search {seed.value}"
            case _:
                return f"{seed.kind} {seed.value}"

    return ", ".join(words(seed) for seed in seeds)
