"""Sources that keep totals a track – play counts, a rating, the last play – instead of plays one by one.

A total does not say when its plays were, and no times are made up for it: the last play counts as one, and a track played
again and again counts as replayed once.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from player.integrations.history.entries import End, Entry, Judgement, Play, TrackName, key_of, possible
from player.storage.event_kinds import Kind

OFTEN = 5
"""Plays from which on a track is one the listener comes back to."""
LIKED_STARS, DISLIKED_STARS = 4.0, 2.0
"""Of five, as for ratings in data sets: from here on up, up to there down, between them neither."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What a source knows of one track.

    Attributes:
        identity: names the track within the source, the same at every reading.
        stars: 0…5, 0 for not rated.
        liked: thumb, heart or star; False for a dislike, None for neither.
        liked_us: when; None where unknown.
        known_us: when all this was so at the latest: the moment of what has no date of its own.
    """

    identity: str
    name: TrackName
    known_us: int
    plays: float = 0.0
    last_played_us: int | None = None
    last_skipped_us: int | None = None
    stars: float = 0.0
    liked: bool | None = None
    liked_us: int | None = None


def entries_of(source: str, totals: Totals) -> Iterator[Entry]:
    """What the totals come to, as entries."""

    def entry(said: Play | Judgement, *facts: object) -> Entry:
        return Entry(key_of(source, totals.identity, *facts), totals.name, said)

    played, skipped = totals.last_played_us, totals.last_skipped_us
    if played is not None and possible(played):
        yield entry(Play(End.FINISHED, ended_us=played), "played", played)
    if skipped is not None and possible(skipped):
        yield entry(Play(End.NEXT, ended_us=skipped), "skipped", skipped)
    if totals.plays >= OFTEN:
        yield entry(Judgement(Kind.REPLAY, _when(played, totals)), "often")
    if totals.stars >= LIKED_STARS or 0 < totals.stars <= DISLIKED_STARS:
        kind = Kind.UP if totals.stars >= LIKED_STARS else Kind.DOWN
        yield entry(Judgement(kind, _when(None, totals)), "stars", kind)
    if totals.liked is not None:
        kind = Kind.UP if totals.liked else Kind.DOWN
        yield entry(Judgement(kind, _when(totals.liked_us, totals)), "liked", kind)


def _when(moment: int | None, totals: Totals) -> int:
    return moment if moment is not None and possible(moment) else totals.known_us
