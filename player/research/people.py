"""Listening histories of many people: every one measured, and the models compared over persons."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from player.errors import PlayerError, UsageError
from player.jobs import JobProgress
from player.research.datasets import Desk
from player.research.listening import READERS, open_listening
from player.research.runs import errors_as
from recommender.datasets.dataset import Dataset
from recommender.experiments.habits_comparison import (
    Person,
    SummaryRow,
    measure_person,
    model_names,
    summarise,
)
from recommender.experiments.records import ExperimentError
from recommender.habits.evidence import Effect, effects
from recommender.habits.features import walk
from recommender.habits.linear import Linear, fit_people, shipped_prior, without_people

if TYPE_CHECKING:
    from recommender.habits.plays import Plays

MOST_PEOPLE = 1000


@dataclass(frozen=True, slots=True)
class People:
    """All persons' figures, those that could not be measured and why, and the figures over persons."""

    people: tuple[Person, ...]
    left_out: tuple[str, ...]
    summary: tuple[SummaryRow, ...]


def measure_people(desk: Desk, dataset: str, models: str, prior: str) -> People:
    """Measure every export of a folder.

    Args:
        desk: where progress is told.
        dataset: ``KIND:FOLDER``; every zip archive and every folder in it is a person. A single export is one person.
        models: names, as in ``--models``.
        prior: ``shipped``, ``others`` (everyone else in the folder) or ``none``: whose weights a person's own are drawn to.

    Raises:
        UsageError: the data set or a model is not known.
        PlayerError: nobody could be measured.
    """
    with errors_as(UsageError):
        names = model_names(models)
    people: list[Person] = []
    left_out: list[str] = []
    kind, paths = _named(dataset)
    for place, (path, own) in enumerate(zip(paths, _priors(desk, kind, paths, prior, left_out), strict=True)):
        title = f"{path.name} ({place + 1} of {len(paths)})"

        def tell(stage: str, done: int, total: int, title: str = title) -> None:
            desk.progress(JobProgress(f"{title}: {stage.lower()}", done, total))

        try:
            data = _opened(kind, path)
            assert data.plays is not None
            people.append(measure_person(path.stem, data.plays, names, 1, own, tell))
        except (PlayerError, ExperimentError) as error:
            left_out.append(str(error))
    if not people:
        raise PlayerError(f"Nobody in {dataset} can be measured. {' '.join(left_out[:3])}")
    return People(tuple(people), tuple(dict.fromkeys(left_out)), tuple(summarise(people, names)))


def evidence(desk: Desk, dataset: str) -> list[Effect]:
    """What each way a play ends foretells, over every export of ``KIND:FOLDER`` or of one; errors as in measure_people."""
    kind, paths = _named(dataset)
    people: list[Plays] = []
    for place, path in enumerate(paths):
        desk.progress(JobProgress(f"Following {path.name}", place, len(paths)))
        plays = _opened(kind, path).plays
        if plays is not None:
            people.append(plays)
    return effects(people)


def _named(dataset: str) -> tuple[str, list[Path]]:
    """The kind of a history and the exports it names."""
    kind, _, where = dataset.partition(":")
    if kind not in READERS or not where.strip():
        raise UsageError(f"{dataset!r} names no histories: write KIND:FOLDER, with KIND one of {', '.join(READERS)}.")
    return kind, _exports(Path(where).expanduser())


def _exports(path: Path) -> list[Path]:
    """The exports in a folder: its archives and folders; the folder itself where it holds none but files."""
    if not path.exists():
        raise PlayerError(f"There is no file or folder {path}; check the path.")
    if not path.is_dir():
        return [path]
    found = sorted(each for each in path.iterdir() if each.is_dir() or zipfile.is_zipfile(each))
    found = [each for each in found if not each.name.startswith((".", "__MACOSX"))]
    if len(found) > MOST_PEOPLE:
        raise PlayerError(f"{path} holds more than {MOST_PEOPLE} exports; name a folder of fewer.")
    archives = [each for each in found if not each.is_dir()]
    return found if archives or len(found) > 1 else [path]


def _opened(kind: str, path: Path) -> Dataset:
    return open_listening(kind, path, f"{kind}:{path}", {}, None)


def _priors(desk: Desk, kind: str, paths: list[Path], prior: str, left_out: list[str]) -> Iterator[Linear]:
    if prior != "others":
        shipped = shipped_prior()
        yield from [without_people(shipped) if prior == "none" else shipped] * len(paths)
        return
    rows = {}
    for place, path in enumerate(paths):
        desk.progress(JobProgress("Learning from everyone", place, len(paths)))
        try:
            plays = _opened(kind, path).plays
        except PlayerError as error:
            left_out.append(str(error))
            continue
        if plays is not None and plays.verdict.any():
            rows[path] = (walk(plays), plays.verdict, plays.session)
    for path in paths:
        others = [own for other, own in rows.items() if other != path]
        if not others:
            raise UsageError("The weights of other people need other people: name a folder of two exports or more.")
        yield fit_people(others)
