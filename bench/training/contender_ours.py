"""Trains this project's sequential model on the rows of a task and scores all tracks: ``python -m bench.training.contender_ours``."""

import sys
import time
from pathlib import Path

import numpy as np

from bench.training.exchange import TEST, Course, Exchange, Rows, exchange_of
from bench.training.material import material_of
from recommender.evaluation.query_states import MOST_ROWS, State, States
from recommender.training.sequential_recommender import ABLATIONS, EpochReport, SequentialRecommender


class Watcher:
    """Times the epochs from outside; where the training says how long an epoch trained, its validation is left out."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._begun = time.process_time()
        self._epoch_begun = (self._begun, time.perf_counter())
        self.epochs: list[float] = []
        self.clock: list[float] = []
        self.apart = True

    def look(self, report: EpochReport) -> None:
        """An epoch and its validation are over."""
        processor, clock = time.process_time() - self._epoch_begun[0], time.perf_counter() - self._epoch_begun[1]
        trained = report.seconds
        self.apart = self.apart and trained > 0.0
        share = trained / clock if trained > 0.0 else 1.0
        self.epochs.append(processor * share)
        self.clock.append(clock * share)
        self._epoch_begun = (time.process_time(), time.perf_counter())

    def over(self) -> bool:
        """Whether the limit is reached."""
        return time.process_time() - self._begun >= self._limit


def main() -> None:
    """Read, train, answer."""
    exchange = exchange_of(Path(sys.argv[1]))
    task = exchange.task
    split = material_of(Path(task.dataset)).split
    split = split if task.part == TEST else split.for_selection
    watcher = Watcher(task.seconds)
    recommender = SequentialRecommender(
        ABLATIONS[str(task.configuration["model"])], seed=task.seed, on_epoch=watcher.look, should_stop=watcher.over
    )
    if task.part == TEST:
        recommender.fit_with_validation(split.train, split.validation)
    else:
        recommender.fit(split.train)
    scores = np.zeros((task.listeners, task.tracks), np.float32)
    for own in States(split, State.FROZEN, None, MOST_ROWS, 0):
        scores[own.listener] = recommender.score(own.contexts[0])
    best = max(recommender.course, key=lambda report: (report.validation_auc or 0.0, -report.epoch)).epoch
    course = Course(watcher.epochs, watcher.clock, best, targets(exchange), watcher.over(), watcher.apart)
    exchange.answer(scores, course)


def targets(exchange: Exchange) -> int:
    """Rows of an epoch after which a like comes: each predicts the next one."""
    rows: Rows = exchange.train
    last = np.full(exchange.task.listeners, -1)
    likes = rows.likes
    np.maximum.at(last, likes.listener, likes.order)
    return int(np.count_nonzero(rows.order < last[rows.listener]))


main()
