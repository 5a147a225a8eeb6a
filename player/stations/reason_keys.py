"""The reasons that "less because of this" can take away from a station, and how the log calls them.

A reason is written as ``part:sequence`` (a part of the score), ``label:12`` (what was told about track 12) or
``seed:genre:Classical`` (one of the station's seeds). Only what the score is really made of can be taken out of it: a tag
that a reason names is an observation about the seeds, and variety and exploration are the dial's.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from player.errors import PlayerError
from player.stations.seeds import Seed
from recommender.models.station_scorer import Muted
from recommender.ranking.explain import ScorePart

ReasonKind = Literal["part", "label", "seed"]
REASON_KINDS: tuple[str, ...] = get_args(ReasonKind)
MUTABLE_PARTS: Mapping[str, ScorePart] = {
    part.name.lower(): part for part in (ScorePart.HEAD, ScorePart.CLEP, ScorePart.SEQUENCE, ScorePart.REPETITION)
}
"""By the name in the key. The seeds are taken away one by one, since without any a station is not that station."""
NOT_MUTABLE: Mapping[str, str] = {
    "seed": "This is what the station is based on; take its parts away one by one",
    "tag": "A tag is heard in a track, it is no part of its score; take away the part of the station that it is shared with",
    "mode": "How the station plays is its mode; choose another one",
    "dial": "How familiar or new the tracks are is set by the dial",
    "diversity": "Variety is set by the dial from familiar to discover",
    "exploration": "Exploration is set by the dial from familiar to discover",
}
"""Why the others stay."""


@dataclass(frozen=True, slots=True)
class ReasonKey:
    """A reason as the log calls it."""

    kind: ReasonKind
    value: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"

    @property
    def part(self) -> ScorePart | None:
        """The part it takes away, if any."""
        return MUTABLE_PARTS.get(self.value) if self.kind == "part" else None

    @property
    def track(self) -> int | None:
        """The track whose labels it takes away, if any."""
        return int(self.value) if self.kind == "label" else None

    @property
    def seed(self) -> Seed | None:
        """The seed it takes away, if any."""
        if self.kind != "seed":
            return None
        kind, _, value = self.value.partition(":")
        return Seed(kind, value)


def part_key(part: ScorePart) -> ReasonKey:
    """The key of a part, be it one that can be taken away or one that stays."""
    return ReasonKey("part", part.name.lower())


def label_key(track_id: int) -> ReasonKey:
    """The key that takes away what was told about a track."""
    return ReasonKey("label", str(track_id))


def seed_key(seed: Seed) -> ReasonKey:
    """The key that takes a seed away."""
    return ReasonKey("seed", str(seed))


def parse_reason(text: str) -> ReasonKey:
    """Read a key.

    Raises:
        PlayerError: it names no reason that can be taken away; the sentence says why.
    """
    kind, _, value = text.strip().partition(":")
    if kind == "part" and value in NOT_MUTABLE:
        raise PlayerError(f"{NOT_MUTABLE[value]}.")
    if kind == "tag":
        raise PlayerError(f"{NOT_MUTABLE['tag']}.")
    if kind == "part" and value in MUTABLE_PARTS:
        return ReasonKey("part", value)
    if kind == "label" and value.isdecimal():
        return ReasonKey("label", value)
    if kind == "seed" and value:
        return ReasonKey("seed", value)
    known = ", ".join(f"part:{name}" for name in MUTABLE_PARTS)
    raise PlayerError(f"“{text}” is not a reason; reasons are {known}, label:TRACK and seed:KIND:VALUE.")


def readable(keys: Collection[str]) -> list[ReasonKey]:
    """The keys that are understood; those of a newer player are passed over."""
    found: list[ReasonKey] = []
    for text in sorted(keys):
        try:
            found.append(parse_reason(text))
        except PlayerError:
            continue
    return found


def muted_of(keys: Collection[str], index: Mapping[int, int]) -> Muted:
    """What the recommender leaves out.

    Args:
        keys: a station's, from the log.
        index: track id → row.
    """
    reasons = readable(keys)
    labels = frozenset(index[key.track] for key in reasons if key.track is not None and key.track in index)
    return Muted(labels, frozenset(key.part for key in reasons if key.part is not None))


def seeds_left(seeds: Sequence[Seed], keys: Collection[str]) -> tuple[Seed, ...]:
    """A station's seeds without those taken away; all of them where none would be left."""
    gone = {key.seed for key in readable(keys)}
    left = tuple(seed for seed in seeds if seed not in gone)
    return left or tuple(seeds)


def check_less(key: ReasonKey, seeds: Sequence[Seed], muted: Collection[str]) -> None:
    """Make sure that a reason can be taken away.

    Args:
        key: the reason.
        seeds: the station's.
        muted: what was taken away from it already.

    Raises:
        PlayerError: it was taken away before, or it is no seed of the station, or its last one.
    """
    if str(key) in muted:
        raise PlayerError("This is ignored here already.")
    if key.seed is None:
        return
    if key.seed not in seeds:
        raise PlayerError(f"{key.seed} is no seed of this station.")
    if seeds_left(seeds, muted) == (key.seed,):
        raise PlayerError("This is the station's last seed; without one it would be no station.")
