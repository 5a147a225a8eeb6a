"""BPR and ALS as the ``implicit`` package has them, on one thread and from a seed, so that a run repeats exactly."""

import logging
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from recommender.baselines.feedback import LabelMatrix
from recommender.events import EventLog
from recommender.interfaces import Context

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = NDArray[np.float32]

BPR_FACTORS, BPR_RATE, BPR_RIDGE, BPR_EPOCHS = 64, 0.05, 0.1, 100
ALS_FACTORS, ALS_RIDGE, ALS_SWEEPS = 16, 100.0, 15
CONFIDENCE = 30.0
"""α of the ALS: a label of full weight counts 1 + α times as much as knowing nothing of the track."""


class Bpr:
    """Bayesian personalised ranking: matrix factors for which likes come before anything else (Rendle et al. 2009).

    Rows after the fitted log do not count: there is no closed form to place a listener by new likes.
    """

    name = "bpr"

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._items: Floats = np.zeros((0, 1), np.float32)
        self._users: Floats = np.zeros((0, 1), np.float32)

    def fit(self, log: EventLog) -> None:
        """Learn from the likes; without one every track scores 0."""
        liked = LabelMatrix.of(log).liked().astype(np.float32)
        self._items, self._users = np.zeros((log.tracks, 1), np.float32), np.zeros((0, 1), np.float32)
        if liked.nnz == 0 or log.tracks == 1:  # a pair takes a second track
            return
        from implicit.cpu.bpr import (  # noqa: PLC0415 - slow to import, and the player imports this package
            BayesianPersonalizedRanking,
        )

        model: Any = BayesianPersonalizedRanking(
            factors=BPR_FACTORS,
            learning_rate=BPR_RATE,
            regularization=BPR_RIDGE,
            iterations=BPR_EPOCHS,
            num_threads=1,
            random_state=self._seed,
        )
        with _one_thread():
            model.fit(liked, show_progress=False)
        self._items, self._users = _finite(model.item_factors), _finite(model.user_factors)

    def score(self, context: Context) -> Floats:
        """Product of listener and track (tracks,); that of the mean listener for one who was not in the fitted log."""
        return self._items @ self._taste(context.listener)

    def explain(self, context: Context, track: int) -> str:
        """State the product."""
        who = "your" if context.listener < len(self._users) else "the mean listener's"
        return f"{self.score(context)[track]:+.2f} by {who} factors from likes"

    def _taste(self, listener: int) -> Floats:
        if 0 <= listener < len(self._users):
            return self._users[listener]
        if len(self._users) == 0:
            return np.zeros(self._items.shape[1], np.float32)
        return self._users.mean(axis=0)


class Als:
    """Alternating least squares for implicit feedback: every track counts a little, a label much (Hu et al. 2008).

    A like is a confident 1, a dislike a confident 0; the confidence grows with the weight of the label. The listener
    is placed by solving their row anew (eq. 4) from all of the history, rows after the fitted log included.
    """

    name = "als"

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._items: Floats = np.zeros((0, ALS_FACTORS), np.float32)
        self._gram: Floats = np.zeros((ALS_FACTORS, ALS_FACTORS), np.float32)

    def fit(self, log: EventLog) -> None:
        """Learn from the labels; without a like every track scores 0."""
        labels = LabelMatrix.of(log)
        self._items = np.zeros((log.tracks, ALS_FACTORS), np.float32)
        if np.any(labels.sign > 0):
            self._items = self._factorise(labels)
        self._gram = self._items.T @ self._items

    def score(self, context: Context) -> Floats:
        """Preference (tracks,), about 0…1; zeros for a listener without a label."""
        return self._items @ self._taste(context.history)

    def explain(self, context: Context, track: int) -> str:
        """State the preference."""
        rows = len(LabelMatrix.of(context.history))
        return f"preference {self.score(context)[track]:.2f} from {rows} labels of yours"

    def _factorise(self, labels: LabelMatrix) -> Floats:
        from implicit.cpu.als import (  # noqa: PLC0415 - slow to import, and the player imports this package
            AlternatingLeastSquares,
        )

        model: Any = AlternatingLeastSquares(
            factors=ALS_FACTORS,
            regularization=ALS_RIDGE,
            iterations=ALS_SWEEPS,
            use_cg=False,  # exact, as the listener's own row is
            num_threads=1,
            random_state=self._seed,
        )
        with _one_thread():
            model.fit(_confidence(labels), show_progress=False)
        return _finite(model.item_factors)

    def _taste(self, history: EventLog) -> Floats:
        confidence = _confidence(LabelMatrix.of(history).as_one_listener()).tocoo()
        heard, value = self._items[confidence.col], confidence.data
        # implicit's convention: |value| is the confidence, its sign says liked or not; 1 is what is known of no label
        left = self._gram + (heard * (np.abs(value) - 1.0)[:, None]).T @ heard
        left[np.diag_indices_from(left)] += ALS_RIDGE
        right = heard.T @ np.maximum(value, 0.0)
        return np.linalg.solve(left, right).astype(np.float32)


def _confidence(labels: LabelMatrix) -> "csr_matrix":
    """1 + α |net label| with the sign of the net label, sparse (listeners, tracks)."""
    net = labels.net()
    net.data = (np.sign(net.data) * (1.0 + CONFIDENCE * np.abs(net.data))).astype(np.float32)
    return net


def _finite(factors: Floats) -> Floats:
    return np.nan_to_num(np.asarray(factors, np.float32))


def _one_thread() -> AbstractContextManager[object]:
    """Hold the matrix libraries to one thread: ``implicit`` asks for it, and sums in another order are other sums."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - only needed while fitting

    logging.getLogger("implicit").setLevel(logging.WARNING)
    return threadpool_limits(1)
