"""Trains RecTools' SASRec on the rows of a task and scores all tracks.

Run with the interpreter of another environment, so it imports nothing of this project but its neighbour. Early stopping is by a
callback on the validation logits, as RecTools' guide to training transformers shows it: NDCG@10 of each listener's first
validation like (RecTools validates on one target a listener), what was trained on left out of the ranking.
"""

import logging
import warnings
from copy import deepcopy

import numpy as np
import pandas as pd
import torch
from exchange import PATIENCE, UNKNOWN, VALIDATION, Course, Exchange, Rows, Stopwatch, asked, together
from pytorch_lightning import Callback, Trainer, seed_everything  # pyright: ignore[reportMissingImports] - another environment
from rectools import Columns  # pyright: ignore[reportMissingImports] - as above
from rectools.dataset import Dataset  # pyright: ignore[reportMissingImports] - as above
from rectools.models import SASRecModel  # pyright: ignore[reportMissingImports] - as above

LIST = 10
NO_LIMIT = 1000
"""Epochs at most; patience and time end it before."""


class Watcher(Callback):
    """Times the epochs, keeps the weights of the best, ends the training after ``PATIENCE`` epochs without a better one."""

    def __init__(self, watch: Stopwatch, epochs: int | None) -> None:
        self.watch, self._epochs = watch, epochs
        self.best, self.best_epoch, self._since = -1.0, 0, 0
        self.state: dict[str, torch.Tensor] | None = None
        self._gains: list[np.ndarray] = []
        self.out_of_time = False

    def on_train_epoch_start(self, *_: object) -> None:
        """The training of an epoch begins."""
        self.watch.begin_epoch()

    def on_validation_start(self, trainer: Trainer, _: object) -> None:
        """It ends, for validation runs inside of the epoch, at its end."""
        if not trainer.sanity_checking:
            self.watch.end_epoch()
        self._gains = []

    def on_validation_batch_end(self, _: object, module: object, outputs: dict, batch: dict, *__: object) -> None:
        """Rank each listener's validation like among what was not trained on."""
        logits = outputs.get("logits")
        if logits is None:  # a loss on sampled negatives leaves none of the whole catalogue
            logits = module.torch_model(batch=batch)[:, -1, :]
        target = batch["y"][:, :1]
        scores = logits.detach().reshape(len(target), -1).clone()
        wanted = scores.gather(1, target)
        scores.scatter_(1, batch["x"], -torch.inf)  # the padding, track 0, goes with them
        rank = 1 + (scores > wanted).sum(dim=1)
        self._gains.append(torch.where(rank <= LIST, 1 / torch.log2(1.0 + rank), 0.0).numpy())

    def on_validation_end(self, trainer: Trainer, module: object) -> None:
        """Keep the weights if they are the best so far, and stop after enough epochs without."""
        ndcg = float(np.concatenate(self._gains).mean())
        self._since += 1
        if ndcg > self.best:
            self.best, self.best_epoch, self._since = ndcg, len(self.watch.epochs), 0
            self.state = deepcopy(module.torch_model.state_dict())
        if self._since >= PATIENCE:
            trainer.should_stop = True
        self._stop_late(trainer)

    def on_train_epoch_end(self, trainer: Trainer, _: object) -> None:
        """Without validation, the training of an epoch ends here."""
        if self._epochs is not None:
            self.watch.end_epoch()
            self.best_epoch = len(self.watch.epochs)
            self._stop_late(trainer)

    def _stop_late(self, trainer: Trainer) -> None:
        if self.watch.over:
            self.out_of_time = trainer.should_stop = True


def main() -> None:
    """Read, train, answer."""
    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    exchange = asked()
    task, options = exchange.task, dict(exchange.task.configuration)
    torch.set_num_threads(task.threads)
    seed_everything(task.seed)
    only_likes = options.pop("rows") == "likes"
    learned = exchange.learned.likes if only_likes else exchange.learned
    validating = task.part == VALIDATION
    aside = exchange.first_validation_likes()
    watcher = Watcher(Stopwatch(task.seconds), task.epochs)

    def trainer() -> Trainer:
        return Trainer(
            max_epochs=task.epochs or NO_LIMIT,
            accelerator="cpu",
            devices=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            callbacks=[watcher],
        )

    model = SASRecModel(
        get_trainer_func=trainer,
        get_val_mask_func=(lambda rows: seconds_of(rows).isin(aside.order)) if validating else None,
        recommend_torch_device="cpu",
        **options,
    )
    model.fit(dataset_of(together(learned, aside) if validating else learned))
    # The model keeps a copy of its trainer, and with it of the watcher.
    watcher = next(each for each in model.fit_trainer.callbacks if isinstance(each, Watcher))
    if watcher.state is not None:
        model.torch_model.load_state_dict(watcher.state)
    targets = sum(int((batch["y"] > 0).sum()) for batch in model.data_preparator.get_dataloader_train())
    course = Course(watcher.watch.epochs, watcher.watch.clock, watcher.best_epoch, targets, watcher.out_of_time)
    exchange.answer(score(model, learned, exchange), course)


def dataset_of(rows: Rows) -> Dataset:
    """As RecTools wants it; the place in the log is told as seconds."""
    return Dataset.construct(
        pd.DataFrame(
            {
                Columns.User: rows.listener,
                Columns.Item: rows.track,
                Columns.Weight: 1.0,
                Columns.Datetime: pd.to_datetime(rows.order, unit="s"),
            }
        )
    )


def seconds_of(rows: pd.DataFrame) -> pd.Series:
    """The places in the log that :func:`dataset_of` told as seconds."""
    return (rows[Columns.Datetime] - pd.Timestamp(0)) // pd.Timedelta(seconds=1)


def score(model: SASRecModel, learned: Rows, exchange: Exchange) -> np.ndarray:
    """(listeners, tracks) from lists as long as the catalogue; a listener without history has zeros."""
    task = exchange.task
    known = int(model.data_preparator.get_known_item_ids().size)
    listeners = np.unique(learned.listener)
    lists = model.recommend(
        listeners, dataset_of(learned), k=known, filter_viewed=False, on_unsupported_targets="ignore"
    )
    scores = np.full((task.listeners, task.tracks), UNKNOWN, np.float32)
    scores[np.setdiff1d(np.arange(task.listeners), lists[Columns.User].unique())] = 0.0
    scores[lists[Columns.User], lists[Columns.Item]] = lists[Columns.Score]
    return scores


main()
