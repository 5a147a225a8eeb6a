"""The sequential model as a recommender: *faithful* to Mei et al. 2024, behind fit, score and explain.

What the paper names is as it says: SASRec, an input embedding for each kind of feedback, one negative a position, binary
cross-entropy, ``p_hard`` redrawn for each position and epoch. What it leaves open is stated in :data:`FAITHFUL`.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from recommender.baselines.base import Context
from recommender.configuration import SequentialConfig
from recommender.evaluation.ranking import full_rank
from recommender.evaluation.splits import split_listener_last
from recommender.events import EventLog
from recommender.sequential import EpochReport, TrainedSequence, train_sequential
from recommender.sequential_validation import FrozenValidator, tokens

FAITHFUL = SequentialConfig(
    width=64,
    blocks=2,
    heads=2,
    length=100,
    dropout=0.2,
    p_hard=0.4,
    epochs=100,
    patience=10,
    batch=128,
    learning_rate=0.001,
    id_shrinkage=0.0,
)
"""Sizes for data sets of some thousand tracks. ``id_shrinkage`` 0: every track has an embedding of its own, in full."""
CONVERGED_WITHIN = 0.001
"""How near to the best validation pair AUC an epoch counts as converged."""
OWN_VALIDATION_SHARE = 0.1
"""Newest part of each listener that stops the training where no validation part is given."""


class SequentialRecommender:
    """SASRec with the listener's real negatives among its targets (Mei, Bembom & Ehmann 2024).

    Every positive counts alike: how strongly feedback was meant is no part of the paper.

    Args:
        config: sizes, schedule, ``p_hard`` and which negatives are real.
        seed: of everything random.
        content: (tracks, dim) float32 vectors that the tracks' embeddings are added to, NaN rows where unknown; None, as
            in the paper, for embeddings alone.
        name: what tables call it; left out, it says ``p_hard``.
        on_epoch: told about every epoch of a training.
        should_stop: asked after every epoch.
    """

    def __init__(
        self,
        config: SequentialConfig = FAITHFUL,
        *,
        seed: int = 0,
        content: NDArray[np.float32] | None = None,
        name: str = "",
        on_epoch: Callable[[EpochReport], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:
        self.config = config
        self.name = name or name_of(config.p_hard)
        self._seed = seed
        self._content = content
        self._on_epoch = on_epoch
        self._should_stop = should_stop
        self._trained: TrainedSequence | None = None
        self._items = torch.empty(0, 0)
        self._state: tuple[EventLog, torch.Tensor] | None = None

    @property
    def course(self) -> tuple[EpochReport, ...]:
        """Every epoch of the training; empty before it."""
        return () if self._trained is None else self._trained.reports

    def fit(self, log: EventLog) -> None:
        """Train on all but each listener's newest rows, which stop the training."""
        split = split_listener_last(log, test=OWN_VALIDATION_SHARE, validation=0.0)
        self.fit_with_validation(split.train, split.test)

    def fit_with_validation(self, train: EventLog, validation: EventLog) -> None:
        """Train on ``train`` until the pair AUC on ``validation`` no longer rises; nothing is learned from the latter.

        Raises:
            ValueError: no listener has a positive after another row.
        """
        with one_thread():
            self._trained = train_sequential(
                train=replace(train, weight=np.ones(len(train), np.float32)),
                validation=validation,
                content=_standardised(self._content, train.tracks),
                config=self.config,
                seed=self._seed,
                on_epoch=self._on_epoch or (lambda _: None),
                should_stop=self._should_stop or (lambda: False),
                validator=FrozenValidator(train, validation, self.config.length),
            )
            with torch.no_grad():
                self._items = self._trained.network.items(torch.arange(train.tracks))  # (tracks, d)
        self._state = None

    def score(self, context: Context) -> NDArray[np.float32]:
        """The logit (tracks,) of every track after the listener's last ``length`` rows, in one pass.

        A listener without history gets zeros: there is no state, and no order.

        Raises:
            ValueError: it was not fitted.
        """
        if self._trained is None:
            raise ValueError(f"{self.name} was not fitted")
        if len(context.history) == 0:
            return np.zeros(len(self._items), np.float32)
        with one_thread(), torch.no_grad():
            hidden = self._hidden(context.history, self._trained)
            taste = self._trained.network.ask(hidden, torch.tensor(context.station))
            return (self._items @ taste).numpy()

    def explain(self, context: Context, track: int) -> str:
        """State the rank, and what it follows from."""
        scores = self.score(context)
        seen = context.history.label[-self.config.length :]
        likes, dislikes = int(np.count_nonzero(seen > 0)), int(np.count_nonzero(seen < 0))
        return (
            f"comes {full_rank(scores, track):,.0f}. of {len(scores):,} after your last {len(seen)} events "
            f"({likes} liked, {dislikes} disliked)"
        )

    def _hidden(self, history: EventLog, trained: TrainedSequence) -> torch.Tensor:  # (d,)
        """Taste at the end of the history; kept, for the stations of a listener share it."""
        if self._state is None or self._state[0] is not history:
            rows = np.arange(max(0, len(history) - self.config.length), len(history))
            self._state = history, trained.network(*tokens(history, rows[None, :]))[0, -1]
        return self._state[1]


def name_of(p_hard: float) -> str:
    """What tables call the faithful model with this share of real negatives."""
    return f"sequential p_hard={p_hard:g}"


def epochs_to_convergence(course: Sequence[EpochReport]) -> int | None:
    """The first epoch within :data:`CONVERGED_WITHIN` of the best validation pair AUC; None where there was no pair."""
    known = [(report.epoch, report.validation_auc) for report in course if report.validation_auc is not None]
    if not known:
        return None
    best = max(auc for _, auc in known)
    return next(epoch for epoch, auc in known if auc >= best - CONVERGED_WITHIN)


def _standardised(content: NDArray[np.float32] | None, tracks: int) -> NDArray[np.float32]:
    """Columns of mean 0 and spread 1 over the tracks whose sound is known; zeros for the others."""
    if content is None:
        return np.zeros((tracks, 0), np.float32)
    known = np.asarray(np.isfinite(content).all(axis=1))
    if not known.any():
        return np.zeros((tracks, 0), np.float32)
    mean, scale = content[known].mean(axis=0), content[known].std(axis=0)
    units = (content - mean) / np.where(scale > 0.0, scale, 1.0)
    return np.where(known[:, None], units, 0.0).astype(np.float32)


@contextmanager
def one_thread() -> Generator[None]:
    """Torch on one thread: on networks this small two are slower, and sums come out the same every time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
