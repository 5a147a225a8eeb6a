"""What is known of a listener's habits with a track at the moment of decision, and how it moves with every play.

The same code serves a walk through a log, row by row, and the ranking of a whole library: :meth:`Habits.features` looks at
any tracks in one state, :meth:`Habits.add` moves the state by one play. All figures of a track, its artist and its album are
columns of one table, so that a row is looked up once.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from recommender.habits.plays import SESSION_GAP, PlayedTracks, Plays

Floats = NDArray[np.float64]

DAY = 86_400.0
HOUR = 3_600.0
HALF_LIVES = (1.0, 7.0, 30.0, 120.0)
"""Days after which a verdict counts half: a mood, a week's favourite, a month's, and a standing taste."""
STRENGTHS = (8.0, 4.0, 4.0)
"""Verdicts that the rate of the next larger thing counts as in that of an artist, an album and a track (empirical Bayes)."""
KINDS = ("artist", "album", "track")
RECENT = (5, 20)
"""Plays that the listener's state is told by."""
ACCORD_REACH, ACCORD_BACK = 3, 6
"""Verdicts that one is compared with to learn which tracks go together, and that speak for a track when it is foretold."""
ACCORD_STRENGTH = 4.0
"""Verdicts added to a track's own where its pairs are counted, so that one agreement is not full accord."""


_LIVES, _STRENGTHS = np.array(HALF_LIVES), np.array(STRENGTHS)
SKIPPED_OR_NOT = 0.5
"""What stands for a verdict that is not there."""
LEANING_KEPT = 0.7
"""Of what a session's verdicts lean to, kept at the next one: the last three or four say most of it."""
LEANINGS = 5
"""Steps of that in which the share heard out is counted."""
BEYOND_LIFE = 2
"""Place of the half-life by which what lies beyond expectation fades: a month."""
USUAL_SHARE = 0.6
"""Share of a track that is heard in the mean, as the prior of a track's own."""
WEEK_STRENGTH = 5.0
"""Verdicts that the listener's level counts as in the rate of their week."""


class _Column(IntEnum):
    """What is kept of every artist, album and track."""

    LIKED = 0
    SKIPPED = 1
    FADING_LIKED = 2
    FADING_SKIPPED = 2 + len(HALF_LIVES)
    LAST = 2 + 2 * len(HALF_LIVES)
    LAST_LIKED = LAST + 1
    LAST_SKIPPED = LAST + 2
    NEWEST = LAST + 3
    BEFORE = LAST + 4
    SHARES = LAST + 5
    PLAYS = LAST + 6
    RUN = LAST + 7
    SESSION = LAST + 8
    SESSION_LIKED = LAST + 9
    SESSION_SKIPPED = LAST + 10
    BEYOND = LAST + 11
    FADING_BEYOND = LAST + 12
    TRACKS = LAST + 13


_FADING = slice(_Column.FADING_LIKED, _Column.LAST)
_FADING_LIKED = slice(_Column.FADING_LIKED, _Column.FADING_SKIPPED)
_FADING_SKIPPED = slice(_Column.FADING_SKIPPED, _Column.LAST)
_MOMENTS = slice(_Column.LAST, _Column.NEWEST)
_ACCORDING = [0, 2]
"""Kinds of which pairs go together or not: artists and tracks."""

OF_EACH = (
    "rate",
    "alone",
    "verdicts",
    *(f"rate_{days:g}d" for days in HALF_LIVES),
    *(f"verdicts_{days:g}d" for days in HALF_LIVES),
    "since",
    "since_liked",
    "since_skipped",
    "newest",
    "before",
    "share",
    "plays",
    "run",
    "session_liked",
    "session_skipped",
    "beyond",
    f"beyond_{HALF_LIVES[BEYOND_LIFE]:g}d",
)
"""Features of an artist, an album and a track alike."""
OF_TRACK = (
    "artist_tracks",
    "album_tracks",
    "same_artist",
    "same_album",
    "same_track",
    "artist_accord",
    "accord",
)
STATE = ("last", *(f"last_{count}" for count in RECENT), "rate_7d", "level", "hand", "hour_sin", "hour_cos", "weekday")
"""Features of the listener's state, the same for all tracks: inputs when learning, neutral when ranking."""
FEATURES = (*(f"{kind}_{name}" for kind in KINDS for name in OF_EACH), *OF_TRACK, *STATE)
INDEX: Mapping[str, int] = {name: place for place, name in enumerate(FEATURES)}
IS_STATE = np.array([name in STATE for name in FEATURES])


