"""Trains RecBole's SASRec on the rows of a task and scores all tracks.

Run with the interpreter of another environment, so it imports nothing of this project but its neighbour. Trainer, early stopping (NDCG@10
of each listener's first validation like) and augmentation – every prefix of a listener's rows is an example – are RecBole's own;
only its split is replaced by the one that all contenders have.
"""

import logging
import os
import warnings
from copy import deepcopy

import numpy as np
import torch
from exchange import PATIENCE, UNKNOWN, VALIDATION, Course, Exchange, Rows, Stopwatch, asked, together
from recbole.config import Config  # pyright: ignore[reportMissingImports] - installed in another environment
from recbole.data import data_preparation  # pyright: ignore[reportMissingImports] - as above
from recbole.data.dataset import SequentialDataset  # pyright: ignore[reportMissingImports] - as above
from recbole.data.interaction import Interaction  # pyright: ignore[reportMissingImports] - as above
from recbole.model.sequential_recommender import SASRec  # pyright: ignore[reportMissingImports] - as above
from recbole.trainer import Trainer  # pyright: ignore[reportMissingImports] - as above
from recbole.utils import init_seed  # pyright: ignore[reportMissingImports] - as above

NO_LIMIT = 1000
"""Epochs at most; patience and time end it before."""
NAME = "rows"


class OutOfTimeError(Exception):
    """The limit is reached."""


class Split(SequentialDataset):
    """Examples whose target was set aside are for validation, all others for training."""

    def __init__(self, config: Config, aside: Rows) -> None:
        self._aside = torch.from_numpy(aside.order)
        super().__init__(config)

    def build(self) -> list[SequentialDataset]:
        """The parts; RecBole wants a test part too, which is not used."""
        self._change_feat_format()
        apart = torch.isin(self.inter_feat[self.time_field].long(), self._aside)
        if not apart.any():
            apart[:1] = True  # its loaders want one row; it is not validated by
        train = self.inter_feat if len(self._aside) == 0 else self.inter_feat[~apart]
        return [self.copy(part) for part in (train, self.inter_feat[apart], self.inter_feat[apart])]


class TimedTrainer(Trainer):
    """RecBole's trainer with a stopwatch around the training of an epoch."""

    def __init__(self, config: Config, model: SASRec, watch: Stopwatch) -> None:
        super().__init__(config, model)
        self.watch = watch

    def _train_epoch(self, *arguments: object, **options: object) -> object:
        self.watch.begin_epoch()
        loss = super()._train_epoch(*arguments, **options)
        self.watch.end_epoch()
        return loss


def main() -> None:
    """Read, train, answer."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    exchange = asked()
    task, options = exchange.task, dict(exchange.task.configuration)
    os.chdir(exchange.folder)  # where it leaves its logs
    torch.set_num_threads(task.threads)
    only_likes = options.pop("rows") == "likes"
    learned = exchange.learned.likes if only_likes else exchange.learned
    validating = task.part == VALIDATION
    aside = exchange.first_validation_likes()
    aside = aside if validating else aside.where(np.zeros(len(aside), np.bool_))
    write(together(learned, aside), exchange)
    config = configuration(exchange, options)
    init_seed(task.seed, reproducibility=True)
    dataset = Split(config, aside)
    train, valid, _ = data_preparation(config, dataset)
    model = SASRec(config, train.dataset)
    watch = Stopwatch(task.seconds)
    trainer = TimedTrainer(config, model, watch)
    best, out_of_time = fit(trainer, model, watch, (train, valid if validating else None))
    course = Course(watch.epochs, watch.clock, best, len(train.dataset), out_of_time)
    exchange.answer(score(model.eval(), dataset, learned, exchange), course)


def configuration(exchange: Exchange, options: dict[str, object]) -> Config:
    """RecBole's defaults for sequential models and our options."""
    fixed = {
        "data_path": str(exchange.folder),
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "train_neg_sample_args": None,  # the loss is over all tracks
        "valid_metric": "NDCG@10",
        "metrics": ["NDCG"],
        "stopping_step": PATIENCE,
        "epochs": exchange.task.epochs or NO_LIMIT,
        "use_gpu": False,
        "show_progress": False,
        "state": "ERROR",
        "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full", "group_by": "user"},
        "torch_num_threads": exchange.task.threads,
        "seed": exchange.task.seed,
    }
    return Config(model="SASRec", dataset=NAME, config_dict=fixed | options)


def fit(trainer: TimedTrainer, model: SASRec, watch: Stopwatch, data: tuple[object, object]) -> tuple[int, bool]:
    """Train until it stops by itself or the time is over, and put the best weights back; the best epoch, and which it was."""
    best_epoch, best_state = 0, None

    def look(_epoch: int, _score: float) -> None:
        nonlocal best_epoch, best_state
        if trainer.cur_step == 0:  # how its trainer counts: this epoch was the best so far
            best_epoch, best_state = len(watch.epochs), deepcopy(model.state_dict())
        if watch.over:
            raise OutOfTimeError

    try:
        trainer.fit(*data, verbose=False, saved=False, callback_fn=look)
    except OutOfTimeError:
        out_of_time = True
    else:
        out_of_time = False
    if best_state is not None:
        model.load_state_dict(best_state)
    return best_epoch or len(watch.epochs), out_of_time


def write(rows: Rows, exchange: Exchange) -> None:
    """RecBole's atomic file; the place in the log is the timestamp."""
    folder = exchange.folder / NAME
    folder.mkdir(exist_ok=True)
    with (folder / f"{NAME}.inter").open("w") as file:
        file.write("user_id:token\titem_id:token\ttimestamp:float\n")
        file.writelines(
            f"{listener}\t{track}\t{order}\n"
            for listener, track, order in zip(rows.listener, rows.track, rows.order, strict=True)
        )


def score(model: SASRec, dataset: SequentialDataset, learned: Rows, exchange: Exchange) -> np.ndarray:
    """(listeners, tracks) after each listener's last rows; a listener without history has zeros."""
    task, length = exchange.task, model.max_seq_length
    names = dataset.field2id_token[dataset.iid_field]  # the padding first
    tracks = names[1:].astype(np.int64)
    number = np.zeros(task.tracks, np.int64)
    number[tracks] = np.arange(1, len(names))
    listeners = np.unique(learned.listener)
    history = np.zeros((len(listeners), length), np.int64)
    lengths = np.zeros(len(listeners), np.int64)
    for row, listener in enumerate(listeners):
        heard = number[learned.track[learned.listener == listener]][-length:]
        history[row, : len(heard)], lengths[row] = heard, len(heard)
    asked_for = Interaction({model.ITEM_SEQ: torch.from_numpy(history), model.ITEM_SEQ_LEN: torch.from_numpy(lengths)})
    with torch.no_grad():
        found = model.full_sort_predict(asked_for).numpy()
    scores = np.zeros((task.listeners, task.tracks), np.float32)
    scores[listeners] = UNKNOWN
    scores[np.ix_(listeners, tracks)] = found[:, 1:]
    return scores


main()
