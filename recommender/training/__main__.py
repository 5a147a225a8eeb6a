"""``python -m recommender.training convert|train``, alone or under ``torchrun``."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from recommender.datasets.dataset import DatasetError, parse_columns
from recommender.training.checkpoints import EVERY_SECONDS, CheckpointError
from recommender.training.conversion import ASKED_LISTENERS, SHARD_ROWS, convert
from recommender.training.devices import DeviceError, Precision
from recommender.training.progress import Teller
from recommender.training.shards import ShardError

FAILED, INTERRUPTED = 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        document = _convert(options) if options.command == "convert" else _train(options)
    except (DatasetError, ShardError, CheckpointError, DeviceError) as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("Stopped: the same command goes on from the last checkpoint, or begins a conversion again.\n")
        return INTERRUPTED
    if options.json and document is not None:
        sys.stdout.write(json.dumps(document, indent=2, allow_nan=False) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m recommender.training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    converting = commands.add_parser("convert", help="write a data set of any size as shards of whole listeners")
    converting.add_argument("dataset", help="KIND:PATH, as docs/datasets.md lists them")
    converting.add_argument("target", type=Path, help="new folder for the shards")
    converting.add_argument("--columns", default="", help="which column is what, as in docs/datasets.md")
    converting.add_argument("--shard-rows", type=_positive, default=SHARD_ROWS, help="rows of a shard (%(default)s)")
    converting.add_argument(
        "--asked-listeners",
        type=_count,
        default=ASKED_LISTENERS,
        help="listeners whose newest rows validate (%(default)s)",
    )

    training = commands.add_parser("train", help="train the sequential model on shards or on a data set in memory")
    training.add_argument("data", help="folder of shards, or KIND:PATH")
    training.add_argument("--out", type=Path, required=True, help="folder for checkpoint, weights and figures")
    training.add_argument("--columns", default="", help="which column is what (KIND:PATH only)")
    training.add_argument("--mode", choices=("faithful", "best"), default="best")
    training.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    training.add_argument("--precision", choices=("auto", *Precision), default="auto", help="of matrix products")
    training.add_argument("--epochs", type=_positive, help="at most (as the mode has it)")
    training.add_argument("--batch", type=_positive, help="windows per step and process (as the mode has it)")
    training.add_argument("--steps", type=_positive, help="end after so many steps")
    training.add_argument("--seed", type=_count, default=0)
    training.add_argument("--threads", type=_positive, default=1, help="of each process (%(default)s)")
    training.add_argument(
        "--checkpoint-every", type=float, default=EVERY_SECONDS, help="seconds within an epoch (%(default)s)"
    )
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
    from recommender.datasets.stream import stream_dataset  # noqa: PLC0415 - Arrow is slow to load, and help needs none

    manifest = convert(
        stream_dataset(options.dataset, columns=parse_columns(options.columns)),
        options.target,
        shard_rows=options.shard_rows,
        asked_listeners=options.asked_listeners,
        on_progress=Teller().conversion,
    )
    sys.stderr.write(
        f"{manifest.rows:,} rows of {manifest.listeners:,} listeners and {manifest.tracks:,} tracks in"
        f" {len(manifest.shards):,} shards; {manifest.held_out:,} rows held out for validation.\n"
    )
    return asdict(manifest)


def _train(options: argparse.Namespace) -> object | None:
    from recommender.training.sharded_training import Question, train  # noqa: PLC0415 - torch is slow to load, and help needs none

    return train(
        Question(
            data=options.data,
            columns=options.columns,
            out=options.out,
            mode=options.mode,
            device=options.device,
            precision=options.precision,
            epochs=options.epochs,
            batch=options.batch,
            steps=options.steps,
            seed=options.seed,
            threads=options.threads,
            checkpoint_every=options.checkpoint_every,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
