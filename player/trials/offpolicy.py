"""Off-policy evaluation on the listener's own log: what another way of choosing would have been worth."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from player.config import Paths, StationSettings
from player.errors import PlayerError
from player.feedback.event_history import EventHistory, load_history
from player.feedback.event_store import EventStore, read_served
from player.feedback.events import LoggedEvent
from player.feedback.served import Served
from player.jobs import JobProgress
from player.stations.collection import Collection, load_collection
from player.stations.station_queue import Listening, StationRequest, station_request
from player.stations.station_scoring import StationScorer, frontend_id
from player.stations.stations import StationInfo, Stations
from player.storage.database import Database
from player.storage.event_kinds import Kind, Origin
from player.trials.plays import verdicts
from recommender.evaluation.bootstrap import sessions_of
from recommender.evaluation.offpolicy import Decisions, OffPolicyReport, Policy, evaluate_policy
from recommender.models.model_card import Model
from recommender.models.registry import ModelError, Registry
from recommender.ranking.gumbel import temperature_for_breadth
from recommender.ranking.rank import Placer, Request


@dataclass(frozen=True, slots=True)
class Situation:
    """A decision and the state it was made in.

    Attributes:
        decision: as logged.
        listening: the state of things then.
        queued: rows that had places before it in the same ranking.
    """

    decision: Served
    listening: Listening
    queued: tuple[int, ...]


def replay(
    database: Database,
    collection: Collection,
    every: Sequence[Served],
    wanted: Mapping[int, object],
) -> Iterator[Situation]:
    """Meet decisions again, each with the log as it was known to its ranking.

    Args:
        database: the listener's data.
        collection: the library as it is now.
        every: decisions, for who had places before whom.
        wanted: ids of those to meet; the others only stand before them.

    Yields:
        Situations by rising watermark, those about tracks that are no longer in the library left out.
    """
    history = EventHistory([], {row.id: row.duration for row in collection.rows})
    events = EventStore(database, Origin.CLI).read()
    fed = 0
    playing: dict[int | None, int] = {}
    served = _Places(every)
    for decision in sorted((one for one in every if one.id in wanted), key=lambda one: (one.watermark, one.id)):
        fed = _feed(history, events, fed, decision.watermark, playing)
        if decision.track_id not in collection.index:
            continue
        ahead = served.ahead_of(decision, history.state.slots.get(decision.station_id, 0))
        queued = [collection.index[track] for track in ahead.tracks if track in collection.index]
        row = collection.index.get(playing.get(decision.station_id, -1)) if ahead.by_hand else None
        yield Situation(decision, Listening(history.state, history.labels, decision.time, playing=row), tuple(queued))


@dataclass(frozen=True, slots=True)
class _Ahead:
    """What lay between the last slot that was used up and a decision's own.

    Attributes:
        tracks: ids of tracks that decisions had put there.
        by_hand: whether something was playing there that no decision had: the listener chose it.
    """

    tracks: tuple[int, ...]
    by_hand: bool


class _Places:
    """Which decision had which slot of a station."""

    def __init__(self, every: Sequence[Served]) -> None:
        self._by_slot: dict[tuple[int, int], list[Served]] = {}
        for decision in every:
            self._by_slot.setdefault((decision.station_id, decision.slot), []).append(decision)

    def ahead_of(self, decision: Served, first: int) -> _Ahead:
        """What had the slots from ``first`` to the decision's own when it was drawn.

        A list served whole was drawn at one watermark. A place that was prepared while something played was drawn behind
        what was playing, of which the decision is an earlier one.
        """
        tracks: list[int] = []
        by_hand = False
        for slot in range(first, decision.slot):
            earlier = [one for one in self._by_slot.get((decision.station_id, slot), ()) if one.id < decision.id]
            together = [one for one in earlier if one.watermark == decision.watermark]
            if earlier:
                tracks.append((together or earlier)[-1].track_id)
            else:
                by_hand = True
        return _Ahead(tuple(tracks), by_hand)


def _feed(
    history: EventHistory, events: Sequence[LoggedEvent], fed: int, watermark: int, playing: dict[int | None, int]
) -> int:
    """Let the history know the events up to a watermark; how many it knows then."""
    end = fed
    while end < len(events) and events[end].id <= watermark:
        if events[end].kind == Kind.START:
            playing[events[end].station_id] = events[end].track_id
        end += 1
    if end > fed:
        history.add(events[fed:end])
    return end


LIVE, UNTRAINED, RANDOM, POPULARITY = "live", "untrained", "random", "popularity"
PLAIN = (UNTRAINED, RANDOM, POPULARITY)
"""Policies that were never trained, so that all decisions may be asked about them."""
NEWEST = 1000
"""Judged decisions that are weighed at most, the newest: each takes a ranking."""
LOOKED_THROUGH = 20 * NEWEST
"""Decisions among which they are sought: a list that was only looked at leaves many that nobody judged."""
AXES = 16
"""Axes of the content space that the outcome model is given: as many as a few hundred decisions can tell apart."""
STAGE = "Weighing decisions"

Doubles = NDArray[np.float64]


class Chooser(Protocol):
    """How a policy would have chosen in a situation."""

    def logits(self, situation: Situation) -> tuple[Doubles, NDArray[np.bool_]]:
        """(n,) utility / temperature of every track, and (n,) which are eligible now as then."""
        ...


class Ranked:
    """A policy that serves as the player does, with its scores for the model's.

    Args:
        scorer: makes a station's scorer.
        settings: breadth and diversity.
        scores: what to rank by in place of the scorer's scores, from a request; the scorer's own without it.
    """

    def __init__(
        self,
        scorer: Callable[[int], StationScorer],
        settings: StationSettings,
        scores: Callable[[Situation], Doubles] | None = None,
    ) -> None:
        self._make = scorer
        self._settings = settings
        self._scores = scores
        self._scorers: dict[int, StationScorer] = {}

    def logits(self, situation: Situation) -> tuple[Doubles, NDArray[np.bool_]]:
        """See :class:`Chooser`; variety and rules are those of the station as it is set today."""
        station = situation.decision.station_id
        scorer = self._scorers.get(station)
        if scorer is None:
            scorer = self._scorers[station] = self._make(station)
        asked = station_request(scorer, situation.listening, self._settings, 1)
        request = asked.request if self._scores is None else self._instead(asked, situation)
        view = Placer(scorer.collection.catalogue, request, situation.queued).view()
        return (request.scores + view.extra) / request.settings.temperature, view.mask

    def _instead(self, asked: StationRequest, situation: Situation) -> Request:
        assert self._scores is not None
        scores = self._scores(situation)
        temperature = temperature_for_breadth(scores[asked.open], self._settings.breadth)
        settings = replace(asked.request.settings, temperature=temperature)
        return replace(asked.request, scores=scores, settings=settings)


class Uniform:
    """Chance alone: every eligible track alike."""

    def __init__(self, inner: Ranked) -> None:
        self._inner = inner

    def logits(self, situation: Situation) -> tuple[Doubles, NDArray[np.bool_]]:
        """All alike."""
        logits, mask = self._inner.logits(situation)
        return np.zeros_like(logits), mask


@dataclass(frozen=True, slots=True)
class PolicyEvaluation:
    """What was asked, and the answer.

    Attributes:
        report: the estimates.
        version: of the model that was asked about; none for a plain policy.
        since: decisions up to this moment (seconds since 1970) were left out, because the model has seen them.
    """

    report: OffPolicyReport
    version: str | None
    since: float


def evaluate_named(
    database: Database,
    paths: Paths,
    settings: StationSettings,
    name: str,
    report: Callable[[JobProgress], None],
    seed: int = 0,
) -> PolicyEvaluation:
    """Estimate what a policy would have been worth on the listener's own stations.

    Args:
        database: the listener's data.
        paths: where models lie.
        settings: breadth and diversity, for the policy asked about.
        name: live, untrained, random, popularity, or (the beginning of) a version.
        report: told about the progress.
        seed: of folds and resamples.

    Raises:
        PlayerError: there is no such policy, or its model cannot be used.
    """
    collection = load_collection(database)
    stations = Stations(database).all(removed=True)
    model = None if name in PLAIN else _model(name, paths, collection)
    since = 0.0 if model is None else model.card.seen_until
    chooser = _chooser(name, collection, stations, model, settings)
    judged = verdicts(load_history(database, collection.rows).labels)
    every = read_served(database, since, LOOKED_THROUGH)
    wanted = {one.id: judged[one.id] for one in [one for one in every if one.id in judged][-NEWEST:]}
    known = {station.id for station in stations}
    weighed: list[Served] = []
    choices: list[_Choice] = []
    for step, situation in enumerate(replay(database, collection, every, wanted)):
        if situation.decision.station_id in known:
            weighed.append(situation.decision)
            choices.append(_choice(situation.decision, *chooser.logits(situation), collection))
        report(JobProgress(STAGE, step + 1, len(wanted), None))
    decisions = Decisions(
        session=sessions_of(np.array([one.time for one in weighed], np.float64)),
        track=np.array([collection.index[one.track_id] for one in weighed], np.int64),
        reward=np.array([wanted[one.id].liking for one in weighed], np.float64),
        propensity=np.array([min(one.propensity or 0.0, 1.0) for one in weighed], np.float64),
    )
    estimated = evaluate_policy(decisions, _policy(name, choices), _features(collection), seed)
    return PolicyEvaluation(estimated, None if model is None else model.card.version, since)


@dataclass(frozen=True, slots=True)
class _Choice:
    """A policy's choice in one situation: π of the track that was served, and of the tracks that were kept."""

    chosen: float
    rows: NDArray[np.int64]
    probability: Doubles


