"""Run under ``torchrun`` by ``test_ranks.py``: trains on the shards of one folder and writes what every rank came to."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from recommender.configuration import SequentialConfig
from recommender.sequence.validation import FrozenValidator
from recommender.training.compute import ranks_of_environment
from recommender.training.shards import ShardFolder
from recommender.training.trainer import TrainingSetup, train_on


def main():
    torch.set_num_threads(1)
    shards, out = Path(sys.argv[1]), Path(sys.argv[2])
    folder = ShardFolder(shards)
    content = np.zeros((folder.manifest.tracks, 0), np.float32)
    config = SequentialConfig(
        width=16, blocks=1, heads=2, length=12, epochs=2, patience=5, batch=16, dropout=0.0, id_shrinkage=0.0
    )
    judge = FrozenValidator(*folder.validation(), config.length)
    with ranks_of_environment("cpu") as ranks:
        one_step = train_on(folder, judge, content, config, 3, TrainingSetup(ranks=ranks, most_steps=1))
        gradients = {name: value.grad.numpy() for name, value in one_step.network.named_parameters() if value.numel()}
        np.savez(out / f"gradients-{ranks.rank}.npz", **gradients)

        read = []
        watched = ShardFolder(shards, prepared=lambda log: read.append(np.unique(log.listener)) or log)
        trained = train_on(watched, judge, content, replace(config, dropout=0.2), 3, TrainingSetup(ranks=ranks))
        weights = {name: value.numpy() for name, value in trained.network.state_dict().items()}
        figures = [(each.loss, each.validation_auc, each.negatives.positions) for each in trained.reports]
        first_epoch = np.concatenate(read[: len(read) // 2])
        np.savez(
            out / f"trained-{ranks.rank}.npz",
            **weights,
            figures=np.array(figures),
            listeners=first_epoch,
            parts_read=len(read),
            best_epoch=trained.best_epoch,
        )


main()
