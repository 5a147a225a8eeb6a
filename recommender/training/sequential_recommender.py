"""The sequential model as a recommender: *faithful* to Mei et al. 2024, or of eSASRec's parts, behind fit, score and explain.

What the paper names is as it says: SASRec, an input embedding for each kind of feedback, one negative a position, binary
cross-entropy, ``p_hard`` redrawn for each position and epoch. What it leaves open is stated in :data:`FAITHFUL`.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from recommender.configuration import BlockKind, SequenceLoss, SequentialConfig
from recommender.evaluation.metrics import full_rank
from recommender.evaluation.splits import split_listener_last
from recommender.events import EventLog
from recommender.interfaces import Context
from recommender.models.parameter_shapes import sequence_shapes
from recommender.sequence.network import Items, SequentialNetwork
from recommender.sequence.validation import FrozenValidator, Validation, Validator
from recommender.sequence.windows import joined
from recommender.training.checkpoints import EpochReport, TrainedSequence
from recommender.training.trainer import RowsInMemory, TrainingSetup, train_on

__all__ = [
    "EpochReport",
    "FrozenValidator",
    "Items",
    "SequentialNetwork",
    "TrainedSequence",
    "Validator",
    "export_sequential",
    "train_sequential",
]

OWN = "sequence.own"
"""The tracks' own embeddings among the exported arrays, already shrunk there."""


def train_sequential(
    train: EventLog,
    validation: EventLog,
    content: NDArray[np.float32],
    config: SequentialConfig,
    seed: int,
    on_epoch: Callable[[EpochReport], None],
    should_stop: Callable[[], bool],
    *,
    validator: Validation | None = None,
    start: Mapping[str, NDArray[np.float32]] | None = None,
) -> TrainedSequence:
    """Train until the validation pair AUC stops rising, and keep the best epoch.

    Args:
        train: what is learned from.
        validation: later rows of the same listeners, for stopping only; without pairs all epochs are run.
        content: (tracks, dim) float32 standardised vectors, zero rows where there is none; dim may be 0.
        config: sizes and schedule.
        seed: of weights, windows, negatives and dropout.
        on_epoch: told about every epoch.
        should_stop: asked after every epoch; the best epoch so far is kept.
        validator: says how good an epoch is; left out, every validation row is scored in the state before it.
        start: weights to begin with, named and shaped as :func:`export_sequential` gives them, the rows of tracks and
            stations matched to this log by the caller; arrays left out, and entries that are NaN, begin afresh.

    Raises:
        ValueError: when no position has a positive to predict, or ``start`` does not fit the network.
    """
    source = RowsInMemory(train, config, seed)
    if source.sampler.empty:
        raise ValueError("the sequential model needs a positive after another event of the same listener")
    return train_on(
        source,
        validator or Validator(train, validation, config.length),
        content,
        config,
        seed,
        TrainingSetup(
            prepare=lambda network, items: None if start is None else _start_from(network, items, start),
            on_epoch=on_epoch,
            should_stop=should_stop,
        ),
    )


@torch.no_grad()
def _start_from(network: SequentialNetwork, items: Items, start: Mapping[str, NDArray[np.float32]]) -> None:
    """Put weights of an earlier model in place of the fresh ones; NaN leaves a fresh one."""
    parameters = {f"sequence.{name}": value for name, value in network.state_dict(keep_vars=True).items()}
    for name, array in start.items():
        if name not in parameters:
            raise ValueError(f"the weights to start from hold {name}, which this network does not have")
        parameter = parameters[name]
        if array.shape != tuple(parameter.shape):
            raise ValueError(f"{name} to start from has shape {array.shape} instead of {tuple(parameter.shape)}")
        weights = np.asarray(array, np.float32)
        if name == OWN:  # stored as the scores use them; the network shrinks them itself
            shrink = items.shrink[:, None]
            weights = np.divide(weights, shrink, out=np.full_like(weights, np.nan), where=shrink > 0.0)
        earlier = torch.from_numpy(weights).to(parameter.device)
        parameter.copy_(torch.where(torch.isnan(earlier), parameter, earlier))