def _choice(decision: Served, logits: Doubles, eligible: NDArray[np.bool_], collection: Collection) -> _Choice:
    """The policy's softmax over what was eligible.

    All that was eligible is known exactly where no more was than is kept; else it is what was kept and what the rules
    allow when they are applied again.
    """
    kept = np.array(
        [collection.index[track] for track in decision.eligible_ids.tolist() if track in collection.index], np.int64
    )
    row = collection.index[decision.track_id]
    support = np.zeros(len(collection), np.bool_)
    support[kept] = True
    support[row] = True
    if decision.eligible_count > len(decision.eligible_ids):
        support |= eligible
    scaled = logits - logits[support].max()
    total = float(np.exp(scaled[support]).sum())
    return _Choice(float(np.exp(scaled[row])) / total, kept, np.exp(scaled[kept]) / total)


def _policy(name: str, choices: Sequence[_Choice]) -> Policy:
    rows = [choice.rows for choice in choices]
    return Policy(
        name=name,
        chosen=np.array([choice.chosen for choice in choices], np.float64),
        start=np.cumsum([0, *(len(row) for row in rows)]).astype(np.int64),
        track=np.concatenate(rows) if rows else np.empty(0, np.int64),
        probability=np.concatenate([choice.probability for choice in choices]) if rows else np.empty(0, np.float64),
    )


