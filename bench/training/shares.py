"""The variance of the served score by part, before and after training: ``python -m bench.training.shares``.

Of simulated listeners (``docs/research/simulation.md``) on a station of the whole library and on one with a seed; with ``--dataset
spotify:FILE`` of a person's history. Its tracks have no sound here: the most played of them are given vectors of the development music,
drawn at random, and the others go without, as where a library is not embedded yet. So what update and CLEP move there is no taste. A
share is a part's covariance with the whole over the whole's variance, so that shares sum to 1; the mean of the newest states.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.library_insight import SHARED
from bench.simulation import Plan, simulate
from bench.simulation.listener import Listener
from bench.simulation.policies import PLAYERS_OWN, untrained
from bench.simulation.report import DISCLAIMER
from bench.simulation.scenes import SYNTHETIC_TRACKS
from bench.simulation.world import World, world_like
from bench.training.columns import library_world
from player.research.listening import open_listening
from recommender.events import EventLog
from recommender.models.content_space import ContentSpace
from recommender.models.model_scorer import Catalogue, ModelScorer
from recommender.models.station_scorer import STATION_PULL, LiveScorer
from recommender.training.retraining import retrain
from recommender.training.worth import PARTS, variance_shares

STATES = 20
"""Newest judged events in whose states the library is scored."""
SEED = "station pull"
UPDATE = "update"


def main(arguments: Sequence[str] = ()) -> None:
    """Print one table a listener, and the medians over listeners."""
    asked = _parse(arguments)
    if not (SHARED / "music.csv").is_file():
        print(f"skipped: needs the development data at {SHARED}")
        return
    real = library_world(None)
    if asked.dataset:
        kind, _, path = asked.dataset.partition(":")
        log = open_listening(kind, Path(path), asked.dataset, {"station": "none"}, asked.limit)
        assert log.plays is not None
        _tell(asked.dataset, [_shares(log.log, _audioless(log.log, log.plays.catalogue.artist, real))])
        return
    print(DISCLAIMER)
    world = world_like(real, SYNTHETIC_TRACKS, seed=0)
    for seeded in (False, True):
        found: list[dict[str, list[float]]] = []
        for seed in range(asked.listeners):
            plan = Plan(plays=asked.plays, check_every=asked.plays, seeded=seeded)
            liked = Listener(world, plan.temperament, seed).taste.liked.tolist()
            log = simulate(world, untrained, plan, seed).log
            found.append(_shares(log, world.catalogue(liked[:1] if seeded else [])))
            print(f"  {seed + 1}/{asked.listeners}", file=sys.stderr, flush=True)
        _tell("a station with a seed" if seeded else "a station of the whole library", found)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.training.shares", description=__doc__)
    parser.add_argument("--listeners", type=int, default=8, help="simulated ones")
    parser.add_argument("--plays", type=int, default=600, help="of each simulated listener")
    parser.add_argument("--dataset", default="", help="KIND:PATH of a person's history instead of simulated listeners")
    parser.add_argument("--limit", type=int, help="only so many of its oldest plays")
    return parser.parse_args(arguments)


def _audioless(log: EventLog, artist: NDArray[np.int64], real: World) -> Catalogue:
    """The tracks of a history, of which the most played have sound; one station, of the whole library."""
    played = np.argsort(-np.bincount(log.track, minlength=log.tracks), kind="stable")[: len(real)]
    vectors = np.full((log.tracks, real.vectors.shape[1]), np.nan, np.float32)
    vectors[played] = np.random.default_rng(0).permutation(real.vectors)[: len(played)]
    space = ContentSpace.fit(vectors, artist, np.full(log.tracks, -1, np.int64))
    ids = np.arange(log.tracks, dtype=np.int64)
    return Catalogue(
        ids, np.ones(1, np.int64), vectors, real.frontend, np.zeros((1, log.tracks), np.float32), space, artist=artist
    )


def _shares(log: EventLog, catalogue: Catalogue) -> dict[str, list[float]]:
    """By part: the share before training and after it; and how the two scores correlate."""
    result = retrain(log, catalogue, PLAYERS_OWN, None, lambda _progress: None, lambda: False)
    if result.model is None:
        raise SystemExit("; ".join(result.missing))
    blend = result.model.card.blend
    served, plain = LiveScorer(catalogue, ModelScorer(result.model, catalogue)), LiveScorer(catalogue, None)
    before, after, alike = list[NDArray[np.float64]](), list[NDArray[np.float64]](), list[float]()
    for row in np.flatnonzero(log.judged)[-STATES:].tolist():
        history, station, now = log.first(row), int(log.station[row]), float(log.time[row])
        pull = STATION_PULL * catalogue.similarity(station)
        update = plain.update(history, station)[0].contribution(catalogue.space.vectors)
        parts = blend.contributions(served.columns(history, station, now))
        learned = [parts[:, list(group)].sum(axis=1) for group in PARTS.values()]
        one, two = (np.stack([pull, *rest], axis=1).astype(np.float64) for rest in ([update], learned))
        before.append(variance_shares(one))
        after.append(variance_shares(two))
        alike.append(float(np.corrcoef(one.sum(axis=1), two.sum(axis=1))[0, 1]))
    first: dict[str, float] = dict(zip((SEED, UPDATE), np.mean(before, axis=0).tolist(), strict=True))
    last: dict[str, float] = dict(zip((SEED, *PARTS), np.mean(after, axis=0).tolist(), strict=True))
    gain = {each.part: np.nan if each.gain is None else each.gain for each in result.worth}
    rows = {part: [first.get(part, 0.0), share, gain.get(part, np.nan)] for part, share in last.items()}
    return {**rows, "correlation": [float(np.mean(alike)), np.nan, np.nan]}


def _tell(title: str, found: Sequence[dict[str, list[float]]]) -> None:
    """The medians over listeners, and the range of the shares after training."""
    print(
        f"\n{title}: {len(found)} listeners\n  {'part':<14}  untrained  retrained (range)        pair AUC lost without it"
    )
    for part in found[0]:
        values = np.array([each[part] for each in found])
        before, after, gain = np.median(values, axis=0).tolist()
        low, high = values[:, 1].min(), values[:, 1].max()
        print(f"  {part:<14}  {before:9.2f}  {after:9.2f} ({low:.2f} to {high:.2f})  {gain:+10.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
