"""Cutting a log into training, validation and test so that nothing of the test can be known before it.

Cuts in time fall between two moments, never within one: rows of the same moment stay together. Validation is carved
out of the training part in the same manner as the test out of the whole. A share is therefore what is aimed at; what
came of it stands in :attr:`Split.part`.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog

TEST_SHARE = 0.2
VALIDATION_SHARE = 0.1
FOLDS = 5


class Part(IntEnum):
    """What a row of the log is for."""

    UNUSED = 0
    """Neither learned from nor measured on, nor ever input (what lies after a fold of a walk forward)."""
    TRAIN = 1
    VALIDATION = 2
    """For early stopping and for choosing between configurations."""
    TEST = 3


@dataclass(frozen=True, slots=True)
class Split:
    """A log and what each of its rows is for.

    Attributes:
        name: "listener-last", "global-time", "walk-forward", "random" or "at-moment".
        log: all rows.
        part: (N,) int8 values of :class:`Part`.
        ordered: whether time means something; when it does, no test row of a listener is earlier than any row of theirs
            that is learned from.
        notes: what has to be said wherever figures on this split are shown, a sentence each.
    """

    name: str
    log: EventLog
    part: NDArray[np.int8]
    ordered: bool
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the shape."""
        if len(self.part) != len(self.log):
            raise ValueError(f"part has {len(self.part)} rows, the log has {len(self.log)}")

    @property
    def train(self) -> EventLog:
        """What is learned from."""
        return self.log.where(self.part == Part.TRAIN)

    @property
    def validation(self) -> EventLog:
        """What stops a training and chooses between configurations."""
        return self.log.where(self.part == Part.VALIDATION)

    @property
    def test(self) -> EventLog:
        """What is measured on."""
        return self.log.where(self.part == Part.TEST)

    @property
    def past(self) -> EventLog:
        """Training and validation: all that may be known before the test."""
        return self.log.where(self.is_past)

    @property
    def is_past(self) -> NDArray[np.bool_]:
        """(N,) rows of training and validation."""
        return (self.part == Part.TRAIN) | (self.part == Part.VALIDATION)

    @property
    def for_selection(self) -> "Split":
        """The same split one step earlier: validation is the test, and the real test is not there at all.

        Configurations are chosen on this one, so that the test is looked at once.
        """
        part = self.part.copy()
        part[self.part == Part.TEST] = Part.UNUSED
        part[self.part == Part.VALIDATION] = Part.TEST
        notes = (*self.notes, "Measured on the validation rows; the test rows take no part.")
        return Split(self.name, self.log, part, self.ordered, notes)

    @property
    def cold_share(self) -> float:
        """Share of the test rows whose track nobody has in training or validation; 0 without test rows."""
        return self._unseen(self.log.track)

    @property
    def cold_listener_share(self) -> float:
        """Share of the test rows whose listener has no row in training or validation; 0 without test rows."""
        return self._unseen(self.log.listener)

    def count(self, part: Part) -> int:
        """Rows of a part."""
        return int(np.count_nonzero(self.part == part))

    def _unseen(self, column: NDArray[np.int64]) -> float:
        tested = column[self.part == Part.TEST]
        if len(tested) == 0:
            return 0.0
        seen = np.zeros(int(column.max()) + 1, np.bool_)
        seen[column[self.is_past]] = True
        return float(1.0 - seen[tested].mean())


def split_listener_last(log: EventLog, test: float = TEST_SHARE, validation: float = VALIDATION_SHARE) -> Split:
    """Each listener's newest rows are their test, those before it their validation.

    A listener with rows of one moment only cannot be cut and is trained on alone.

    Args:
        log: rows in time order.
        test: share of each listener's rows that is aimed at.
        validation: share of each listener's remaining rows that is aimed at.

    Raises:
        ValueError: a share is not in 0…1, or ``test`` is 0.
    """
    part = _carve(log.listener, log.time, test, validation)
    notes = ["Each listener's newest rows are the test; rows of other listeners that are learned from may be later."]
    tested = len(np.unique(log.listener[part == Part.TEST]))
    alone = len(np.unique(log.listener)) - tested
    if alone:
        notes.append(f"{_listeners(alone)} with rows of a single moment cannot be cut and only take part in training.")
    return Split("listener-last", log, part, ordered=True, notes=tuple(notes))


def split_global_time(log: EventLog, test: float = TEST_SHARE, validation: float = VALIDATION_SHARE) -> Split:
    """One moment for all: what comes after it is the test.

    Raises:
        ValueError: a share is not in 0…1, or ``test`` is 0.
    """
    part = _carve(np.zeros(len(log), np.int64), log.time, test, validation)
    split = Split("global-time", log, part, ordered=True)
    return Split("global-time", log, part, ordered=True, notes=("One moment divides all listeners.", _cold(split)))


def split_at(log: EventLog, test_from: float, validation_from: float = np.inf) -> Split:
    """Test from one given moment on, validation from another; the caller knows what its models have seen."""
    part = np.full(len(log), Part.TRAIN, np.int8)
    part[log.time >= validation_from] = Part.VALIDATION
    part[log.time >= test_from] = Part.TEST
    return Split("at-moment", log, part, ordered=True, notes=("One given moment divides past and test.",))


