"""A shard read and its batches drawn, by a task beside the training; free of torch, which would take longer to load than that."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recommender.configuration import SequentialConfig
from recommender.sequence.batches import BatchSampler
from recommender.training.shards import ShardFolder


@dataclass(frozen=True, slots=True)
class ShardRequest:
    """What is to be drawn from a shard: the same request gives the same batches wherever it is answered."""

    folder: Path
    shard: int
    config: SequentialConfig
    seed: tuple[int, ...]
    part: int
    """Its place in the reader's share of the epoch."""


def draw_part(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The batches of a shard, in their order; of a task of Ray Data, whose rows are dictionaries."""
    asked: ShardRequest = row["request"]
    sampler = BatchSampler(ShardFolder(asked.folder).read(asked.shard), asked.config)
    for done, batch in enumerate(sampler.epoch(np.random.default_rng(asked.seed)), 1):
        yield {"part": asked.part, "batches": done, "batch": batch}