def export_sequential(trained: TrainedSequence) -> dict[str, NDArray[np.float32]]:
    """The weights as arrays under ``sequence.``, own embeddings already shrunk, for ``numpy_inference.SequenceScorer``.

    They are those of :func:`sequence_shapes`.
    """
    network = trained.network
    known = {f"sequence.{name}": value for name, value in network.state_dict().items()}
    wanted = sequence_shapes(network.config, len(network.tower), len(trained.items.shrink) - 1, network.stations)
    arrays = {name: known[name].detach().numpy().copy() for name in wanted}
    arrays[OWN] *= trained.items.shrink[:, None]
    for table in ("sequence.station", "sequence.asked"):
        arrays[table][0] = 0.0
    return arrays


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
ESASREC = SequentialConfig(
    width=64,
    blocks=1,
    heads=2,
    length=200,
    dropout=0.5,
    p_hard=0.4,
    epochs=30,
    patience=8,
    batch=32,
    learning_rate=0.002,
    id_shrinkage=5.0,
    loss=SequenceLoss.SOFTMAX,
    shared_negatives=384,
    hard_weight=3.0,
    block=BlockKind.LIGR,
    refit=True,
)
"""What is known to beat SASRec among transformers (Tikhonovich et al. 2025): LiGR blocks and a softmax among shared negatives; the real
negatives in a pairwise term of their own. Sizes chosen on validation parts of MovieLens-100k and CM100k."""
ABLATIONS: Mapping[str, SequentialConfig] = {
    "faithful": FAITHFUL,
    "esasrec": ESASREC,
    "esasrec − softmax": replace(ESASREC, loss=SequenceLoss.PAIR, hard_weight=0.0),
    "esasrec − LiGR": replace(ESASREC, block=BlockKind.PLAIN),
    "esasrec − shrunk ids": replace(ESASREC, id_shrinkage=0.0),
    "esasrec − refit": replace(ESASREC, refit=False),
    "esasrec − hard pairs": replace(ESASREC, hard_weight=0.0),
    "esasrec + second block": replace(ESASREC, blocks=2),
}
"""The paper's model, the modern one, and the latter with one element taken away or another one added, by the names that tables show."""
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
        self._course: tuple[EpochReport, ...] = ()
        self._tracks = torch.empty(0, 0)

    @property
    def course(self) -> tuple[EpochReport, ...]:
        """Every epoch of the training; empty before it."""
        return self._course

    def fit(self, log: EventLog) -> None:
        """Train on all but each listener's newest rows, which stop the training."""
        split = split_listener_last(log, test=OWN_VALIDATION_SHARE, validation=0.0)
        self.fit_with_validation(split.train, split.test)

    def fit_with_validation(self, train: EventLog, validation: EventLog) -> None:
        """Train on ``train`` until the pair AUC on ``validation`` no longer rises.

        Nothing is learned from the latter but when to stop – unless the configuration says ``refit``: then the network is trained
        anew on both for as many epochs. :attr:`course` is that of the first training.

        Raises:
            ValueError: no listener has a positive after another row.
        """
        on_epoch, should_stop = self._on_epoch or (lambda _: None), self._should_stop or (lambda: False)
        with one_thread():
            first = self._train(self.config, train, validation, on_epoch, should_stop)
            self._trained, self._course = first, first.reports
            if self.config.refit and first.best_epoch and not should_stop():
                both, _ = joined(train, validation)
                again = replace(self.config, epochs=first.best_epoch, patience=first.best_epoch)
                nothing = validation.where(np.zeros(len(validation), np.bool_))
                self._trained = self._train(again, both, nothing, lambda _: None, should_stop)
            with torch.no_grad():
                self._tracks = self._trained.network.items(torch.arange(train.tracks))

    def _train(
        self,
        config: SequentialConfig,
        train: EventLog,
        validation: EventLog,
        on_epoch: Callable[[EpochReport], None],
        should_stop: Callable[[], bool],
    ) -> TrainedSequence:
        return train_sequential(
            train=replace(train, weight=np.ones(len(train), np.float32)),
            validation=validation,
            content=_standardised(self._content, train.tracks),
            config=config,
            seed=self._seed,
            on_epoch=on_epoch,
            should_stop=should_stop,
            validator=FrozenValidator(train, validation, config.length),
        )

    def score(self, context: Context) -> NDArray[np.float32]:
        """The logit (tracks,) of every track after the listener's last ``length`` rows, in one pass.

        A listener without history gets zeros: there is no state, and no order.

        Raises:
            ValueError: it was not fitted.
        """
        return self.score_batch([context])[0]

    def score_batch(self, contexts: Sequence[Context]) -> NDArray[np.float32]:
        """The same (contexts, tracks) of many situations at once; those of one history share its state."""
        if self._trained is None:
            raise ValueError(f"{self.name} was not fitted")
        found = np.zeros((len(contexts), len(self._tracks)), np.float32)
        asked = [place for place, context in enumerate(contexts) if len(context.history)]
        histories = {id(contexts[place].history): contexts[place].history for place in asked}
        if not asked:
            return found
        order = {key: row for row, key in enumerate(histories)}
        rows = torch.tensor([order[id(contexts[place].history)] for place in asked])
        with one_thread(), torch.no_grad():
            hidden = self._hidden(list(histories.values()), self._trained.network)[rows]
            query = self._trained.network.query(hidden, torch.tensor([contexts[place].station for place in asked]))
            found[asked] = (query @ self._tracks.T).numpy()
        return found

    def explain(self, context: Context, track: int) -> str:
        """State the rank, and what it follows from."""
        scores = self.score(context)
        seen = context.history.label[-self.config.length :]
        likes, dislikes = int(np.count_nonzero(seen > 0)), int(np.count_nonzero(seen < 0))
        return (
            f"comes {full_rank(scores, track):,.0f}. of {len(scores):,} after your last {len(seen)} events "
            f"({likes} liked, {dislikes} disliked)"
        )

    def _hidden(self, histories: Sequence[EventLog], network: SequentialNetwork) -> torch.Tensor:  # (H, d)
        """Tastes at the ends of histories; what is padded behind them has no part in that."""
        newest = [np.arange(max(0, len(each) - self.config.length), len(each)) for each in histories]
        lengths = torch.tensor([len(rows) for rows in newest])
        columns = [
            torch.nn.utils.rnn.pad_sequence(
                [
                    torch.from_numpy(getattr(each, name)[rows].astype(np.int64))
                    for each, rows in zip(histories, newest, strict=True)
                ],
                batch_first=True,
            )
            for name in ("track", "outcome", "station")
        ]
        return network(*columns)[torch.arange(len(newest)), lengths - 1]


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