def walk_forward(log: EventLog, folds: int = FOLDS, validation: float = VALIDATION_SHARE) -> list[Split]:
    """Equal slices of time: fold i learns from the slices up to i, is tested on the next, and knows none after it.

    Args:
        log: rows in time order.
        folds: how many; fewer come back when the log has too few distinct moments.
        validation: share of each fold's training part.

    Raises:
        ValueError: no fold is asked for, or the share is not in 0…1.
    """
    if folds < 1:
        raise ValueError(f"a walk forward needs at least one fold, not {folds}")
    _check_share(validation, "validation")
    moments = np.flatnonzero(np.diff(log.time) > 0) + 1  # a cut before row i parts two moments
    aims = np.arange(1, folds + 1) * len(log) / (folds + 1)
    cuts = sorted({int(moments[np.argmin(np.abs(moments - aim))]) for aim in aims}) if len(moments) else []
    ends = [*cuts[1:], len(log)][: len(cuts)]
    splits: list[Split] = []
    for fold, (cut, end) in enumerate(zip(cuts, ends, strict=True), start=1):
        part = np.full(len(log), Part.UNUSED, np.int8)
        part[:cut] = Part.TRAIN
        part[_last(np.zeros(cut, np.int64), log.time[:cut], validation)] = Part.VALIDATION
        part[cut:end] = Part.TEST
        split = Split("walk-forward", log, part, ordered=True)
        notes = (f"Fold {fold} of {len(cuts)} of a walk forward in time.", _cold(split))
        splits.append(Split("walk-forward", log, part, ordered=True, notes=notes))
    return splits


def split_random(log: EventLog, seed: int, test: float = TEST_SHARE, validation: float = VALIDATION_SHARE) -> Split:
    """A seeded draw, for logs without time; rows of one listener about one track stay together.

    Raises:
        ValueError: a share is not in 0…1, or ``test`` is 0.
    """
    _check_test(test)
    _check_share(validation, "validation")
    key = log.listener * max(1, log.tracks) + log.track
    answers, answer = np.unique(key, return_inverse=True)
    place = np.random.default_rng(seed).permutation(len(answers))
    tested = round(test * len(answers))
    checked = round(validation * (len(answers) - tested))
    of_answer = np.full(len(answers), Part.TRAIN, np.int8)
    of_answer[place < tested + checked] = Part.VALIDATION
    of_answer[place < tested] = Part.TEST
    note = f"Drawn at random (seed {seed}): the log has no order in time, so nothing here speaks of the future."
    return Split("random", log, of_answer[answer.reshape(-1)], ordered=False, notes=(note,))


def _carve(group: NDArray[np.int64], time: NDArray[np.float64], test: float, validation: float) -> NDArray[np.int8]:
    """Parts (N,) when each group's last slice is the test, and the last of what remains its validation."""
    _check_test(test)
    _check_share(validation, "validation")
    part = np.full(len(group), Part.TRAIN, np.int8)
    part[_last(group, time, test)] = Part.TEST
    rest = np.flatnonzero(part == Part.TRAIN)
    part[rest[_last(group[rest], time[rest], validation)]] = Part.VALIDATION
    return part


def _last(group: NDArray[np.int64], time: NDArray[np.float64], share: float) -> NDArray[np.int64]:
    """Rows of each group's last slice, cut between the two moments nearest to ``share``; none where there is one moment."""
    if share == 0.0 or len(group) == 0:
        return np.empty(0, np.int64)
    order = np.argsort(group, kind="stable")  # keeps time order within a group
    groups, moments = group[order], time[order]
    starts = np.flatnonzero(np.concatenate([[True], groups[1:] != groups[:-1]]))
    sizes = np.diff(np.append(starts, len(order)))
    cuts = np.flatnonzero((moments[1:] > moments[:-1]) & (groups[1:] == groups[:-1])) + 1
    cut_of = _nearest_cut(cuts, starts, starts + sizes, starts + sizes * (1.0 - share))
    return order[np.arange(len(order)) >= np.repeat(cut_of, sizes)]


def _nearest_cut(
    cuts: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64], aims: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Each group's cut nearest to its aim; of two equally near the later, to learn from more; its end without any."""
    after = np.searchsorted(cuts, aims)
    padded = np.concatenate([[-1], cuts, [ends[-1]]])  # padded[after] is the last cut before the aim
    before, later = padded[after], padded[after + 1]
    has_before, has_later = before > starts, later < ends
    take_before = has_before & (~has_later | (aims - before < later - aims))
    return np.where(take_before, before, np.where(has_later, later, ends))


def _check_test(share: float) -> None:
    _check_share(share, "test")
    if share == 0.0:
        raise ValueError("the test share is 0: nothing would be measured on")


def _check_share(share: float, what: str) -> None:
    if not 0.0 <= share < 1.0:
        raise ValueError(f"the {what} share is {share}, it must lie in 0…1")


def _cold(split: Split) -> str:
    return (
        f"{split.cold_share:.1%} of the test rows are about tracks and {split.cold_listener_share:.1%} are of listeners "
        "that have no earlier row."
    )


def _listeners(count: int) -> str:
    return "1 listener" if count == 1 else f"{count} listeners"
