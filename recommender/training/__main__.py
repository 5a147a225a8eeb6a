"""Training on logs of millions of listeners: ``python -m recommender.training convert|train``."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path

from recommender.cluster import LOCAL, ClusterError
from recommender.datasets.dataset import DatasetError, parse_columns
from recommender.datasets.stream import stream_dataset
from recommender.training.checkpoints import CheckpointError
from recommender.training.cluster_training import TrainingRequest, train
from recommender.training.compute import Precision
from recommender.training.conversion import ASKED_LISTENERS, SHARD_ROWS, convert
from recommender.training.progress import TerminalProgress
from recommender.training.sequential_recommender import ESASREC, FAITHFUL
from recommender.training.shards import ShardError

FAILED, INTERRUPTED = 1, 130
MODES = {"faithful": FAITHFUL, "best": ESASREC}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        document = _convert(options) if options.command == "convert" else _train(options)
    except (DatasetError, ShardError, CheckpointError, ClusterError) as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("Stopped: the same command goes on from the last checkpoint, or begins a conversion again.\n")
        return INTERRUPTED
    if options.json:
        sys.stdout.write(json.dumps(document, indent=2, allow_nan=False) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m recommender.training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    converting = commands.add_parser("convert", help="write a data set of any size as shards of whole listeners")
    converting.add_argument("dataset", help="KIND:PATH, as docs/research/datasets.md lists them")
    converting.add_argument("target", type=Path, help="new folder for the shards")
    converting.add_argument("--columns", default="", help="which column is what, as in docs/research/datasets.md")
    converting.add_argument("--shard-rows", type=_positive, default=SHARD_ROWS, help="rows of a shard (%(default)s)")
    held_out = "listeners whose newest rows validate (%(default)s)"
    converting.add_argument("--asked-listeners", type=_count, default=ASKED_LISTENERS, help=held_out)

    training = commands.add_parser("train", help="train the sequential model on shards, on a Ray cluster")
    default = TrainingRequest(Path(), Path())
    training.add_argument("shards", type=Path, help="folder that convert has written")
    training.add_argument("--out", type=Path, required=True, help="folder for checkpoints, weights and figures")
    training.add_argument("--mode", choices=tuple(MODES), default="best")
    cluster = "a running cluster's HOST:PORT, or local for this machine alone (%(default)s)"
    training.add_argument("--cluster", default=LOCAL, metavar="ADDRESS", help=cluster)
    training.add_argument("--workers", type=_positive, default=1, help="processes, of a core each (%(default)s)")
    training.add_argument("--gpus", action="store_true", help="a GPU for each")
    training.add_argument("--precision", choices=("auto", *Precision), default="auto", help="of matrix products")
    training.add_argument("--epochs", type=_positive, help="at most (as the mode has it)")
    training.add_argument("--batch", type=_positive, help="windows per step and process (as the mode has it)")
    training.add_argument("--steps", type=_positive, help="end after so many steps")
    training.add_argument("--seed", type=_count, default=default.seed)
    training.add_argument("--threads", type=_positive, default=default.threads, help="of each process (%(default)s)")
    every = "seconds between two within an epoch (%(default)s)"
    training.add_argument("--checkpoint-every", type=float, default=default.checkpoint_every, help=every)
    for command in (converting, training):
        command.add_argument("--json", action="store_true", help="one JSON document on stdout")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not 1 or more")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{value} is not 0 or more")
    return value


def _convert(options: argparse.Namespace) -> object:
    manifest = convert(
        stream_dataset(options.dataset, columns=parse_columns(options.columns)),
        options.target,
        shard_rows=options.shard_rows,
        asked_listeners=options.asked_listeners,
        on_progress=TerminalProgress().conversion,
    )
    sys.stderr.write(
        f"{manifest.rows:,} rows of {manifest.listeners:,} listeners and {manifest.tracks:,} tracks in"
        f" {len(manifest.shards):,} shards; {manifest.held_out:,} rows held out for validation.\n"
    )
    return asdict(manifest)


def _train(options: argparse.Namespace) -> object:
    config = MODES[options.mode]
    options.config = replace(config, epochs=options.epochs or config.epochs, batch=options.batch or config.batch)
    return train(TrainingRequest(**{field.name: getattr(options, field.name) for field in fields(TrainingRequest)}))


if __name__ == "__main__":
    sys.exit(main())
