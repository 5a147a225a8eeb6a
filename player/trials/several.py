"""Trials of several listeners put together: every one comes as the document of ``player ab status --json``."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.json import decode

from embeddings.audio_file import open_regular
from player.errors import PlayerError, UsageError

LARGEST_FILE = 1 << 20
"""Bytes; a status of one trial has some two thousand."""


class _Arm(Struct):
    name: Annotated[str, Meta(max_length=200)]


class _Test(Struct):
    difference: Annotated[float, Meta(ge=-1.0, le=1.0)]
    e_value: Annotated[float, Meta(ge=0.0)]


class TrialDocument(Struct):
    """What is read of one listener's trial."""

    arms: tuple[_Arm, _Arm]
    pairs: Annotated[int, Meta(ge=0)]
    test: _Test


@dataclass(frozen=True, slots=True)
class Together:
    """Several listeners' trials as one.

    Attributes:
        arms: names of the two, the same for all.
        listeners: how many.
        pairs: of all.
        difference: in liking, first arm less second, over all pairs.
        e_value: the product of theirs.
    """

    arms: tuple[str, str]
    listeners: int
    pairs: int
    difference: float
    e_value: float
    p: float


def read_trial(path: Path) -> TrialDocument:
    """The one trial in a file.

    Raises:
        PlayerError: it cannot be read, or holds none or several.
    """
    try:
        with open_regular(path) as file:
            data = file.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise PlayerError(f"{path} is too large for the status of a trial.")
        found = decode(data, type=list[TrialDocument])
    except OSError as error:
        raise PlayerError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise PlayerError(f"{path} is not what `player ab status --json` writes: {error}.") from error
    if len(found) != 1:
        raise PlayerError(f"{path} holds {len(found)} trials; write one with `player ab status --station NAME --json`.")
    return found[0]


def together_of(trials: Sequence[TrialDocument]) -> Together:
    """Multiply the e-values of independent listeners.

    Raises:
        UsageError: the trials are not of the same two arms.
    """
    arms = {(trial.arms[0].name, trial.arms[1].name) for trial in trials}
    if len(arms) != 1:
        raise UsageError(
            f"The trials compare different arms: {'; '.join(f'{one}, {other}' for one, other in sorted(arms))}."
        )
    pairs = sum(trial.pairs for trial in trials)
    value = prod(trial.test.e_value for trial in trials)
    return Together(
        arms=next(iter(arms)),
        listeners=len(trials),
        pairs=pairs,
        difference=sum(trial.pairs * trial.test.difference for trial in trials) / pairs if pairs else 0.0,
        e_value=value,
        p=min(1.0, 1.0 / value) if value else 1.0,
    )
