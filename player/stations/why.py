"""Why a track stands where it stands: its utility taken apart, and what it would be without each part.

The parts are those that the ranking added up (see ``recommender.ranking.explain``); what was told about other tracks is
taken apart further, track by track, and these influences sum to the running update's part. Nothing here is estimated
afterwards: what is shown is what was computed.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from player.feedback.events import ListeningState
from player.stations.reason_keys import NOT_MUTABLE, label_key, part_key, readable, seed_key
from player.stations.reasons import VERB_OF, Reasons
from player.stations.seeds import Seed, describe_seeds
from player.stations.station_queue import RankedQueue
from player.stations.station_scoring import StationScorer
from player.stations.track_views import MutedReason, Why, WhyLabel, WhyPart, WhySeed
from recommender.models.content_space import seed_similarity
from recommender.ranking.explain import ScorePart, Share, Terms, decompose
from recommender.ranking.rank import Placer, RankedTrack, View

LABELS_SHOWN = 6
"""What was told about so many tracks is named, the strongest first; the rest is summed up."""
ROUNDING = 1e-9
"""Logits below this are what adding and subtracting leave behind."""
PART_NAMES = {
    ScorePart.SEED: "sounds like the station",
    ScorePart.HEAD: "your feedback",
    ScorePart.CLEP: "your taste in sound",
    ScorePart.SEQUENCE: "what you heard last",
    ScorePart.REPETITION: "heard before, rested",
    ScorePart.MODE: "how the station plays",
    ScorePart.DIAL: "familiar or new",
    ScorePart.DIVERSITY: "variety",
}
"""As the panel calls the parts."""
LEARNED = frozenset({ScorePart.CLEP, ScorePart.SEQUENCE, ScorePart.REPETITION})
"""Parts that say nothing before a first training."""
SPEAKS_FOR_OR_AGAINST = {
    ScorePart.CLEP: ("sounds like what you tend to like", "others sound more like what you like"),
    ScorePart.SEQUENCE: ("goes with it", "others go with it better"),
    ScorePart.DIVERSITY: ("unlike the tracks before it", "close to the tracks before it"),
}


def why(
    queue: RankedQueue, scorer: StationScorer, state: ListeningState, row: int, now: float, *, played: int = 0
) -> Why:
    """Explain a track: at its place of the queue, or, where it has none, at the first one.

    Args:
        queue: the ranking, all its places included.
        scorer: that made its scores.
        state: for what is muted, and when tracks were last played.
        row: the track's row in the collection.
        now: seconds since 1970.
        played: how many of the queue's places, from its front, are playing or over.
    """
    return _Panel(queue, scorer, state, row, now, played).why()


class _Panel:
    """The explanation of one track; what several of its lines share is computed once."""

    def __init__(
        self, queue: RankedQueue, scorer: StationScorer, state: ListeningState, row: int, now: float, played: int
    ) -> None:
        tracks = queue.ranking.tracks
        self._index = tracks.index(row) if row in tracks else None
        self._played = played
        arm = None if self._index is None else queue.arm(self._index)
        if arm is not None:  # in a trial a row is explained by what the arm that chose it ranks by
            queue, scorer = replace(arm.queue, ranking=queue.ranking), arm.scorer
        self._queue = queue
        self._scorer = scorer
        self._collection = scorer.collection
        self._state = state
        self._row = row
        ahead = tracks[: played if self._index is None else self._index]
        view = Placer(scorer.collection.catalogue, queue.request, queued=ahead).view()
        self._view = view
        self._terms = terms(queue, view)
        self._made = decompose(self._terms, row)
        self._reasons = Reasons(queue, scorer, state, now)
        self._likeness = scorer.likeness(row)

    def why(self) -> Why:
        """All of it."""
        made, station = self._made, self._scorer.station
        labels, others = self._labels()
        ranked = self._ranked()
        return Why(
            track=self._collection.rows[self._row],
            station_id=station.id,
            station=station.name,
            reason=self._reasons.of(ranked),
            place=None if self._index is None else self._index - self._played + 1,
            blocked=self._blocked(),
            pinned=ranked.pinned,
            parts=self._parts(),
            labels=labels,
            other_labels=len(others),
            other_lead=float(sum(others)),
            seeds=self._seeds(),
            utility=made.utility,
            lead=made.lead,
            rank=made.rank,
            eligible=made.eligible,
            given_up=made.given_up,
            propensity=None if ranked.pinned else made.propensity,
            muted=muted_reasons(self._state, station.id, self._scorer),
            model_version=self._queue.model_version,
        )

    def _ranked(self) -> RankedTrack:
        """The track's row of the queue, or what it would be at the first place."""
        if self._index is not None:
            return self._queue.ranking.rows[self._index]
        made, extra = self._made, self._view.extra
        return RankedTrack(
            slot=self._queue.request.first_slot,
            rank=1,
            track=self._row,
            pinned=False,
            score=float(self._queue.request.scores[self._row]),
            utility=made.utility,
            diversity_lead=float(extra[self._row]) - self._terms.mean(extra),
            given_up=made.given_up,
            utility_rank=made.rank,
            eligible_count=made.eligible,
        )

    def _blocked(self) -> str:
        request, row = self._queue.request, self._row
        if not self._collection.playable[row]:
            return "its file is missing"
        for rule in request.rules:
            if rule.blocks[row] and not self._view.mask[row]:
                return str(rule.name)
        if not request.candidates[row]:
            return "not among what this station plays"
        return "" if self._view.mask[row] else "it or its artist was heard too recently"

    # --- the parts -------------------------------------------------------------------------------------------------

    def _parts(self) -> tuple[WhyPart, ...]:
        parts = [self._part(share) for share in self._made.shares]
        return tuple(sorted(parts, key=lambda part: -part.lead))

    def _part(self, share: Share) -> WhyPart:
        key = part_key(share.part)
        muted = str(key) in self._state.muted.get(self._scorer.station.id, ())
        return WhyPart(
            part=share.part,
            key=str(key),
            stays=NOT_MUTABLE.get(key.value, ""),
            name=PART_NAMES[share.part],
            words="ignored here" if muted else self._words(share),
            logits=share.logits,
            lead=share.lead,
            rank_without=share.rank_without,
            silent=share.part in LEARNED and self._silent(share.part),
        )

    def _silent(self, part: ScorePart) -> bool:
        return not self._terms.logits[self._terms.parts.index(part)].any()

    def _words(self, share: Share) -> str:
        if share.part in LEARNED and self._silent(share.part):
            return "not learned yet"
        match share.part:
            case ScorePart.SEED:
                seed = self._likeness.seed
                return self._likeness.text or (f"nearest to {seed}" if seed else "this station prefers nothing")
            case ScorePart.HEAD:
                told = len(np.unique(self._queue.scores.labels.track))
                return f"of {told} track{'' if told == 1 else 's'}" if told else "nothing yet"
            case ScorePart.REPETITION:
                return self._reasons.rested(self._row)
            case _:
                return SPEAKS_FOR_OR_AGAINST.get(share.part, ("", ""))[share.lead <= 0]

    # --- what was told ---------------------------------------------------------------------------------------------

    def _labels(self) -> tuple[tuple[WhyLabel, ...], list[float]]:
        """The tracks whose labels move this one most, and the leads of all others."""
        labels = self._queue.scores.labels
        leads = self._reasons.influences(self._row) - self._reasons.mean_influences(self._view.mask)
        told = np.unique(labels.track)
        by_track = np.array([leads[labels.track == track].sum() for track in told])
        order = np.argsort(-np.abs(by_track), kind="stable")
        shown = tuple(self._label(int(told[place]), float(by_track[place]), leads) for place in order[:LABELS_SHOWN])
        return shown, by_track[order[LABELS_SHOWN:]].tolist()

    def _label(self, track: int, lead: float, leads: NDArray[np.float64]) -> WhyLabel:
        labels = self._queue.scores.labels
        own = np.flatnonzero(labels.track == track)
        strongest = own[np.argmax(np.abs(leads[own]))]
        row = self._collection.rows[track]
        return WhyLabel(
            key=str(label_key(row.id)),
            track_id=row.id,
            title=row.title,
            verb=VERB_OF[labels.outcome[strongest]],
            lead=lead,
            rank_without=self._rank_less(self._influence_on_all(own)),
        )

    def _influence_on_all(self, labels: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n,) logits that these labels account for in every track's running update."""
        head, vectors = self._queue.scores.head, self._collection.space.vectors
        pulls = head.pulls[labels]
        direction = head.prior.weight_variance * (pulls @ vectors[self._queue.scores.labels.track[labels]])
        constant = head.prior.bias_variance * float(pulls.sum())
        return self._queue.scores.head_weight * (vectors @ direction.astype(np.float32) + constant).astype(np.float64)

    # --- the seeds -------------------------------------------------------------------------------------------------

    def _seeds(self) -> tuple[WhySeed, ...]:
        seeds = self._scorer.seeds
        return tuple(self._seed(seed, seeds) for seed in seeds)

    def _seed(self, seed: Seed, seeds: Sequence[Seed]) -> WhySeed:
        nearest = self._likeness.seed != "" and self._likeness.of == seed
        others = [other for other in seeds if other != seed]
        return WhySeed(
            key=str(seed_key(seed)) if others else "",
            words=describe_seeds([seed], self._collection.rows),
            shared=self._likeness.text if nearest else "",
            nearest=nearest,
            rank_without=self._rank_less(self._seed_loss(seeds, others)) if others else self._made.rank,
        )

    def _seed_loss(self, seeds: Sequence[Seed], others: Sequence[Seed]) -> NDArray[np.float64]:
        """(n,) logits that every track would lose, or gain, if only the ``others`` were seeds.

        The seeds' part is linear in the likeness to them, with the same slope for all tracks.
        """
        now, then = self._similarity(seeds), self._similarity(others)
        part = self._terms.logits[self._terms.parts.index(ScorePart.SEED)]
        spread = now - now.mean()
        slope = float(spread @ part) / max(float(spread @ spread), np.finfo(np.float64).tiny)
        return slope * (now - then)

    def _similarity(self, seeds: Sequence[Seed]) -> NDArray[np.float64]:
        found = [content for _, content in self._collection.seeds(seeds)]
        return seed_similarity(self._collection.space, found).astype(np.float64)

    def _rank_less(self, lost: NDArray[np.float64]) -> int:
        return self._terms.rank(self._terms.utilities - lost, self._row)


