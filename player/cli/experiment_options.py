"""What several experiments are asked on the command line, each option told once; nothing here is heavy to import."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

MOST_JOBS = 2
"""Trainings at once unless told otherwise: two processes of one thread each leave a small machine usable."""


class SplitChoice(StrEnum):
    """Names of splits, here so that ``--help`` needs nothing heavy; a test holds them to the library's."""

    LISTENER_LAST = "listener-last"
    GLOBAL_TIME = "global-time"
    WALK_FORWARD = "walk-forward"
    RANDOM = "random"


class StateChoice(StrEnum):
    """Names of states; likewise."""

    FROZEN = "frozen"
    WALKING = "walking"


DatasetName = Annotated[
    str,
    typer.Option(
        "--dataset",
        metavar="KIND:PATH",
        help="log (your own), mssd:DIR, movielens:FILE, cm100k:FILE, emotify:FILE, csv:FILE or parquet:FILE.",
    ),
]
Columns = Annotated[
    str,
    typer.Option("--columns", metavar="KEY=COLUMN,…", help="Which column is what, as in listener=user,track=song,…"),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Read only about so many rows.", show_default=False)]
Music = Annotated[
    Path | None, typer.Option("--music", metavar="DIR", help="Folder of the tracks' audio.", show_default=False)
]
Index = Annotated[
    Path | None,
    typer.Option("--index", metavar="CSV", help="Table with track_id and path of the audio.", show_default=False),
]
Frontend = Annotated[str, typer.Option("--frontend", help="What makes vectors of the audio.")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, max=1000, help="How many seeds to average over.")]
Split = Annotated[
    SplitChoice | None,
    typer.Option("--split", help="How past and test are divided; what fits the data if absent.", show_default=False),
]
State = Annotated[
    StateChoice | None,
    typer.Option("--state", help="Whether earlier test rows are input (walking).", show_default=False),
]
Listeners = Annotated[
    int | None,
    typer.Option("--listeners", min=1, help="Measure on a sample of so many listeners.", show_default=False),
]
Jobs = Annotated[int, typer.Option("--jobs", min=1, max=64, help="Trainings at once.")]