@dataclass(frozen=True, slots=True)
class Sight:
    """What is kept of some tracks at a moment, before it is made features of; (m, …) each.

    Attributes:
        seen: (m, kinds, columns) of the table.
        now: (m,) seconds since 1970.
        session: (m,) the session of the moment.
        level: (m,) share of all verdicts that are likes.
        accord: (m, 2) how far this session's last verdicts speak for the artist and the track.
        same: (m, kinds) whether artist, album and track are the last play's.
        state: (m, states) of the listener.
    """

    seen: Floats
    now: Floats
    session: Floats
    level: Floats
    accord: Floats
    same: NDArray[np.bool_]
    state: Floats

    @classmethod
    def empty(cls, count: int) -> "Sight":
        """Room for so many."""
        kinds = len(KINDS)
        return cls(
            seen=np.zeros((count, kinds, _Column.TRACKS + 1)),
            now=np.zeros(count),
            session=np.zeros(count),
            level=np.zeros(count),
            accord=np.zeros((count, len(_ACCORDING))),
            same=np.zeros((count, kinds), np.bool_),
            state=np.zeros((count, len(STATE))),
        )

    def first(self, count: int) -> "Sight":
        """The first rows."""
        return Sight(**{column.name: getattr(self, column.name)[:count] for column in fields(self)})

    def features(self) -> NDArray[np.float32]:
        """(m, features) in the order of :data:`FEATURES`, NaN where there is nothing to know."""
        count = len(self.now)
        out = np.empty((count, len(FEATURES)), np.float32)
        at = len(KINDS) * len(OF_EACH)
        self._of_each(out[:, :at].reshape(count, len(KINDS), -1))
        out[:, at : at + 2] = np.log1p(self.seen[:, :2, _Column.TRACKS])
        out[:, at + 2 : at + 5] = self.same
        verdicts = self.seen[:, _ACCORDING, _Column.LIKED] + self.seen[:, _ACCORDING, _Column.SKIPPED]
        out[:, at + 5 : at + 7] = self.accord / np.sqrt(verdicts + ACCORD_STRENGTH)
        out[:, at + 7 :] = self.state
        return out

    def _of_each(self, out: NDArray[np.float32]) -> None:
        """Fill in (m, kinds, features)."""
        seen, now, level = self.seen, self.now[:, None], self.level[:, None]
        liked, skipped = seen[..., _Column.LIKED], seen[..., _Column.SKIPPED]
        rate, above = np.empty(liked.shape), self.level
        for place, strength in enumerate(STRENGTHS):
            above = (liked[:, place] + strength * above) / (liked[:, place] + skipped[:, place] + strength)
            rate[:, place] = above
        out[..., 0] = rate
        out[..., 1] = (liked + _STRENGTHS * level) / (liked + skipped + _STRENGTHS)
        out[..., 2] = np.log1p(liked + skipped)
        days = np.maximum(now - seen[..., _Column.LAST], 0.0) / DAY
        fade = np.nan_to_num(np.exp2(-days[..., None] / _LIVES))
        up, both = seen[..., _FADING_LIKED] * fade, (seen[..., _FADING_LIKED] + seen[..., _FADING_SKIPPED]) * fade
        half, count = _STRENGTHS[:, None] / 2.0, len(HALF_LIVES)
        out[..., 3 : 3 + count] = (up + half * rate[..., None]) / (both + half)
        out[..., 3 + count : 3 + 2 * count] = np.log1p(both)
        at = 3 + 2 * count
        out[..., at : at + 3] = np.log1p(np.maximum(now[..., None] - seen[..., _MOMENTS], 0.0) / HOUR)
        out[..., at + 3] = seen[..., _Column.NEWEST]
        out[..., at + 4] = seen[..., _Column.BEFORE]
        plays = seen[..., _Column.PLAYS]
        out[..., at + 5] = (seen[..., _Column.SHARES] + _STRENGTHS * USUAL_SHARE) / (plays + _STRENGTHS)
        out[..., at + 6] = np.log1p(plays)
        out[..., at + 7] = seen[..., _Column.RUN]
        here = seen[..., _Column.SESSION] == self.session[:, None]
        out[..., at + 8] = np.where(here, seen[..., _Column.SESSION_LIKED], 0.0)
        out[..., at + 9] = np.where(here, seen[..., _Column.SESSION_SKIPPED], 0.0)
        out[..., at + 10] = seen[..., _Column.BEYOND] / (liked + skipped + _STRENGTHS)
        beyond = seen[..., _Column.FADING_BEYOND] * fade[..., BEYOND_LIFE]
        out[..., at + 11] = beyond / (both[..., BEYOND_LIFE] + half[:, 0])