def terms(queue: RankedQueue, view: View) -> Terms:
    """The utilities of the place that ``view`` shows, by part: score, what mode and dial add, variety and spacing."""
    scores = queue.scores
    dial = np.zeros(len(queue.open)) if queue.dial is None else queue.dial
    mode = queue.request.scores - scores.total - dial
    mode[np.abs(mode) < ROUNDING] = 0.0
    added = [(part, row) for part, row in ((ScorePart.MODE, mode), (ScorePart.DIAL, dial)) if row.any()]
    parts = (*scores.parts.parts, *(part for part, _ in added), ScorePart.DIVERSITY)
    rows = [*scores.parts.logits, *(row for _, row in added), view.extra]
    return Terms(parts, np.array(rows, np.float64), view.mask, queue.request.settings.temperature)


def muted_reasons(state: ListeningState, station_id: int, scorer: StationScorer) -> tuple[MutedReason, ...]:
    """What counts no more on a station, in words."""
    collection = scorer.collection
    found: list[MutedReason] = []
    for key in readable(state.muted.get(station_id, ())):
        if key.part is not None:
            words = PART_NAMES[key.part]
        elif key.seed is not None:
            words = describe_seeds([key.seed], collection.rows)
        else:
            row = collection.index.get(key.track or 0)
            words = f"your feedback on “{'a track that is gone' if row is None else collection.rows[row].title}”"
        found.append(MutedReason(str(key), words))
    return tuple(found)
