"""Fits ``implicit``'s ALS or BPR to the likes of a task and scores all tracks.

Run with the interpreter of another environment, so it imports nothing of this project but its neighbour. Both models know likes
only; ALS can be told of dislikes too, as cells of negative confidence ("passing a negative value", says its documentation).
"""

import numpy as np
from exchange import Course, Exchange, Rows, Stopwatch, asked
from implicit.cpu.als import AlternatingLeastSquares  # pyright: ignore[reportMissingImports] - in another environment
from implicit.cpu.bpr import BayesianPersonalizedRanking  # pyright: ignore[reportMissingImports] - as above
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits


def main() -> None:
    """Read, fit, answer."""
    exchange = asked()
    task, options = exchange.task, dict(exchange.task.configuration)
    dislikes = bool(options.pop("dislikes", False))
    kind = BayesianPersonalizedRanking if options.pop("model") == "bpr" else AlternatingLeastSquares
    cells = matrix(exchange, exchange.learned, dislikes=dislikes)
    watch = Stopwatch(task.seconds)
    with threadpool_limits(task.threads):  # its own threads do the work; BLAS's would be in their way
        model = kind(num_threads=task.threads, random_state=task.seed, **options)
        watch.begin_epoch()
        model.fit(cells, show_progress=False)
        watch.end_epoch()
        scores = model.user_factors @ model.item_factors.T
    rounds = int(options["iterations"])
    course = Course([watch.epochs[0] / rounds] * rounds, [watch.clock[0] / rounds] * rounds, rounds, cells.nnz)
    exchange.answer(with_unknown(scores, cells), course)


def matrix(exchange: Exchange, rows: Rows, *, dislikes: bool) -> csr_matrix:
    """(listeners, tracks): 1 where liked, -1 where disliked if that is wanted."""
    known = rows.where(rows.label != 0) if dislikes else rows.likes
    shape = (exchange.task.listeners, exchange.task.tracks)
    return csr_matrix((known.label.astype(np.float32), (known.listener, known.track)), shape=shape)


def with_unknown(scores: np.ndarray, cells: csr_matrix) -> np.ndarray:
    """The same with NaN for tracks that were not learned from."""
    heard = np.asarray(abs(cells).sum(axis=0)).ravel() > 0
    return np.where(heard, scores, np.nan)


main()