class Expectation:
    """The share heard out that a session's verdicts so far make one expect, counted as they come.

    Skips come in bursts: what a verdict says of its track is by how much it differs from that.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[int, int], list[float]] = {}
        self._session, self._last, self._leaning = -1, 0, SKIPPED_OR_NOT

    def beyond(self, verdict: int, session: int) -> float:
        """How far a verdict (1 or -1) lies beyond what was expected, from -1 to 1; then expect by it too."""
        if session != self._session:
            self._session, self._last, self._leaning = session, 0, SKIPPED_OR_NOT
        cell = self._last, min(int(self._leaning * LEANINGS), LEANINGS - 1)
        counts = self._counts.setdefault(cell, [1.0, 1.0])
        liked = verdict > 0
        found = liked - counts[1] / (counts[0] + counts[1])
        counts[liked] += 1
        self._last, self._leaning = verdict, LEANING_KEPT * self._leaning + (1.0 - LEANING_KEPT) * liked
        return found


@dataclass(frozen=True, slots=True)
class _Told:
    """A verdict of this session: on which artist and track, and over the roots of how many each had."""

    entity: list[int]
    verdict: int
    worth: list[float]


class Habits:
    """The state of one listener's habits after some plays.

    Args:
        catalogue: the tracks.
    """

    def __init__(self, catalogue: PlayedTracks) -> None:
        artists, albums = (int(column.max(initial=-1)) + 1 for column in (catalogue.artist, catalogue.album))
        tracks = len(catalogue)
        self._member = np.stack([catalogue.artist, artists + catalogue.album, artists + albums + np.arange(tracks)], 1)
        self._table = np.zeros((artists + albums + tracks, _Column.TRACKS + 1))
        self._table[:, _MOMENTS] = np.nan
        self._table[:, [_Column.NEWEST, _Column.BEFORE]] = SKIPPED_OR_NOT
        self._table[:, _Column.SESSION] = -1
        self._total, self._week = np.ones(2), np.zeros(2)
        self._recent: list[float] = []
        self._together: dict[int, dict[int, float]] = {}
        self._expectation = Expectation()
        self._told: list[_Told] = []
        self._last_track, self._session, self._hand, self._now = -1, 0, 0.0, -np.inf

    @classmethod
    def of(cls, plays: Plays) -> "Habits":
        """The state after all these plays, worked out at once: the same as adding one after the other."""
        habits = cls(plays.catalogue)
        if len(plays):
            told = np.where(plays.verdict == 0, plays.share, plays.verdict > 0)
            habits._tabulate(plays, told)
            habits._listener_after(plays, told)
        return habits

    def _tabulate(self, plays: Plays, told: Floats) -> None:
        """Fill in the table, in which a play counts for its artist, its album and its track."""
        table, kinds, rows = self._table, len(KINDS), len(self._table)
        entity = self._member[plays.track].ravel()
        ended, verdict = np.repeat(plays.ended, kinds), np.repeat(plays.verdict, kinds)
        session, share = np.repeat(plays.session, kinds), np.repeat(plays.share, kinds)
        newest_told = np.repeat(told, kinds)
        place = np.arange(len(entity))
        newest = np.full((3, rows), -1)
        for side, mask in enumerate((np.ones(len(entity), np.bool_), verdict > 0, verdict < 0)):
            np.maximum.at(newest[side], entity[mask], place[mask])
            known = newest[side] >= 0
            table[known, _Column.LAST + side] = ended[newest[side][known]]
        known, last = newest[0] >= 0, newest[0]
        table[known, _Column.NEWEST] = newest_told[last[known]]
        earlier = np.full(rows, -1)
        older = place != last[entity]
        np.maximum.at(earlier, entity[older], place[older])
        table[earlier >= 0, _Column.BEFORE] = newest_told[earlier[earlier >= 0]]
        table[known, _Column.SESSION] = session[last[known]]
        now_on = session == table[entity, _Column.SESSION]
        fade = np.exp2(-(table[entity, _Column.LAST] - ended)[:, None] / DAY / _LIVES)
        beyond, judged = np.zeros(len(entity)), np.flatnonzero(plays.verdict)
        each = zip(plays.verdict[judged].tolist(), plays.session[judged].tolist(), strict=True)
        beyond.reshape(-1, kinds)[judged] = np.array([self._expectation.beyond(*one) for one in each])[:, None]
        table[:, _Column.BEYOND] = np.bincount(entity, beyond, rows)
        table[:, _Column.FADING_BEYOND] = np.bincount(entity, beyond * fade[:, BEYOND_LIFE], rows)
        runs = np.zeros((2, rows))
        for side, mask in enumerate((verdict > 0, verdict < 0)):
            of_side = entity[mask]
            table[:, _Column.LIKED + side] = np.bincount(of_side, minlength=rows)
            begin = (_Column.FADING_LIKED, _Column.FADING_SKIPPED)[side]
            for life in range(len(HALF_LIVES)):
                table[:, begin + life] = np.bincount(of_side, fade[mask, life], rows)
            table[:, _Column.SESSION_LIKED + side] = np.bincount(entity[mask & now_on], minlength=rows)
            runs[side] = np.bincount(entity[mask & (place > newest[2 - side][entity])], minlength=rows)
        table[:, _Column.RUN] = runs[0] - runs[1]
        table[:, _Column.SHARES] = np.bincount(entity, share, rows)
        table[:, _Column.PLAYS] = np.bincount(entity, minlength=rows)
        table[:, _Column.TRACKS] = np.bincount(self._member[np.unique(plays.track), :2].ravel(), minlength=rows)

    def _listener_after(self, plays: Plays, told: Floats) -> None:
        """Set what is known of the listener, and which tracks went together."""
        fade = np.exp2(-(plays.ended[-1] - plays.ended) / DAY / HALF_LIVES[1])
        for side, mask in enumerate((plays.verdict > 0, plays.verdict < 0)):
            self._total[side] += np.count_nonzero(mask)
            self._week[side] = fade[mask].sum()
        self._recent = told[-RECENT[-1] :].tolist()
        self._last_track, self._session = int(plays.track[-1]), int(plays.session[-1])
        self._hand, self._now = float(plays.chosen[-1] > 0), float(plays.ended[-1])
        judged = np.flatnonzero(plays.verdict)
        verdict, session = plays.verdict[judged].astype(np.int64), plays.session[judged]
        counts = np.zeros(len(self._table), np.int64)
        here = np.searchsorted(session, plays.session[-1])
        for kind in _ACCORDING:
            entity = self._member[plays.track[judged], kind]
            for lag in range(1, ACCORD_REACH + 1):
                near = np.flatnonzero((session[lag:] == session[:-lag]) & (entity[lag:] != entity[:-lag]))
                one, two = entity[near + lag].tolist(), entity[near].tolist()
                for first, second, agree in zip(one, two, (verdict[near + lag] * verdict[near]).tolist(), strict=True):
                    self._go_together(first, second, agree)
            np.add.at(counts, entity[:here], 1)
        for track, own in zip(plays.track[judged[here:]].tolist(), verdict[here:].tolist(), strict=True):
            both = self._member[track, _ACCORDING]
            counts[both] += 1
            self._tell(both.tolist(), own, counts[both].tolist())

    def features(self, tracks: NDArray[np.int64], now: float) -> NDArray[np.float32]:
        """(m, features) of these tracks (m,) at a moment of decision, in the order of :data:`FEATURES`."""
        sight = Sight.empty(len(tracks))
        self.look(tracks, now, sight, slice(None))
        return sight.features()

    def look(self, tracks: NDArray[np.int64], now: float, sight: Sight, rows: slice) -> None:
        """Fill in rows of a sight: tracks (m,) at a moment."""
        member = self._member[tracks]
        going_on = now - self._now <= SESSION_GAP
        level = self._total[0] / (self._total[0] + self._total[1])
        sight.seen[rows] = self._table[member]
        sight.now[rows], sight.level[rows] = now, level
        sight.session[rows] = self._session if going_on else self._session + 1
        if going_on and self._told:
            sight.accord[rows] = [
                [self._accord(place, entity) for place, entity in enumerate(both)]
                for both in member[:, _ACCORDING].tolist()
            ]
        if self._last_track >= 0:
            sight.same[rows] = member == self._member[self._last_track]
        sight.state[rows] = self._state(level, now)

    def _accord(self, place: int, entity: int) -> float:
        """Item-to-item collaborative filtering (Sarwar et al. 2001) within one person, of artists or of tracks.

        Of the pairs of verdicts near each other in a session, those that agree less those that differ.
        """
        together = self._together.get(entity)
        return sum(one.worth[place] * together.get(one.entity[place], 0.0) for one in self._told) if together else 0.0

    def _state(self, level: float, now: float) -> list[float]:
        recent = self._recent or [SKIPPED_OR_NOT]
        week = self._week * (2.0 ** (-max(0.0, now - self._now) / DAY / HALF_LIVES[1]) if self._recent else 1.0)
        angle = now / DAY * 2.0 * math.pi
        return [
            recent[-1],
            *(sum(recent[-count:]) / len(recent[-count:]) for count in RECENT),
            (week[0] + WEEK_STRENGTH * level) / (week[0] + week[1] + WEEK_STRENGTH),
            level,
            self._hand,
            math.sin(angle),
            math.cos(angle),
            now // DAY % 7,
        ]

    def add(self, track: int, ended: float, share: float, verdict: int, chosen: int, session: int) -> None:
        """Move the state by a play; its columns are those of :class:`recommender.habits.plays.Plays`."""
        rows = self._member[track]
        kept = self._table[rows]
        new = kept[:, _Column.PLAYS] == 0
        days = np.where(new, 0.0, np.maximum(ended - kept[:, _Column.LAST], 0.0) / DAY)
        fade = np.exp2(-days[:, None] / _LIVES)
        kept[:, _FADING] *= np.tile(fade, 2)
        kept[:, _Column.FADING_BEYOND] *= fade[:, BEYOND_LIFE]
        kept[:, _Column.LAST] = ended
        kept[kept[:, _Column.SESSION] != session, _Column.SESSION_LIKED : _Column.SESSION_SKIPPED + 1] = 0.0
        kept[:, _Column.SESSION] = session
        kept[:, _Column.BEFORE] = kept[:, _Column.NEWEST]
        kept[:, _Column.NEWEST] = told = share if verdict == 0 else float(verdict > 0)
        kept[:, _Column.SHARES] += share
        kept[:, _Column.PLAYS] += 1
        kept[:2, _Column.TRACKS] += new[2]
        if verdict:
            side = int(verdict < 0)
            kept[:, _Column.LIKED + side] += 1
            begin = (_Column.FADING_LIKED, _Column.FADING_SKIPPED)[side]
            kept[:, begin : begin + len(HALF_LIVES)] += 1
            kept[:, [_Column.BEYOND, _Column.FADING_BEYOND]] += self._expectation.beyond(verdict, session)
            kept[:, _Column.LAST_LIKED + side] = ended
            kept[:, _Column.SESSION_LIKED + side] += 1
            run = kept[:, _Column.RUN]
            kept[:, _Column.RUN] = np.maximum(1, run + 1) if verdict > 0 else np.minimum(-1, run - 1)
        self._table[rows] = kept
        if session != self._session:
            self._told = []
        if verdict:
            verdicts = kept[_ACCORDING, _Column.LIKED] + kept[_ACCORDING, _Column.SKIPPED]
            self._agree(rows[_ACCORDING].tolist(), verdict, verdicts.tolist())
        self._move_listener(track, ended, told, verdict)
        self._session, self._hand, self._now = session, float(chosen > 0), ended

    def _agree(self, both: list[int], verdict: int, verdicts: list[float]) -> None:
        """Remember how a verdict on an artist and a track agrees with those just before it."""
        for told in self._told[-ACCORD_REACH:]:
            for one, other in zip(both, told.entity, strict=True):
                if one != other:
                    self._go_together(one, other, verdict * told.verdict)
        self._tell(both, verdict, verdicts)

    def _go_together(self, entity: int, other: int, agreement: float) -> None:
        for one, two in ((entity, other), (other, entity)):
            together = self._together.setdefault(one, {})
            together[two] = together.get(two, 0.0) + agreement

    def _tell(self, both: list[int], verdict: int, verdicts: list[float]) -> None:
        worth = [verdict / (count + ACCORD_STRENGTH) ** 0.5 for count in verdicts]
        self._told = [*self._told[-ACCORD_BACK + 1 :], _Told(both, verdict, worth)]

    def session_at(self, moment: float) -> int:
        """The session that a play at a moment belongs to."""
        return self._session + (moment - self._now > SESSION_GAP if self._recent else 0)

    def touching(self) -> NDArray[np.int64]:
        """Tracks that were heard whose features hang on the last plays besides their own.

        Those are the last track, and what goes with this session's tracks and artists.
        """
        found = {other for told in self._told for entity in told.entity for other in self._together.get(entity, ())}
        near: NDArray[np.bool_] = np.asarray(np.isin(self._member[:, _ACCORDING], list(found)).any(axis=1))
        if self._last_track >= 0:
            near[self._last_track] = True
        return np.flatnonzero(near & (self._table[self._member[:, 2], _Column.PLAYS] > 0))

    def known(self) -> NDArray[np.bool_]:
        """(n,) tracks of which there is anything to know: the track, its artist or its album was heard."""
        return self._table[self._member, _Column.PLAYS].max(axis=1) > 0

    def _move_listener(self, track: int, ended: float, told: float, verdict: int) -> None:
        if self._recent:
            self._week *= 2.0 ** (-max(0.0, ended - self._now) / DAY / HALF_LIVES[1])
        if verdict:
            self._total[int(verdict < 0)] += 1
            self._week[int(verdict < 0)] += 1
        self._recent = [*self._recent[-RECENT[-1] + 1 :], told]
        self._last_track = track


def walk(plays: Plays, report: Callable[[int], None] | None = None) -> NDArray[np.float32]:
    """(N, features) of every play, each in the state of its moment of decision.

    Args:
        plays: of one listener.
        report: told from time to time how many are done.
    """
    habits, moment = Habits(plays.catalogue), plays.moment
    table = np.empty((len(plays), len(FEATURES)), np.float32)
    columns = (plays.track, plays.ended, plays.share, plays.verdict, plays.chosen, plays.session)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    sight, begun = Sight.empty(WALKED_TOGETHER), 0
    for row, play in enumerate(rows):
        place = row - begun
        habits.look(plays.track[row : row + 1], moment[row], sight, slice(place, place + 1))
        habits.add(*play)
        if place + 1 == WALKED_TOGETHER or row + 1 == len(plays):
            table[begun : row + 1] = sight.first(place + 1).features()
            sight, begun = Sight.empty(WALKED_TOGETHER), row + 1
            if report is not None:
                report(begun)
    return table


WALKED_TOGETHER = 2048
"""Plays whose features are worked out at once: a megabyte of what is kept."""