def _chooser(
    name: str,
    collection: Collection,
    stations: Sequence[StationInfo],
    model: Model | None,
    settings: StationSettings,
) -> Chooser:
    by_id = {station.id: station for station in stations}

    def scorer(station: int) -> StationScorer:
        return StationScorer(collection, stations, by_id[station], model)

    def popularity(situation: Situation) -> Doubles:
        plays = np.zeros(len(collection), np.float64)
        for track, tally in situation.listening.state.tallies.items():
            if track in collection.index:
                plays[collection.index[track]] = tally.plays
        return np.log1p(plays)

    if name == RANDOM:
        return Uniform(Ranked(scorer, settings))
    return Ranked(scorer, settings, popularity if name == POPULARITY else None)


def _model(name: str, paths: Paths, collection: Collection) -> Model:
    """The model that a policy's name means."""
    registry = Registry(paths.models)
    try:
        if name == LIVE:
            live = registry.load_current(frontend_id(collection))
            if live is None:
                raise PlayerError(
                    "No trained model serves yet; `player retrain` makes one, or ask about --policy untrained."
                )
            return live
        found = [card.version for card in registry.versions() if card.version.startswith(name)]
        if len(found) != 1:
            raise PlayerError(
                f"“{name}” names {len(found) or 'no'} version{'s' if found else ''}; a policy is {LIVE}, {UNTRAINED}, "
                f"{RANDOM}, {POPULARITY} or a version that `player models` lists."
            )
        return registry.load(found[0], frontend_id(collection))
    except ModelError as error:
        raise PlayerError(str(error)) from error


def _features(collection: Collection) -> Doubles:
    """(n, axes) of the content space, of about unit size."""
    axes = collection.space.vectors[:, :AXES].astype(np.float64)
    spread = axes.std(axis=0)
    return axes / np.where(spread > 0, spread, 1.0)
